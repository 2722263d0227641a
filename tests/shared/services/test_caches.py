"""What an instance keeps in memory: under its tenant, for a while at the most, and with its hit rate in the log."""

import importlib
import json
import pkgutil
from typing import Any

import pytest
from cachetools import TTLCache

import shared
from shared.errors import NotFound
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id
from shared.models.webhooks import Event
from shared.services import access, policies, webhooks
from shared.services.access import CACHED_SECONDS
from shared.store import assets
from tests.access.world import things
from tests.conftest import Cloud
from tests.emulators.waiting import until
from tests.people import Person, found_company, join

BY_TENANT = {
    "shared.services.access._seen",
    "shared.services.policies._policies",
    "shared.services.webhooks._of_project",
}
"""Caches of what somebody sees or has decided: the tenant comes first in the key."""
BY_ITS_OWN_ID = {
    "shared.services.callers._known": "the user whom the token names",
    "shared.services.access._suspended": "the company itself",
    "shared.services.budgets._accounts": "the company or project itself, by the field that names which",
    "shared.services.rollups._told": "the project itself; only that it was asked for",
}
"""Caches of one record, by the id that no other tenant's record has."""
OF_NOBODY = {
    "shared.cloud.identity._verified": "the token itself",
    "shared.services.rate_limits._full": "the counter, of one account or address; only that it is full",
    "shared.services.health._latest": "the platform",
}


def _caches() -> dict[str, TTLCache[Any, Any]]:
    """Every cache of every module, by name."""
    found = {}
    for module in pkgutil.walk_packages(shared.__path__, "shared."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, TTLCache):
                found[f"{module.name}.{name}"] = value
    return found


def test_every_cache_says_what_it_is_kept_by_and_forgets_in_time() -> None:
    caches = _caches()
    assert caches.keys() == BY_TENANT | BY_ITS_OWN_ID.keys() | OF_NOBODY.keys()
    rights = [caches[name].ttl for name in (*BY_TENANT, *BY_ITS_OWN_ID) if ".callers." in name or ".access." in name]
    assert rights == [CACHED_SECONDS] * 3


def _caller(person: Person) -> Caller:
    user = person.user
    return Caller(user_id=user.id, company_id=user.company_id, role=user.role, email=user.email, name=user.name)


async def test_what_one_tenant_was_shown_never_answers_another(cloud: Cloud) -> None:
    company = await found_company("Ours")
    target = await things(company, {})
    admin, stranger = [_caller(await join(cloud, one)) for one in (company, await found_company("Theirs"))]
    await access.project(admin, target.project.id, Permission.READ)
    for _ in range(2):
        with pytest.raises(NotFound):
            await access.project(stranger, target.project.id, Permission.READ)
        await access.project(admin, target.project.id, Permission.READ)
    guest = admin.model_copy(update={"company_id": None, "user_id": new_id("usr"), "role": "user"})
    with pytest.raises(NotFound):
        await access.project(guest, target.project.id, Permission.READ)

    asset = await assets.get(target.document.id)
    assert asset is not None
    await policies.policy(asset)
    await webhooks.messages(asset.project_id, Event.ASSET_PROCESSED, asset, {})

    tenants = {admin.company_id, stranger.company_id, guest.user_id}
    mine = {key[0] for key in access._seen if key[-1] == target.project.id}
    assert mine == tenants
    for cache in (policies._policies, webhooks._of_project):
        assert {key[0] for key in cache if key[-1] == asset.project_id} == {company.id}


async def test_hits_and_misses_are_in_the_access_log(cloud: Cloud) -> None:
    company = await found_company()
    target = await things(company, {})
    admin = await join(cloud, company)
    told = []
    for _ in range(2):
        request_id = new_id("req")
        answer = await admin.http.get(
            "/api/cycles", params={"project_id": target.project.id}, headers={"X-Request-ID": request_id}
        )
        answer.raise_for_status()
        line = await _access_line(cloud, request_id)
        told.append((line["caller_cache"], line["project_cache"]))
    assert told == [("miss", "miss"), ("hit", "hit")]


async def _access_line(cloud: Cloud, request_id: str) -> dict[str, Any]:
    """The line of a request, which is written once it is answered."""
    found: list[str] = []

    async def logged() -> bool:
        lines = cloud.state.log("functions").read_text().splitlines(keepends=True)
        found[:] = [one for one in lines if request_id in one and '"request"' in one and one.endswith("\n")]
        return bool(found)

    await until(logged, 10)
    line: dict[str, Any] = json.loads(found[0])
    return line
