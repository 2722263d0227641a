"""Finds what got lost: objects whose event never came to its end, sessions that nobody counts, files that did not
follow their session, exports that nobody goes on with, objects without record.

Every run does a bounded part and the next one goes on, so that its cost does not grow with the platform. It may run at
any moment and twice at once: events are idempotent, ticks and steps merge, an object is deleted at its generation.

Permanent: nothing. Whatever fails is raised, and the clock comes again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from shared import logs
from shared.cloud import pubsub
from shared.errors import NotFound
from shared.models.assets import AssetSummary, asset_id_in
from shared.models.events import ObjectListed
from shared.models.records import now
from shared.services import intake, polling, ticks, webhooks
from shared.services.exports import next_step
from shared.store import assets, exports, objects, sessions, sweeps
from shared.store import webhooks as kept

GRACE = timedelta(seconds=90)
"""How long an asset is left alone after it was written: a lease, and time to be delivered again."""
ASSETS_AT_ONCE = 1000
SESSIONS_AT_ONCE = 1000
EXPORTS_AT_ONCE = 100
MESSAGES_AT_ONCE = 1000
OBJECTS_AT_ONCE = 1000
"""What one run looks at."""
IDLE = timedelta(minutes=10)
"""How long nothing moves in an export until its step is put into the queue again: as long as a step may take."""
ORPHANED_AFTER = timedelta(days=1)
"""Age from which an object without record is deleted: its record may be about to be written."""
CONCURRENCY = 16

_log = logs.logger(__name__)
T = TypeVar("T")


async def run() -> None:
    """One round; the log says what was found."""
    found = {
        "assets_mended": await _unsettled(),
        "sessions_counted": await _sessions(),
        "sessions_followed": await _behind(),
        "exports_resumed": await _exports(),
        "orphans_deleted": await _orphans(),
        "messages_sent": await _messages(),
    }
    _log.info("reconciled", **found)


async def _unsettled() -> int:
    """Has the events of assets that came, but got nowhere, delivered again, on the next stretch of them; how many."""
    sweep = await sweeps.get("assets")
    waiting = await assets.unsettled(now() - GRACE, ASSETS_AT_ONCE, sweep.position)
    mended = await _side_by_side(_mend, waiting)
    more = len(waiting) == ASSETS_AT_ONCE
    await sweeps.put(sweep, (waiting[-1].updated_at, waiting[-1].id) if more else ())
    return sum(mended)


async def _mend(asset: AssetSummary) -> bool:
    intake.follow(asset)
    if asset.lease is not None and asset.lease.until > now():
        return False
    if asset.operation is not None:
        await polling.look_soon(asset)
    elif not await _delivered_again(asset):
        return False
    if asset.session_id is not None:
        await ticks.soon(asset.session_id)  # one that has ended is counted while something in it is under way
    return True


async def _delivered_again(asset: AssetSummary) -> bool:
    try:
        event = await objects.description(asset.object_name)
    except NotFound:
        return False  # it has not been uploaded yet: the session's own deadline sees to that
    await pubsub.notify(asset.kind.prefix, event.model_dump(by_alias=True))
    _log.warning("event_delivered_again", asset_id=asset.id, generation=event.generation)
    return True


async def _sessions() -> int:
    """Has sessions in progress counted soon, whether their chain of ticks is alive or not; how many."""
    sweep = await sweeps.get("sessions")
    going = await sessions.in_progress(SESSIONS_AT_ONCE, sweep.position)
    await _side_by_side(ticks.soon, [session.id for session in going])
    more = len(going) == SESSIONS_AT_ONCE
    await sweeps.put(sweep, (going[-1].created_at, going[-1].id) if more else ())
    return len(going)


async def _behind() -> int:
    """Has the files of sessions that were deleted or restored follow them; how many sessions there were."""
    behind = await sessions.behind(SESSIONS_AT_ONCE)
    await _side_by_side(ticks.soon, [session.id for session in behind])
    return len(behind)


async def _exports() -> int:
    """Has exports whose step got lost go on; how many."""
    waiting = await exports.unfinished(now() - IDLE, EXPORTS_AT_ONCE)
    await _side_by_side(next_step, waiting)
    return len(waiting)


async def _messages() -> int:
    """Has the messages to webhooks whose attempt is overdue sent soon, whether it waits in the queue or not; how many.

    One that was kept with what it tells, but never came into the queue, is sent so.
    """
    overdue = await kept.overdue(now() - GRACE, MESSAGES_AT_ONCE)
    await _side_by_side(webhooks.schedule, overdue)
    return len(overdue)


async def _orphans() -> int:
    """Deletes old objects without record, on the next stretch of the bucket; how many. One read for each old one."""
    sweep = await sweeps.get("objects")
    found = await objects.after("".join(sweep.after), OBJECTS_AT_ONCE)
    old = now() - ORPHANED_AFTER
    ours = {one.name: asset_id for one in found if one.created_at < old and (asset_id := asset_id_in(one.name))}
    known = await assets.summaries(list(ours.values()))
    orphans = [one for one in found if one.name in ours and ours[one.name] not in known]
    await _side_by_side(_delete, orphans)
    await sweeps.put(sweep, [found[-1].name] if len(found) == OBJECTS_AT_ONCE else [])
    return len(orphans)


async def _delete(orphan: ObjectListed) -> None:
    await objects.delete(orphan.name, orphan.generation)
    _log.warning("orphan_deleted", object=orphan.name, generation=orphan.generation)


async def _side_by_side(work: Callable[[T], Awaitable[bool | None]], items: Sequence[T]) -> list[bool]:
    gate = asyncio.Semaphore(CONCURRENCY)

    async def one(item: T) -> bool:
        async with gate:
            return bool(await work(item))

    return list(await asyncio.gather(*map(one, items)))
