"""The labels of projects, to and from Label Studio: /api/labels."""

from typing import Annotated, Any

from shared.models.assets import Kind
from shared.models.labels import TASKS_LIMIT, LabelSetView, NewLabelSet, Task, TaskResults
from shared.services import label_exchange, labels
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

from fastapi import Query, Response
from pydantic import Field

router = router_at("/api/labels")

OfKind = Annotated[Kind, Query(description="Documents or recordings: a project of Label Studio shows one kind.")]


@router.get("/{project_id}")
async def get_label_set(caller: SignedIn, project_id: str, etag: Conditional) -> LabelSetView:
    """The labels of a project; none until they are put."""
    found = await labels.label_set(caller, project_id)
    etag.answer(found.version)
    return labels.set_view(found)


@router.put("/{project_id}")
async def put_label_set(caller: SignedIn, project_id: str, asked: NewLabelSet, etag: Conditional) -> LabelSetView:
    """Makes these the labels of a project. For who manages it."""
    changed = await labels.put_label_set(caller, project_id, asked, etag.expected)
    etag.answer(changed.version)
    return labels.set_view(changed)


_XML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/xml": {"schema": {"type": "string"}}}}}


@router.get("/{project_id}/label-studio/config", response_class=Response, responses=_XML)
async def get_label_studio_config(caller: SignedIn, project_id: str, kind: OfKind = Kind.DOCUMENT) -> Response:
    """The labelling configuration for a project of Label Studio, as XML."""
    return Response(await label_exchange.config(caller, project_id, kind), media_type="application/xml")


@router.get("/{project_id}/label-studio/tasks")
async def list_label_studio_tasks(
    caller: SignedIn, project_id: str, paging: Paged, kind: OfKind = Kind.DOCUMENT
) -> Page[dict[str, Any]]:
    """Recognised documents with what is said of them, newest first: each item is a task that Label Studio imports."""
    tasks, found = await label_exchange.page(caller, project_id, kind, paging.size, paging.after)
    position = newest_first(found[-1]) if found else ()
    page = paging.page(found, lambda one: one.id, lambda _: position)
    return Page(items=tasks, next_page_token=page.next_page_token)


@router.post("/{project_id}/label-studio/tasks")
async def import_label_studio_tasks(
    caller: SignedIn,
    project_id: str,
    tasks: Annotated[list[Task], Field(min_length=1, max_length=TASKS_LIMIT)],
) -> TaskResults:
    """Takes over what an export of Label Studio says (its JSON format, as it is); each task has its own result."""
    return TaskResults(results=await label_exchange.take_in(caller, project_id, tasks))


main = http_function("labels", router)
