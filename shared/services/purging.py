"""Begins, every night, to erase what was deleted longer ago than it can be restored.

It may run twice at once and be killed at any moment: what it has begun goes on by itself, and what it has not the next
night begins. Permanent: nothing. Whatever fails is raised, and the clock comes again.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from shared import logs
from shared.models.records import Record, now
from shared.services import erasures
from shared.services.belongings import DELETABLE, FAMILIES, Family
from shared.settings import settings
from shared.store import erasures as stored

LONGEST = 600.0
"""Seconds after which a night begins no more; the next goes on."""
IDLE = timedelta(hours=1)
"""An erasure in which nothing moved for so long has lost its task."""
PAGE = 200


async def run() -> None:
    """One night; the log says what was begun, and what had stopped and goes on."""
    until = monotonic() + LONGEST
    resumed = await _resume(until)
    begun = Counter({name: await _begin(FAMILIES[name], expired_before(), until) for name in DELETABLE})
    logs.logger(__name__).info("purged", resumed=resumed, **+begun)


def expired_before() -> datetime:
    """What was deleted before this moment goes.

    Nothing goes in the month of its deletion, whatever the setting says: budgets are counted over a month, and what
    was recognised in it was paid for.
    """
    moment = now()
    month = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return min(moment - timedelta(days=settings().retention_days), month)


async def _resume(until: float) -> int:
    """Has erasures that stand still go on; how many."""
    count, after = 0, None
    while monotonic() < until:
        page = await stored.open_since(now() - IDLE, PAGE, after)
        for one in page:
            await erasures.go_on(one)
        count += len(page)
        if len(page) < PAGE:
            break
        after = (page[-1].updated_at, page[-1].id)
    return count


async def _begin(family: Family, before: datetime, until: float) -> int:
    """Begins to erase the expired records of a collection, as many as the time allows; how many."""
    count = 0
    while monotonic() < until:
        page = await stored.deleted_before(family.model, family.collection, before, erasures.ROOTS, *family.alone)
        for some in _together(family, page):
            count += await erasures.begin(family, some)
        if len(page) < erasures.ROOTS:
            break
    return count


def _together(family: Family, records: Sequence[Record]) -> list[list[Any]]:
    """The records that go in one erasure: of one company; what owns much goes alone."""
    groups: dict[Any, list[Any]] = defaultdict(list)
    for one in records:
        groups[one.id if family.is_large else getattr(one, "company_id", None)].append(one)
    return list(groups.values())
