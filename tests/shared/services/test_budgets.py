"""Budgets of a month: pages and minutes, of a project and of its company."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.models.assets import Asset, Fault, Kind
from shared.models.limits import Limits
from shared.models.recognition import Unprocessable
from shared.models.records import new_id, now
from shared.services import budgets
from shared.store import assets, companies, firestore, projects
from tests.access.world import things
from tests.conftest import Cloud
from tests.people import found_company

LIMITS = Limits(monthly_pages=10, monthly_minutes=2)
SPENT: dict[Kind, dict[str, Any]] = {Kind.DOCUMENT: {"pages": 8}, Kind.VOICE: {"duration_seconds": 90.0}}
"""What one asset of this month took; two pages, or half a minute, are left."""
LEFT = {Kind.DOCUMENT: 2.0, Kind.VOICE: 30.0}


async def _recognised(kind: Kind, owner: str) -> Asset:
    """An asset that is about to be recognised, with a budget on its project or company of which much is spent."""
    company = await found_company()
    target = await things(company, {})
    limited = {"limits": LIMITS.model_dump()}
    change = projects.change(target.project, limited) if owner == "project" else companies.change(company, limited)
    asset = target.document if kind is Kind.DOCUMENT else target.voice
    before = {"processed_at": now() - timedelta(days=40), **dict.fromkeys(SPENT[kind], 1000)}
    spent = [
        asset.model_copy(update={"id": new_id("ast"), **fields})
        for fields in ({"processed_at": now(), **SPENT[kind]}, before)
    ]
    # The versions of what was made are not known here, and nobody else writes it.
    await firestore.commit(replace(change, version=None), *map(assets.create, spent))
    return asset


@pytest.mark.parametrize("owner", ["project", "company"])
@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.VOICE])
async def test_what_was_recognised_this_month_is_taken_from_the_budget(cloud: Cloud, kind: Kind, owner: str) -> None:
    asset = await _recognised(kind, owner)
    with pytest.raises(Unprocessable, match=f"The {owner} has used up") as refused:
        await budgets.spend(asset, LEFT[kind] + 1)
    assert refused.value.fault is Fault.BUDGET_EXHAUSTED
    await budgets.spend(asset, LEFT[kind])
    with pytest.raises(Unprocessable):
        await budgets.spend(asset, 1)
