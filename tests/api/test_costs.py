"""What requests read and write in Firestore: counted on the wire, so always the same."""

from collections.abc import AsyncIterator, Mapping

import pytest

from shared.models.identity import Role
from shared.models.records import new_id
from shared.store import firestore, sessions
from tests.access.world import Who, World, world
from tests.bench.requests import Cost, Instance, costs, instance, table, warm
from tests.conftest import Cloud
from tests.people import join

LISTED = 20
GETS = {
    f"GET /api/{one}"
    for one in (
        "companies/{company_id}", "users/{user_id}", "projects/{project_id}", "cycles/{cycle_id}",
        "sessions/{session_id}", "uploads/status/{job_id}", "documents/{asset_id}", "voice/{asset_id}",
        "files/{asset_id}", "documents/{asset_id}/text", "review/{document_id}", "labels/{project_id}",
        "exports/{export_id}", "webhooks/{webhook_id}",
    )
}  # fmt: skip
"""Routes that answer with one record."""
MORE_COMMITS = {
    "POST /api/projects/{project_id}/invite": "mail is counted, by sender and by address",
    "POST /api/users": "as an invitation",
    "POST /api/uploads/start": "the session is opened before its files are written, and told of them after",
    "POST /api/uploads/{job_id}/files": "as a start",
}
"""Creations that take more than one commit, and why."""
COUNTED = ("GET /api/auth/", "GET /api/projects/invitations/{token}")
"""Reads that are counted against guessing, which is a write."""


@pytest.fixture(scope="module")
async def everybody(cloud: Cloud) -> AsyncIterator[World]:
    async with world(cloud) as made:
        yield made


@pytest.fixture(scope="module")
async def counting(cloud: Cloud) -> AsyncIterator[Instance]:
    async with instance(cloud, cloud.state.log("counted")) as made:
        yield made


@pytest.fixture(scope="module")
async def found(everybody: World, counting: Instance) -> Mapping[str, Cost]:
    measured = await costs(everybody, counting)
    print(f"\n{table(measured)}")
    return measured


async def test_one_record_costs_one_read(found: Mapping[str, Cost]) -> None:
    assert found.keys() >= GETS
    measured = {route: (found[route].status, found[route].reads, found[route].commits) for route in GETS}
    assert measured == dict.fromkeys(GETS, (200, 1, 0))


async def test_a_creation_is_one_commit(found: Mapping[str, Cost]) -> None:
    created = {route: cost for route, cost in found.items() if cost.status == 201 and route not in MORE_COMMITS}
    assert len(created) >= 6
    assert {route: cost.commits for route, cost in created.items()} == dict.fromkeys(created, 1)


async def test_a_read_writes_nothing(found: Mapping[str, Cost]) -> None:
    writing = [route for route, cost in found.items() if route.startswith("GET") and cost.commits]
    assert [route for route in writing if not route.startswith(COUNTED)] == []


async def test_somebody_new_costs_one_read_more(cloud: Cloud, everybody: World, counting: Instance) -> None:
    target = await everybody.target()
    await warm(counting.of(everybody.http[Who.PROJECT_ADMIN]), target)
    for path in (f"/api/projects/{target.project.id}", f"/api/sessions/{target.session.id}"):
        person = await join(cloud, everybody.company, Role.ADMIN)
        new = counting.of(person.http)
        assert (await counting.cost("GET", path, new)).reads == 2
        assert (await counting.cost("GET", path, new)).reads == 1


async def test_a_list_costs_what_it_shows(everybody: World, counting: Instance) -> None:
    target = await everybody.target()
    more = [target.session.model_copy(update={"id": new_id("ses")}) for _ in range(LISTED - 1)]
    await firestore.commit(*map(sessions.create, more))
    http = counting.of(everybody.http[Who.PROJECT_ADMIN])
    await warm(http, target)
    query = {"project_id": target.project.id}
    for size in (5, LISTED):
        cost = await counting.cost("GET", "/api/sessions", http, params={**query, "page_size": size})
        assert (cost.status, cost.reads) == (200, size)
    empty = await counting.cost("GET", "/api/sessions", http, params={**query, "status": "failed"})
    assert (empty.status, empty.reads) == (200, 1)


async def test_a_change_is_one_read_and_one_commit(found: Mapping[str, Cost]) -> None:
    for thing in ("projects/{project_id}", "cycles/{cycle_id}", "sessions/{session_id}"):
        for method in ("PATCH", "PUT", "DELETE"):
            cost = found[f"{method} /api/{thing}"]
            assert (cost.reads, cost.commits) == (1, 1), (method, thing)
