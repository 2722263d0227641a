"""Upload sessions."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.listing import Listing
from shared.models.sessions import Session, SessionStatus, SessionTotals
from shared.store import firestore, listing
from shared.store.firestore import Condition, Query, Write

SESSIONS = "sessions"
_SUMS = ("files_total", "files_processed", "files_failed", "bytes_total", "bytes_uploaded")
"""Statistics that are added up; five is what one aggregation query can do."""


async def get(session_id: str) -> Session | None:
    """A session, deleted or not; one read."""
    return await firestore.get(Session, f"{SESSIONS}/{session_id}")


async def page(where: Sequence[Condition], asked: Listing) -> list[Session]:
    """Sessions that meet these conditions, as the listing asks; one read for each."""
    return await listing.page(Session, SESSIONS, where, asked)


async def totals(where: Sequence[Condition]) -> SessionTotals:
    """Living sessions that meet these conditions, added up; one read for each 1,000 of them, seven times."""
    scope: tuple[Condition, ...] = (*where, ("deleted_at", "==", None))
    added, completed, *each = await asyncio.gather(
        firestore.totals(_along_time(*scope), sums=[f"stats.{name}" for name in _SUMS], count=False),
        firestore.totals(_along_time(*scope, _in(SessionStatus.COMPLETED)), averages=["duration_seconds"], count=False),
        *[firestore.totals(_along_time(*scope, _in(status))) for status in SessionStatus],
    )
    by_status = {status: one.count for status, one in zip(SessionStatus, each, strict=True)}
    return SessionTotals(
        sessions=sum(by_status.values()),
        by_status=by_status,
        average_duration_seconds=completed.averages["duration_seconds"],
        **{name: added.sums[f"stats.{name}"] for name in _SUMS},
    )


async def in_progress(limit: int, after: tuple[Any, ...] | None = None) -> list[Session]:
    """Living sessions of any company that are on their way, newest first; one read for each."""
    where: tuple[Condition, ...] = (_in(SessionStatus.IN_PROGRESS), ("deleted_at", "==", None))
    asked = Query(SESSIONS, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Session, asked)


async def behind(limit: int) -> list[Session]:
    """Sessions that were deleted or restored and whose files have not all followed; one read for each."""
    return await firestore.query(Session, Query(SESSIONS, where=(("files_behind", "==", True),), limit=limit))


def _in(status: SessionStatus) -> Condition:
    return ("status", "==", status)


def _along_time(*where: Condition) -> Query:
    # The order of the lists, so that a time range needs no index of its own.
    return Query(SESSIONS, where=where, order=("-created_at",))


def create(session: Session) -> Write:
    """Writes a new session."""
    return listing.named(firestore.create(SESSIONS, session))


def change(session: Session, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a session, if it still is the version that was read."""
    return listing.named(firestore.change(SESSIONS, session, fields))


def unchanged(session: Session) -> Write:
    """Writes nothing, and demands that the session still is the version that was read."""
    return firestore.unchanged(SESSIONS, session)
