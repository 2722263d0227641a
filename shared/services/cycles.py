"""Cycles: dated rounds of collection in a project."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from shared.errors import NotFound, ValidationFailed
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.listing import Listing
from shared.models.projects import Cycle, CycleChange, CycleView, NewCycle, Permission
from shared.models.records import new_id, now
from shared.services import access, audit, changes
from shared.services.changes import Change
from shared.store import cycles


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
        starts_on=_text(asked.starts_on),
        ends_on=_text(asked.ends_on),
        created_by=caller.user_id,
    )
    entry = audit.entry(
        Action.CYCLE_CREATED, cycle.id, by=caller, company_id=cycle.company_id, after=asked.model_dump(mode="json")
    )
    return await changes.create(cycle, cycles.get, cycles.create(cycle), entry)


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None


async def get(caller: Caller, cycle_id: str) -> Cycle:
    """A cycle as it is now; one read when the project is cached."""
    return await _found(caller, cycle_id, Permission.READ)


async def _found(caller: Caller, cycle_id: str, permission: Permission, *, deleted: bool = False) -> Cycle:
    cycle, _ = await access.record(caller, await cycles.get(cycle_id), permission, "cycle", deleted=deleted)
    return cycle


async def of_project(cycle_id: str, project_id: str) -> Cycle:
    """A living cycle of this project; NotFound otherwise."""
    cycle = await cycles.get(cycle_id)
    if cycle is None or cycle.deleted_at is not None or cycle.project_id != project_id:
        raise NotFound("There is no such cycle in this project.")
    return cycle


async def page(caller: Caller, project_id: str, listing: Listing, *, created_by: str | None = None) -> list[Cycle]:
    """Cycles of a project; one read for each."""
    await access.project(caller, project_id, Permission.CONTRIBUTE if listing.deleted else Permission.READ)
    where = [("project_id", project_id), ("created_by", created_by)]
    return await cycles.page([(field, "==", value) for field, value in where if value is not None], listing)


async def update(caller: Caller, cycle_id: str, asked: CycleChange, version: int | None) -> Cycle:
    """Changes what was sent, if `version` is current or None; one read and one commit."""
    sent = asked.model_dump(exclude_unset=True, mode="json")

    def decide(cycle: Cycle) -> Mapping[str, Any]:
        dates = {"starts_on": cycle.starts_on, "ends_on": cycle.ends_on} | sent
        if dates["starts_on"] and dates["ends_on"] and dates["ends_on"] < dates["starts_on"]:
            details = [{"field": "ends_on", "message": "ends_on is before starts_on"}]
            raise ValidationFailed("A cycle ends after it starts.", details=details)
        return sent

    return await _change(Change(caller, Action.CYCLE_CHANGED, version), cycle_id, decide)


async def delete(caller: Caller, cycle_id: str, version: int | None) -> None:
    """Hides a cycle for 30 days, then it is erased; its sessions stay in the project."""
    await _change(Change(caller, Action.CYCLE_DELETED, version), cycle_id, changes.deletion)


async def restore(caller: Caller, cycle_id: str, version: int | None) -> Cycle:
    """Brings a deleted cycle back."""
    return await _change(Change(caller, Action.CYCLE_RESTORED, version), cycle_id, changes.restoration, deleted=True)


async def _change(
    change: Change, cycle_id: str, decide: Callable[[Cycle], Mapping[str, Any]], *, deleted: bool = False
) -> Cycle:
    async def read() -> Cycle:
        return await _found(change.caller, cycle_id, Permission.CONTRIBUTE, deleted=deleted)

    return await changes.make(change, read, decide, cycles.change)


def view(cycle: Cycle) -> CycleView:
    """The cycle as clients see it."""
    return CycleView.model_validate(cycle.__dict__)
