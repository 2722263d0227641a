"""Changing one record that others may change at the same moment: read, decide, and write if what was read still holds.

With a version that must be current (If-Match) whoever comes second is refused; without one the change is decided again
on the record as it then is, so that nothing of either change is lost.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from shared.errors import Changed, PreconditionFailed
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.records import Record, now
from shared.services import audit, versions
from shared.store import firestore
from shared.store.firestore import Conflict, Write

R = TypeVar("R", bound=Record)

ATTEMPTS = 8
"""How often a change without a version is decided again when somebody else was faster."""


@dataclass(frozen=True)
class Change:
    """Who changes a record, what that is called, and which version must be current, if any."""

    caller: Caller
    action: Action
    version: int | None = None


async def make(
    change: Change,
    read: Callable[[], Awaitable[R]],
    decide: Callable[[R], Mapping[str, Any]],
    write: Callable[[R, Mapping[str, Any]], Write],
) -> R:
    """The record after the change, in one commit with its audit entry; one read and one commit each time it is tried.

    `decide` gives the fields to be written, none when there is nothing to do. Raises PreconditionFailed when the
    record is not of the version, Changed when others were faster every time.
    """
    for _ in range(ATTEMPTS):
        record = await read()
        versions.require(record, change.version)
        fields = {name: value for name, value in decide(record).items() if value != getattr(record, name)}
        if not fields:
            return record
        moment = {"updated_at": now()}
        try:
            version = await firestore.commit(write(record, {**fields, **moment}), _entry(change, record, fields))
        except Conflict as error:
            if change.version is not None:
                raise PreconditionFailed("Somebody else changed the record at the same moment.") from error
            continue
        return record.model_validate({**record.model_dump(), **fields, **moment, "version": version})
    raise Changed("Too many requests change this record at once.")


def _entry(change: Change, record: Record, fields: Mapping[str, Any]) -> Write:
    before = record.model_dump(include=set(fields))
    company_id = getattr(record, "company_id", None)
    return audit.entry(change.action, record.id, by=change.caller, company_id=company_id, before=before, after=fields)


def deletion(_: Record) -> Mapping[str, Any]:
    """Decides to delete: the record stays for 30 days, hidden."""
    return {"deleted_at": now()}


def restoration(_: Record) -> Mapping[str, Any]:
    """Decides to bring a deleted record back."""
    return {"deleted_at": None}


async def create(record: R, get: Callable[[str], Awaitable[R | None]], *writes: Write) -> R:
    """The record that these writes make, in one commit.

    A request that is done again, because nobody knows how far it came, makes the same id (`records.ids_from`): then
    the record is there already, and is the answer.
    """
    try:
        version = await firestore.commit(*writes)
    except Conflict:
        made = await get(record.id)
        if made is None:
            raise
        return made
    return record.model_copy(update={"version": version})
