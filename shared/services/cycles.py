"""Cycles: dated rounds of collection in a project."""

from typing import Any

from shared.errors import NotFound
from shared.models.identity import Caller
from shared.models.projects import Cycle, CycleView, NewCycle, Permission
from shared.models.records import new_id, now
from shared.services import access
from shared.store import cycles, firestore


async def create(caller: Caller, asked: NewCycle) -> Cycle:
    """A new cycle; one commit."""
    found = await access.project(caller, asked.project_id, Permission.CONTRIBUTE)
    moment = now()
    cycle = Cycle(
        id=new_id("cyc"),
        created_at=moment,
        updated_at=moment,
        company_id=found.project.company_id,
        project_id=asked.project_id,
        name=asked.name,
        starts_on=asked.starts_on.isoformat() if asked.starts_on else None,
        ends_on=asked.ends_on.isoformat() if asked.ends_on else None,
        created_by=caller.user_id,
    )
    version = await firestore.commit(cycles.create(cycle))
    return cycle.model_copy(update={"version": version})


async def get(caller: Caller, cycle_id: str) -> Cycle:
    """A cycle as it is now; one read when the project is cached."""
    cycle = await cycles.get(cycle_id)
    if cycle is None or cycle.deleted_at is not None:
        raise NotFound("There is no such cycle.")
    try:
        await access.project(caller, cycle.project_id, Permission.READ)
    except NotFound:
        raise NotFound("There is no such cycle.") from None
    return cycle


async def of_project(cycle_id: str, project_id: str) -> Cycle:
    """A living cycle of this project; NotFound otherwise."""
    cycle = await cycles.get(cycle_id)
    if cycle is None or cycle.deleted_at is not None or cycle.project_id != project_id:
        raise NotFound("There is no such cycle in this project.")
    return cycle


async def page(caller: Caller, project_id: str, size: int, after: tuple[Any, ...] | None) -> list[Cycle]:
    """Cycles of a project, newest first; one read for each."""
    await access.project(caller, project_id, Permission.READ)
    return await cycles.page(project_id, size, after)


def view(cycle: Cycle) -> CycleView:
    """The cycle as clients see it."""
    return CycleView.model_validate(cycle.model_dump())
