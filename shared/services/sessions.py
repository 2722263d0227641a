"""Upload sessions: made for a project, seen by whom the project lets in."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from shared.errors import StateConflict, ValidationFailed
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.listing import Listing
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.models.sessions import (
    SESSION_STEPS,
    NewSession,
    Session,
    SessionChange,
    SessionStatus,
    SessionTotals,
    SessionView,
)
from shared.services import access, audit, changes, cycles, ticks
from shared.services.access import Access
from shared.services.changes import Change
from shared.store import listing as lists
from shared.store import sessions
from shared.store.firestore import Condition


async def create(caller: Caller, asked: NewSession) -> Session:
    """A new session; one commit."""
    found = await access.project(caller, asked.project_id, Permission.CONTRIBUTE)
    if asked.cycle_id is not None:
        await cycles.of_project(asked.cycle_id, asked.project_id)
    moment = now()
    session = Session(
        id=new_id("ses"),
        created_at=moment,
        updated_at=moment,
        company_id=found.project.company_id,
        project_id=asked.project_id,
        cycle_id=asked.cycle_id,
        name=asked.name,
        created_by=caller.user_id,
    )
    entry = audit.entry(
        Action.SESSION_CREATED, session.id, by=caller, company_id=session.company_id, after=asked.model_dump()
    )
    return await changes.create(session, sessions.get, sessions.create(session), entry)


async def get(
    caller: Caller, session_id: str, permission: Permission = Permission.READ, *, deleted: bool = False
) -> tuple[Session, Access]:
    """A session as it is now, and the access to its project; one read when the project is cached."""
    return await access.record(caller, await sessions.get(session_id), permission, "session", deleted=deleted)


async def page(
    caller: Caller, scope: Mapping[str, str | None], filters: Mapping[str, str | None], listing: Listing
) -> list[Session]:
    """Sessions of a project or a cycle (`project_id`, `cycle_id`); one read for each."""
    where = await _within(caller, scope, Permission.CONTRIBUTE if listing.deleted else Permission.READ)
    where += [(field, "==", value) for field, value in filters.items() if value is not None]
    return await sessions.page(where, listing)


async def totals(
    caller: Caller, scope: Mapping[str, str | None], after: datetime | None, before: datetime | None
) -> SessionTotals:
    """The sessions of a project or a cycle that were made in this time, added up."""
    where = await _within(caller, scope, Permission.READ)
    return await sessions.totals([*where, *lists.created_between(after, before)])


async def _within(caller: Caller, scope: Mapping[str, str | None], permission: Permission) -> list[Condition]:
    """The conditions of a scope that the caller may look into; a cycle alone tells its project."""
    project_id, cycle_id = scope.get("project_id"), scope.get("cycle_id")
    if project_id is None and cycle_id is not None:
        project_id = (await cycles.get(caller, cycle_id)).project_id
    if project_id is None:
        details = [{"field": "project_id", "message": "is missing"}]
        raise ValidationFailed("Name a project_id or a cycle_id.", details=details)
    await access.project(caller, project_id, permission)
    where: list[Condition] = [("project_id", "==", project_id)]
    return [*where, ("cycle_id", "==", cycle_id)] if cycle_id is not None else where


async def update(caller: Caller, session_id: str, asked: SessionChange, version: int | None) -> Session:
    """Changes what was sent, if `version` is current or None; one read and one commit.

    The cycle changes only while no file was announced: files carry it too.
    """
    sent = asked.model_dump(exclude_unset=True)

    async def read() -> Session:
        session, _ = await get(caller, session_id, Permission.CONTRIBUTE)
        if sent.get("cycle_id") not in (None, session.cycle_id):
            await cycles.of_project(sent["cycle_id"], session.project_id)
        return session

    def decide(session: Session) -> Mapping[str, Any]:
        moves = "cycle_id" in sent and sent["cycle_id"] != session.cycle_id
        if moves and session.status is not SessionStatus.PENDING:
            raise StateConflict(
                "A session changes its cycle only before its first file.", details={"state": session.status}
            )
        return sent

    return await changes.make(Change(caller, Action.SESSION_CHANGED, version), read, decide, sessions.change)


async def delete(caller: Caller, session_id: str, version: int | None) -> None:
    """Hides a session for 30 days, then it is erased; its files follow within seconds. StateConflict in progress."""

    def decide(session: Session) -> Mapping[str, Any]:
        if session.status is SessionStatus.IN_PROGRESS:
            raise StateConflict(
                f"Files of this session are on their way: cancel it first (POST /api/uploads/{session.id}/cancel).",
                details={"state": session.status},
            )
        return _with_files(session, changes.deletion(session))

    change = Change(caller, Action.SESSION_DELETED, version)
    await changes.make(change, _reader(caller, session_id, deleted=False), decide, sessions.change)
    await ticks.soon(session_id)


async def restore(caller: Caller, session_id: str, version: int | None) -> Session:
    """Brings a deleted session back; the files that were deleted with it follow within seconds."""

    def decide(session: Session) -> Mapping[str, Any]:
        return _with_files(session, changes.restoration(session))

    change = Change(caller, Action.SESSION_RESTORED, version)
    restored = await changes.make(change, _reader(caller, session_id, deleted=True), decide, sessions.change)
    await ticks.soon(session_id)
    return restored


def _with_files(session: Session, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    # What is pending has no files yet.
    return fields if session.status is SessionStatus.PENDING else {**fields, "files_behind": True}


def _reader(caller: Caller, session_id: str, *, deleted: bool) -> Callable[[], Awaitable[Session]]:
    async def read() -> Session:
        return (await get(caller, session_id, Permission.CONTRIBUTE, deleted=deleted))[0]

    return read


def require_step(session: Session, to: SessionStatus) -> None:
    """Raises StateConflict unless the session may go to this status."""
    if to not in SESSION_STEPS[session.status]:
        raise StateConflict(
            f"The session is {session.status}; it can't become {to}.", details={"state": session.status}
        )


def view(session: Session) -> SessionView:
    """The session as clients see it."""
    return SessionView.model_validate(session.__dict__)
