"""Budgets of a month: pages and minutes, of a project and of its company."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.models.assets import Fault, Kind
from shared.models.limits import Limits
from shared.models.recognition import Unprocessable
from shared.models.records import new_id, now
from shared.services import budgets
from shared.services.intake import Claim
from shared.store import assets, companies, firestore, projects
from tests.access.world import things
from tests.conftest import Cloud
from tests.people import found_company

LIMITS = Limits(monthly_pages=10, monthly_minutes=2)
SPENT: Mapping[Kind, float] = {Kind.DOCUMENT: 8, Kind.VOICE: 90}
"""What one asset of this month took; two pages, or half a minute, are left."""
LEFT = {Kind.DOCUMENT: 2.0, Kind.VOICE: 30.0}


async def _claims(kind: Kind, owner: str, count: int = 1) -> list[Claim]:
    """Assets that are about to be recognised, with a budget on their project or company of which much is spent."""
    company = await found_company()
    target = await things(company, {})
    limited = {"limits": LIMITS.model_dump()}
    change = projects.change(target.project, limited) if owner == "project" else companies.change(company, limited)
    asset = target.document if kind is Kind.DOCUMENT else target.voice

    def like(**fields: Any) -> firestore.Write:
        return assets.create(asset.model_copy(update={"id": new_id("ast"), **fields}))

    before = like(spent_at=now() - timedelta(days=40), spent=1000.0)
    ids = [new_id("ast") for _ in range(count)]
    # The versions of what was made are not known here, and nobody else writes it.
    await firestore.commit(
        replace(change, version=None), before, like(spent_at=now(), spent=SPENT[kind]), *(like(id=one) for one in ids)
    )
    return [Claim(one) for one in (await assets.existing(ids)).values()]


@pytest.mark.parametrize("owner", ["project", "company"])
@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.VOICE])
async def test_what_was_spent_this_month_is_taken_from_the_budget(cloud: Cloud, kind: Kind, owner: str) -> None:
    (claim,) = await _claims(kind, owner)
    with pytest.raises(Unprocessable, match=f"The {owner} has used up") as refused:
        await budgets.spend(claim, LEFT[kind] + 1)
    assert refused.value.fault is Fault.BUDGET_EXHAUSTED
    await budgets.spend(claim, LEFT[kind])
    with pytest.raises(Unprocessable):
        await budgets.spend(claim, 1)


async def test_what_is_under_way_is_spent_for_other_instances_too(cloud: Cloud) -> None:
    first, second = await _claims(Kind.DOCUMENT, "company", 2)
    await budgets.spend(first, 2)
    budgets._accounts.clear()  # another instance, or this one later
    with pytest.raises(Unprocessable):
        await budgets.spend(second, 1)


async def test_of_two_that_ask_first_and_at_once_one_gets_what_is_left(cloud: Cloud) -> None:
    claims = await _claims(Kind.DOCUMENT, "project", 2)
    answers = await asyncio.gather(*(budgets.spend(claim, 2) for claim in claims), return_exceptions=True)
    assert [type(answer) for answer in answers].count(Unprocessable) == 1
