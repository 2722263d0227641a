"""Budgets: how many pages and minutes a project and its company may have recognised in a month (UTC).

Checked before the engine is asked, against the sum over what was recognised this month: no counter that every file
would write. The sum is kept for some seconds with what this instance added, so many instances at once may go over by
what they do in that time.
"""

from dataclasses import dataclass
from datetime import datetime

from cachetools import TTLCache

from shared.models.assets import AssetSummary, Fault, Kind
from shared.models.limits import Limits
from shared.models.recognition import Unprocessable
from shared.models.records import now
from shared.services import policies
from shared.store import assets

COUNTED_SECONDS = 10
"""How long a sum is believed."""


@dataclass
class _Spent:
    """Pages, or seconds, recognised this month."""

    amount: float


_spent: TTLCache[tuple[str, str, Kind], _Spent] = TTLCache(maxsize=10_000, ttl=COUNTED_SECONDS)


async def spend(asset: AssetSummary, amount: float) -> None:
    """Takes pages (of a document) or seconds (of a recording) from the budgets of the project and the company.

    Raises Unprocessable when one of them does not have so much left; then nothing is taken.
    """
    policy = await policies.policy(asset)
    if not policy.limited:
        return
    scopes = (("project_id", asset.project_id, policy.project), ("company_id", asset.company_id, policy.company))
    accounts = []
    for field, owner, limits in scopes:
        limit = _limit(limits, asset.kind)
        if limit is None:
            continue
        account = await _account(field, owner, asset.kind)
        if account.amount + amount > limit:
            raise Unprocessable(Fault.BUDGET_EXHAUSTED, _exhausted(field, limits, asset.kind))
        accounts.append(account)
    for account in accounts:
        account.amount += amount


def _limit(limits: Limits, kind: Kind) -> float | None:
    if kind is Kind.DOCUMENT:
        return limits.monthly_pages
    return None if limits.monthly_minutes is None else limits.monthly_minutes * 60.0


async def _account(field: str, owner: str, kind: Kind) -> _Spent:
    key = (field, owner, kind)
    if key not in _spent:
        measure = "pages" if kind is Kind.DOCUMENT else "duration_seconds"
        _spent[key] = _Spent(await assets.recognised_since(_month(now()), (field, owner), kind, measure))
    return _spent[key]


def _month(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _exhausted(field: str, limits: Limits, kind: Kind) -> str:
    whose = field.removesuffix("_id")
    amount = f"{limits.monthly_pages} pages" if kind is Kind.DOCUMENT else f"{limits.monthly_minutes} minutes"
    return f"The {whose} has used up its {amount} of this month. Reprocess the {kind} when there is budget again."
