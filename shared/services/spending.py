"""What was paid for an asset this month (UTC), in pages of a document or seconds of a recording: fields of its record.

Every reading is paid for, so what is spent is added to what was. What an engine is asked for is at stake until it
answers: it becomes what came of it, or nothing. Of an attempt that never came back it stays: it may have been paid.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.models.assets import AssetSummary, Kind
from shared.models.records import now


def month(moment: datetime) -> datetime:
    """When the month of this moment began."""
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def asked(asset: AssetSummary, amount: float) -> dict[str, Any]:
    """The fields of an asset for which an engine is about to be asked."""
    return {**_spent(asset, amount), "at_stake": amount}


def answered(asset: AssetSummary, result: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an asset that was recognised with this result."""
    measured = result["pages"] if asset.kind is Kind.DOCUMENT else result["duration_seconds"]
    return {**_spent(asset, measured or 0.0), "at_stake": 0.0}


def given_up(asset: AssetSummary) -> dict[str, Any]:
    """The fields of an asset for which the engine was asked in vain."""
    return {**_spent(asset, 0.0), "at_stake": 0.0} if asset.at_stake else {}


def _spent(asset: AssetSummary, amount: float) -> dict[str, Any]:
    moment = now()
    is_this_month = asset.spent_at is not None and asset.spent_at >= month(moment)
    before = asset.spent - asset.at_stake if is_this_month else 0.0
    return {"spent": before + amount, "spent_at": moment}
