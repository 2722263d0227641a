"""The progress of a session: counted by ticks, not by events.

A tick counts the session's assets with aggregation queries, writes the statistics once if they changed, and puts the
next tick into the queue while there is work. A tick is named by its session and the second it is due, rounded up to its
gap, so that any number of requests make one. Gaps grow with the age of the session: writes to it grow with the
logarithm of time, never with files.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared import logs
from shared.models.assets import AssetState, Fault
from shared.models.events import ProgressTick
from shared.models.records import now
from shared.models.sessions import ERRORS_SHOWN, FileError, Session, SessionStatus, Stats
from shared.models.webhooks import Delivery, Event
from shared.services import intake, rollups, session_files, ticks, webhooks
from shared.store import assets, firestore, sessions

LONGEST_GAP = 60
"""Seconds between the ticks of a session in which nothing moves."""
GROWTH = 1 / 20
"""The gap is this part of the session's age, or of the time since anything moved, whichever gives more; after its end,
of the latter."""
STALLED_AFTER = timedelta(hours=24)
"""A session in which nothing moved for so long fails, and names what is missing."""
SMOOTHED_OVER = 15.0
"""Seconds over which the rate is averaged (exponentially)."""
CANCELLED_AT_ONCE = 200
"""Assets that one tick of a cancelled session settles."""
MISSING_SHOWN = 20
"""Missing files that a stalled session names."""

_log = logs.logger(__name__)


async def tick(asked: ProgressTick) -> None:
    """Counts a session and sees to its next tick; 1 read, 1 or 2 aggregations, at most 1 write.

    One that has ended is counted once more, for whoever deleted or restored one of its files, and until all is at its
    end that still, or again, is being recognised. The files of a session that was itself deleted or restored follow it
    first. Nothing here is permanent: whatever fails is raised and the queue tries again.
    """
    session = await sessions.get(asked.session_id)
    if session is None or session.status is SessionStatus.PENDING:
        return
    if session.deleted_at is not None or session.files_behind:
        if await session_files.follow(session) or session.deleted_at is None:
            await ticks.soon(session.id)
        return
    if session.status is SessionStatus.CANCELLED and await _cancel_some(session):
        await ticks.soon(session.id)
        return
    counted = await _count(session)
    changes = await _changes(session, counted, now())
    if changes and not await _write(session, changes, counted):
        await ticks.soon(session.id)  # somebody changed the session meanwhile
        return
    if changes.get("status") is SessionStatus.FAILED:
        _log.warning("session_stalled", session_id=session.id)
    session = session.model_copy(update=changes)
    if not _has_ended(session) or await _goes_on(session, counted):
        await ticks.after(session.id, _gap(session, now()))


async def _goes_on(session: Session, counted: "Counted") -> bool:
    """Whether files of a session that has ended are being recognised; those that never came are not waited for."""
    if counted.settled == counted.files or _since(session, now()) > STALLED_AFTER.total_seconds():
        return False
    return await assets.under_way(session.id) > 0


async def _write(session: Session, changes: Mapping[str, Any], counted: "Counted") -> bool:
    """Writes what the count changes, and tells whoever follows the project; False when somebody else was faster."""
    told: list[Delivery] = []
    if changes.get("status") is SessionStatus.COMPLETED:
        data = _told(session, counted)
        told = await webhooks.messages(session.project_id, Event.SESSION_COMPLETED, session, data)
    try:
        await firestore.commit(sessions.change(session, changes), *webhooks.writes(told))
    except firestore.Conflict:
        return False
    _log.info("session_counted", session_id=session.id, **counted.__dict__)
    await rollups.soon(session.project_id)
    await webhooks.send(told)
    return True


def _told(session: Session, counted: "Counted") -> dict[str, Any]:
    """What a webhook is told of a session that is complete."""
    stats = {"files_total": counted.files, "files_processed": counted.processed, "files_failed": counted.failed}
    return {"id": session.id, "name": session.name, "project_id": session.project_id, "stats": stats}


@dataclass(frozen=True)
class Counted:
    """What the assets of a session add up to."""

    files: int
    uploaded: int
    processed: int
    failed: int
    settled: int
    bytes_total: int
    bytes_uploaded: int


async def _count(session: Session) -> Counted:
    total = await assets.total(session.id)
    uploaded, settled = int(total.sums["uploaded"]), int(total.sums["settled"])
    before = session.stats
    # Failed ones are counted when they may be others than before, and from the end on, when they have to be exact. They
    # are settled by then, so that a count of its own comes to the same.
    unmoved = settled == before.files_processed + before.files_failed
    same = unmoved and settled < total.count and not _has_ended(session)
    failed = before.files_failed if same else await assets.failed(session.id)
    return Counted(
        files=total.count,
        uploaded=uploaded,
        processed=max(settled - failed, 0),
        failed=failed,
        settled=settled,
        bytes_total=int(total.sums["size"]),
        bytes_uploaded=int(total.sums["uploaded_bytes"]),
    )


async def _changes(session: Session, counted: Counted, moment: datetime) -> dict[str, Any]:
    """What the count changes in the session's record; empty when nothing moved."""
    complete = _complete(session, counted)
    active = session.active_seconds + min(_since(session, moment), LONGEST_GAP)
    stats = _stats(session, counted, moment, active=active, complete=complete)
    changes: dict[str, Any] = {}
    if _moved(session.stats, stats):
        changes = {"stats": stats.model_dump(), "active_seconds": active, "progressed_at": moment}
    # In one that has ended, a file that is read again may fail for another reason between two ticks.
    if counted.failed != session.stats.files_failed or _has_ended(session):
        errors = await _errors(session.id) if counted.failed else []
        if errors != session.errors:
            changes["errors"] = [error.model_dump() for error in errors]
    if complete and session.status is SessionStatus.IN_PROGRESS:
        changes |= session.end(SessionStatus.COMPLETED, moment)
    elif not changes and _stalled(session, moment):
        failure = await _missing(session.id)
        changes = {**session.end(SessionStatus.FAILED, moment), "failure": failure.model_dump()}
    return changes


def _complete(session: Session, counted: Counted) -> bool:
    return not session.manifest_open and counted.files == counted.settled


def _stalled(session: Session, moment: datetime) -> bool:
    if session.status is not SessionStatus.IN_PROGRESS:
        return False
    return moment > (session.progressed_at or session.created_at) + STALLED_AFTER


def _moved(before: Stats, after: Stats) -> bool:
    smoothed = {"bytes_per_second", "seconds_left", "percent"}
    return before.model_dump(exclude=smoothed) != after.model_dump(exclude=smoothed) or before.percent != after.percent


def _since(session: Session, moment: datetime) -> float:
    """Seconds since a tick last saw something move."""
    return (moment - (session.progressed_at or session.created_at)).total_seconds()


def _stats(session: Session, counted: Counted, moment: datetime, *, active: float, complete: bool) -> Stats:
    """The statistics; the time left is told from how long it took to come so far, waiting left out."""
    before = session.stats
    percent = 100.0 if complete else max(before.percent, min(99.9, _percent(counted)))
    rate = _smoothed(before.bytes_per_second, counted.bytes_uploaded - before.bytes_uploaded, _since(session, moment))
    uploading = counted.bytes_uploaded < counted.bytes_total and not complete
    return Stats(
        files_total=counted.files,
        files_uploaded=counted.uploaded,
        files_processed=counted.processed,
        files_failed=counted.failed,
        bytes_total=counted.bytes_total,
        bytes_uploaded=counted.bytes_uploaded,
        percent=round(percent, 1),
        bytes_per_second=round(rate, 1) if uploading and rate else None,
        seconds_left=round(active * (100.0 - percent) / percent, 1) if percent else None,
    )


def _percent(counted: Counted) -> float:
    """Half for the bytes that came, half for the files that are done."""
    if not counted.files:
        return 0.0
    came = counted.bytes_uploaded / counted.bytes_total if counted.bytes_total else 1.0
    return 50.0 * came + 50.0 * counted.settled / counted.files


def _smoothed(before: float | None, amount: float, seconds: float) -> float | None:
    """An exponential moving average of amount a second; a negative amount (files were cancelled) counts as none."""
    if seconds <= 0:
        return before
    current = max(amount, 0.0) / seconds
    if before is None:
        return current or None
    weight = 1.0 - math.exp(-seconds / SMOOTHED_OVER)
    return before + weight * (current - before)


def _gap(session: Session, moment: datetime) -> int:
    waited = _since(session, moment)
    if not _has_ended(session):  # what is read again after the end is young, however old the session is
        waited = max(waited, (moment - (session.started_at or session.created_at)).total_seconds())
    return max(ticks.SHORTEST_GAP, min(LONGEST_GAP, round(waited * GROWTH)))


def _has_ended(session: Session) -> bool:
    return session.status is not SessionStatus.IN_PROGRESS


async def _errors(session_id: str) -> list[FileError]:
    failed = await assets.in_state(session_id, AssetState.FAILED, ERRORS_SHOWN)
    found = [(asset.path, asset.error) for asset in failed if asset.error]
    return [FileError(path=path, code=error.code, message=error.message) for path, error in sorted(found, key=_by_path)]


def _by_path(found: tuple[str, Any]) -> str:
    return found[0]


async def _missing(session_id: str) -> FileError:
    pending = await assets.in_state(session_id, AssetState.PENDING, MISSING_SHOWN)
    names = ", ".join(sorted(asset.path for asset in pending))
    hours = STALLED_AFTER.total_seconds() / 3600
    return FileError(
        path=names,
        code="session_stalled",
        message=f"Nothing came for {hours:.0f} hours. Missing: {names or 'results'}.",
    )


async def _cancel_some(session: Session) -> int:
    """Settles some of what a cancelled session still waits for; how many they were."""
    waiting = await assets.in_state(session.id, AssetState.PENDING, CANCELLED_AT_ONCE)
    fields = intake.failure(Fault.CANCELLED, "The upload was cancelled before this file came.")
    if waiting:
        await firestore.commit(*(assets.change(asset, fields) for asset in waiting))
    return len(waiting)
