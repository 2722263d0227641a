"""Upload sessions."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.sessions import Session
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

SESSIONS = "sessions"


async def get(session_id: str) -> Session | None:
    """A session, deleted or not; one read."""
    return await firestore.get(Session, f"{SESSIONS}/{session_id}")


async def page(where: Sequence[Condition], limit: int, after: tuple[Any, ...] | None) -> list[Session]:
    """Living sessions, newest first; one read for each."""
    living: Condition = ("deleted_at", "==", None)
    asked = Query(SESSIONS, where=(*where, living), order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Session, asked)


def create(session: Session) -> Write:
    """Writes a new session."""
    return firestore.create(SESSIONS, session)


def change(session: Session, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a session, if it still is the version that was read."""
    return firestore.change(SESSIONS, session, fields)
