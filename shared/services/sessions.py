"""Upload sessions: made for a project, seen by whom the project lets in."""

from collections.abc import Mapping
from typing import Any

from shared.errors import NotFound, StateConflict
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.models.sessions import SESSION_STEPS, NewSession, Session, SessionStatus, SessionView
from shared.services import access, cycles
from shared.services.access import Access
from shared.store import firestore, sessions


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
    version = await firestore.commit(sessions.create(session))
    return session.model_copy(update={"version": version})


async def get(caller: Caller, session_id: str, permission: Permission = Permission.READ) -> tuple[Session, Access]:
    """A session as it is now, and the access to its project; one read when the project is cached."""
    session = await sessions.get(session_id)
    if session is None or session.deleted_at is not None:
        raise NotFound("There is no such session.")
    try:
        return session, await access.project(caller, session.project_id, permission)
    except NotFound:
        raise NotFound("There is no such session.") from None


async def page(
    caller: Caller, project_id: str, filters: Mapping[str, str | None], size: int, after: tuple[Any, ...] | None
) -> list[Session]:
    """Sessions of a project, newest first; one read for each."""
    await access.project(caller, project_id, Permission.READ)
    given = [(field, value) for field, value in filters.items() if value is not None]
    where: list[firestore.Condition] = [("project_id", "==", project_id)]
    where += [(field, "==", value) for field, value in given]
    return await sessions.page(where, size, after)


def require_step(session: Session, to: SessionStatus) -> None:
    """Raises StateConflict unless the session may go to this status."""
    if to not in SESSION_STEPS[session.status]:
        raise StateConflict(
            f"The session is {session.status}; it can't become {to}.", details={"state": session.status}
        )


def view(session: Session) -> SessionView:
    """The session as clients see it."""
    return SessionView(**session.model_dump())
