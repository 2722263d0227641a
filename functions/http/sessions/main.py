"""Upload sessions and their statistics: /api/sessions."""

from typing import Annotated

from shared.models.records import AskedMoment
from shared.models.sessions import NewSession, SessionChange, SessionStatus, SessionTotals, SessionView
from shared.services import sessions
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import List, Page, itself

from fastapi import Query, Response

router = router_at("/api/sessions")

OfProject = Annotated[str | None, Query(description="Of this project, or ...")]
OfCycle = Annotated[str | None, Query(description="... of this cycle; or of both.")]


@router.post("", status_code=201)
async def create_session(caller: SignedIn, asked: NewSession, etag: Conditional) -> SessionView:
    """Makes a session, to which files are then uploaded."""
    made = await sessions.create(caller, asked)
    etag.answer(made.version)
    return sessions.view(made)


@router.get("")
async def list_sessions(
    caller: SignedIn,
    asked: List,
    project_id: OfProject = None,
    cycle_id: OfCycle = None,
    status: Annotated[SessionStatus | None, Query(description="Only in this status.")] = None,
    created_by: Annotated[str | None, Query(description="Only made by this user.")] = None,
) -> Page[SessionView]:
    """Lists the sessions of a project or cycle, newest first unless it is asked otherwise."""
    scope = {"project_id": project_id, "cycle_id": cycle_id}
    found = await sessions.page(caller, scope, {"status": status, "created_by": created_by}, asked.listing)
    return asked.records(found, sessions.view, itself)


@router.get("/stats")
async def get_session_stats(
    caller: SignedIn,
    project_id: OfProject = None,
    cycle_id: OfCycle = None,
    created_after: Annotated[AskedMoment | None, Query(description="Made then or later; RFC 3339.")] = None,
    created_before: Annotated[AskedMoment | None, Query(description="Made earlier; RFC 3339.")] = None,
) -> SessionTotals:
    """Adds up the sessions of a project or cycle: how many in which status, their files, how long they took."""
    scope = {"project_id": project_id, "cycle_id": cycle_id}
    return await sessions.totals(caller, scope, created_after, created_before)


@router.get("/{session_id}")
async def get_session(caller: SignedIn, session_id: str, etag: Conditional) -> SessionView:
    """One session with its statistics."""
    session, _ = await sessions.get(caller, session_id)
    etag.answer(session.version)
    return sessions.view(session)


@router.put("/{session_id}", operation_id="put_session")
@router.patch("/{session_id}", operation_id="change_session")
async def change_session(caller: SignedIn, session_id: str, asked: SessionChange, etag: Conditional) -> SessionView:
    """Changes a session; what is not sent stays. The cycle changes only before the first file."""
    changed = await sessions.update(caller, session_id, asked, etag.expected)
    etag.answer(changed.version)
    return sessions.view(changed)


@router.delete("/{session_id}", status_code=204)
async def delete_session(caller: SignedIn, session_id: str, etag: Conditional) -> Response:
    """Deletes a session with its files; it can be restored for 30 days. One in progress is cancelled first."""
    await sessions.delete(caller, session_id, etag.expected)
    return Response(status_code=204)


@router.post("/{session_id}/restore")
async def restore_session(caller: SignedIn, session_id: str, etag: Conditional) -> SessionView:
    """Brings a deleted session back, with its files."""
    restored = await sessions.restore(caller, session_id, etag.expected)
    etag.answer(restored.version)
    return sessions.view(restored)


main = http_function("sessions", router)
