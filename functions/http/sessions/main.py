"""Upload sessions and their statistics: /api/sessions."""

from typing import Annotated

from fastapi import APIRouter, Query

from shared.models.sessions import NewSession, SessionStatus, SessionView
from shared.services import sessions
from shared.web.app import http_function
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

router = APIRouter(prefix="/api/sessions", tags=["sessions"])


@router.post("", status_code=201)
async def create_session(caller: SignedIn, asked: NewSession, etag: Conditional) -> SessionView:
    """Makes a session, to which files are then uploaded."""
    made = await sessions.create(caller, asked)
    etag.answer(made.version)
    return sessions.view(made)


@router.get("")
async def list_sessions(
    caller: SignedIn,
    paging: Paged,
    project_id: Annotated[str, Query(description="Of this project.")],
    cycle_id: Annotated[str | None, Query(description="Only of this cycle.")] = None,
    status: Annotated[SessionStatus | None, Query(description="Only in this status.")] = None,
) -> Page[SessionView]:
    """Lists the sessions of a project, newest first."""
    filters = {"cycle_id": cycle_id, "status": status}
    found = await sessions.page(caller, project_id, filters, paging.size, paging.after)
    return paging.page(found, sessions.view, newest_first)


@router.get("/{session_id}")
async def get_session(caller: SignedIn, session_id: str, etag: Conditional) -> SessionView:
    """One session with its statistics."""
    session, _ = await sessions.get(caller, session_id)
    etag.answer(session.version)
    return sessions.view(session)


main = http_function("sessions", router)
