"""Cycles, the dated rounds of collection in a project: /api/cycles."""

from typing import Annotated

from fastapi import APIRouter, Query

from shared.models.projects import CycleView, NewCycle
from shared.services import cycles
from shared.web.app import http_function
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

router = APIRouter(prefix="/api/cycles", tags=["cycles"])


@router.post("", status_code=201)
async def create_cycle(caller: SignedIn, asked: NewCycle, etag: Conditional) -> CycleView:
    """Makes a cycle in a project."""
    made = await cycles.create(caller, asked)
    etag.answer(made.version)
    return cycles.view(made)


@router.get("")
async def list_cycles(
    caller: SignedIn, paging: Paged, project_id: Annotated[str, Query(description="Of this project.")]
) -> Page[CycleView]:
    """Lists the cycles of a project, newest first."""
    found = await cycles.page(caller, project_id, paging.size, paging.after)
    return paging.page(found, cycles.view, newest_first)


@router.get("/{cycle_id}")
async def get_cycle(caller: SignedIn, cycle_id: str, etag: Conditional) -> CycleView:
    """One cycle."""
    cycle = await cycles.get(caller, cycle_id)
    etag.answer(cycle.version)
    return cycles.view(cycle)


main = http_function("cycles", router)
