"""Cycles, the dated rounds of collection in a project: /api/cycles."""

from typing import Annotated

from shared.models.projects import CycleChange, CycleView, NewCycle
from shared.services import cycles
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import List, Page, itself

from fastapi import Query, Response

router = router_at("/api/cycles")


@router.post("", status_code=201)
async def create_cycle(caller: SignedIn, asked: NewCycle, etag: Conditional) -> CycleView:
    """Makes a cycle in a project."""
    made = await cycles.create(caller, asked)
    etag.answer(made.version)
    return cycles.view(made)


@router.get("")
async def list_cycles(
    caller: SignedIn,
    asked: List,
    project_id: Annotated[str, Query(description="Of this project.")],
    created_by: Annotated[str | None, Query(description="Only made by this user.")] = None,
) -> Page[CycleView]:
    """Lists the cycles of a project, newest first unless it is asked otherwise."""
    found = await cycles.page(caller, project_id, asked.listing, created_by=created_by)
    return asked.records(found, cycles.view, itself)


@router.get("/{cycle_id}")
async def get_cycle(caller: SignedIn, cycle_id: str, etag: Conditional) -> CycleView:
    """One cycle."""
    cycle = await cycles.get(caller, cycle_id)
    etag.answer(cycle.version)
    return cycles.view(cycle)


@router.put("/{cycle_id}", operation_id="put_cycle")
@router.patch("/{cycle_id}", operation_id="change_cycle")
async def change_cycle(caller: SignedIn, cycle_id: str, asked: CycleChange, etag: Conditional) -> CycleView:
    """Changes a cycle; what is not sent stays."""
    changed = await cycles.update(caller, cycle_id, asked, etag.expected)
    etag.answer(changed.version)
    return cycles.view(changed)


@router.delete("/{cycle_id}", status_code=204)
async def delete_cycle(caller: SignedIn, cycle_id: str, etag: Conditional) -> Response:
    """Deletes a cycle; its sessions stay. It can be restored for 30 days."""
    await cycles.delete(caller, cycle_id, etag.expected)
    return Response(status_code=204)


@router.post("/{cycle_id}/restore")
async def restore_cycle(caller: SignedIn, cycle_id: str, etag: Conditional) -> CycleView:
    """Brings a deleted cycle back."""
    restored = await cycles.restore(caller, cycle_id, etag.expected)
    etag.answer(restored.version)
    return cycles.view(restored)


main = http_function("cycles", router)
