"""Finds what got lost: objects whose event never came to its end, sessions that nobody counts, objects without record.

Every run does a bounded part and the next one goes on, so that its cost does not grow with the platform. It may run at
any moment and twice at once: events are idempotent, ticks merge, and an object is deleted at its generation.

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
from shared.services import intake, polling, progress
from shared.store import assets, objects, sessions, sweeps

GRACE = timedelta(seconds=90)
"""How long an asset is left alone after it was written: a lease, and time to be delivered again."""
ASSETS_AT_ONCE = 1000
SESSIONS_AT_ONCE = 1000
OBJECTS_AT_ONCE = 1000
"""What one run looks at."""
ORPHANED_AFTER = timedelta(days=1)
"""Age from which an object without record is deleted: its record may be about to be written."""
CONCURRENCY = 16

_log = logs.logger(__name__)
T = TypeVar("T")


async def run() -> None:
    """One round; the log says what was found."""
    mended, counted, deleted = await _unsettled(), await _sessions(), await _orphans()
    _log.info("reconciled", assets_mended=mended, sessions_counted=counted, orphans_deleted=deleted)


async def _unsettled() -> int:
    """Has the events of assets that came, but got nowhere, delivered again; how many."""
    waiting = await assets.unsettled(now() - GRACE, ASSETS_AT_ONCE)
    return sum(await _side_by_side(_mend, waiting))


async def _mend(asset: AssetSummary) -> bool:
    intake.follow(asset)
    if asset.lease is not None and asset.lease.until > now():
        return False
    if asset.operation is not None:
        await polling.look_soon(asset)
        return True
    try:
        event = await objects.description(asset.object_name)
    except NotFound:
        return False  # it has not been uploaded yet: the session's own deadline sees to that
    await pubsub.notify(asset.kind.prefix, event.model_dump(by_alias=True))
    _log.warning("event_delivered_again", asset_id=asset.id, generation=event.generation)
    return True


async def _sessions() -> int:
    """Has every session in progress counted soon, whether its chain of ticks is alive or not; how many."""
    going = await sessions.in_progress(SESSIONS_AT_ONCE)
    await _side_by_side(progress.soon, [session.id for session in going])
    return len(going)


async def _orphans() -> int:
    """Deletes old objects that have no record, on the next stretch of the bucket; how many."""
    sweep = await sweeps.get()
    found = await objects.after(sweep.position, OBJECTS_AT_ONCE)
    ours = {one.name: asset_id for one in found if (asset_id := asset_id_in(one.name))}
    known = await assets.existing(list(ours.values()))
    old = now() - ORPHANED_AFTER
    orphans = [one for one in found if one.name in ours and ours[one.name] not in known and one.created_at < old]
    await _side_by_side(_delete, orphans)
    await sweeps.put(sweep, found[-1].name if len(found) == OBJECTS_AT_ONCE else "")
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
