"""Budgets: how many pages and minutes a project and its company may have recognised in a month (UTC).

Checked before the engine is asked, against the sum of what the assets say was spent this month: no counter that every
file would write. Where there is a budget an asset says so before the engine is asked, so that what is under way counts;
elsewhere with its result. The sum is kept for some seconds with what this instance added, so many instances at once may
go over by what they begin in that time.
"""

import asyncio
import math
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from time import monotonic

from cachetools import TTLCache

from shared.models.assets import Fault, Kind
from shared.models.limits import Limits
from shared.models.recognition import Unprocessable
from shared.models.records import now
from shared.services import policies, spending
from shared.services.intake import Claim
from shared.store import assets

COUNTED_SECONDS = 10.0
"""How long a sum is believed that leaves enough."""
REFUSED_SECONDS = 1.0
"""How long one is believed that does not: a refusal is for good, and what was at stake may have come back."""


@dataclass
class _Account:
    """What is spent of one budget this month, in pages or seconds, as this instance knows it."""

    scope: str
    owner: str
    kind: Kind
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever looks at it and takes from it does so alone."""
    _spent: float = 0.0
    _counted_at: float = -math.inf

    async def has(self, amount: float, limit: float) -> bool:
        """Whether so much is left below the limit."""
        for seconds in (COUNTED_SECONDS, REFUSED_SECONDS):
            if await self._known(seconds) + amount <= limit:
                return True
        return False

    async def _known(self, seconds: float) -> float:
        if monotonic() > self._counted_at + seconds:
            since = spending.month(now())
            self._spent = await assets.spent_since(since, (self.scope, self.owner), self.kind)
            self._counted_at = monotonic()
        return self._spent

    def take(self, amount: float) -> None:
        """Adds what an asset now says it spends."""
        self._spent += amount


_accounts: TTLCache[tuple[str, str, Kind], _Account] = TTLCache(maxsize=10_000, ttl=3600)


async def spend(claim: Claim, amount: float) -> None:
    """Takes pages (of a document) or seconds (of a recording) from the budgets of the project and the company.

    One write where there is a budget. Raises Unprocessable when one of them does not have so much left; then nothing is
    taken.
    """
    asset = claim.asset
    policy = await policies.policy(asset)
    scopes = (("project_id", asset.project_id, policy.project), ("company_id", asset.company_id, policy.company))
    accounts = []
    async with AsyncExitStack() as turns:
        for name, owner, limits in scopes:
            limit = _limit(limits, asset.kind)
            if limit is None:
                continue
            account = _accounts.setdefault((name, owner, asset.kind), _Account(name, owner, asset.kind))
            await turns.enter_async_context(account.turn)
            if not await account.has(amount, limit):
                raise Unprocessable(Fault.BUDGET_EXHAUSTED, _exhausted(name, limits, asset.kind))
            accounts.append(account)
        if accounts:
            await claim.write(spending.asked(claim.asset, amount))
        for account in accounts:
            account.take(amount)


def _limit(limits: Limits, kind: Kind) -> float | None:
    if kind is Kind.DOCUMENT:
        return limits.monthly_pages
    return None if limits.monthly_minutes is None else limits.monthly_minutes * 60.0


def _exhausted(name: str, limits: Limits, kind: Kind) -> str:
    whose = name.removesuffix("_id")
    amount = f"{limits.monthly_pages} pages" if kind is Kind.DOCUMENT else f"{limits.monthly_minutes} minutes"
    return f"The {whose} has used up its {amount} of this month. Reprocess the {kind} when there is budget again."
