"""Labels to and from Label Studio, a page of documents at a time."""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.errors import AltaError, ValidationFailed
from shared.models.assets import Asset, AssetState, AssetSummary, Kind
from shared.models.identity import Caller
from shared.models.labels import LabelField, Task, TaskResult
from shared.models.projects import Permission
from shared.models.review import Refusal
from shared.services import access, label_studio, labels, texts
from shared.store import assets, objects
from shared.store import labels as stored

AT_ONCE = 10
"""Documents of one request that are worked on at the same time."""


async def config(caller: Caller, project_id: str, kind: Kind) -> str:
    """The labelling configuration for the project's documents of one kind, as XML."""
    _require_recognised(kind)
    return label_studio.config((await labels.label_set(caller, project_id)).fields, kind)


async def page(
    caller: Caller, project_id: str, kind: Kind, size: int, after: tuple[Any, ...] | None
) -> tuple[list[dict[str, Any]], list[AssetSummary]]:
    """Tasks of the project's recognised documents of one kind, newest first, and their assets; three reads for each."""
    _require_recognised(kind)
    await access.project(caller, project_id, Permission.READ)
    where = [*assets.of_kind(project_id, kind), ("state", "==", AssetState.PROCESSED)]
    found = await assets.page(where, size, after)
    ids = [one.id for one in found]
    whole, said = await asyncio.gather(assets.existing(ids), stored.annotations_of(ids))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(asset: Asset) -> dict[str, Any]:
        async with turns:
            link = await objects.link(asset.object_name, filename=asset.name, content_type=asset.content_type)
            return label_studio.task(asset, await texts.current(asset), link.url, said.get(asset.id))

    return list(await asyncio.gather(*(one(whole[asset_id]) for asset_id in ids if asset_id in whole))), found


def _require_recognised(kind: Kind) -> None:
    if kind is Kind.FILE:
        raise ValidationFailed("Plain files are not labelled.", details=[{"field": "kind"}])


async def take_in(caller: Caller, project_id: str, tasks: Sequence[Task]) -> list[TaskResult]:
    """What became of each task of an export of Label Studio, in their order: each stands for itself."""
    fields = (await labels.label_set(caller, project_id)).fields
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(task: Task) -> TaskResult:
        async with turns:
            try:
                count = await _take_in(caller, project_id, task, fields)
            except AltaError as error:
                refusal = Refusal(code=error.code, message=error.message, details=error.details)
                return TaskResult(document_id=task.document_id, status=error.status, error=refusal)
            return TaskResult(document_id=task.document_id, status=200, annotations=count)

    return list(await asyncio.gather(*(one(task) for task in tasks)))


async def _take_in(caller: Caller, project_id: str, task: Task, fields: Sequence[LabelField]) -> int:
    if not task.document_id:
        raise ValidationFailed("The task has no document_id in its data: it did not come from here.")
    said = label_studio.annotations(task, fields)
    view, _ = await labels.put(caller, None, task.document_id, said, None, project_id=project_id)
    return len(view.annotations)
