"""A part of the platform is away for a while: a clear answer then, the same as ever after, nothing half done."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State
from tests.e2e.journey import described, new_session
from tests.emulators.waiting import until
from tests.own_cloud import admin, frozen, running

AT_ONCE = 20
FILES = 50


@pytest.fixture(scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    """A local cloud of which parts may be stopped."""
    cloud = LocalCloud(Ports.free(), State(tmp_path_factory.mktemp("away")))
    async with running(cloud):
        yield cloud


@pytest.fixture
async def http(own: LocalCloud) -> AsyncIterator[httpx.AsyncClient]:
    async with admin(own) as client:
        yield client


def _is_clear(answer: httpx.Response) -> bool:
    return answer.status_code == 503 and answer.json()["error"]["code"] == "unavailable"


async def test_without_the_database_every_request_says_so_and_a_retry_makes_each_record_once(
    own: LocalCloud, http: httpx.AsyncClient
) -> None:
    async def make(number: int) -> httpx.Response:
        headers = {"Idempotency-Key": f"away-{number}"}
        return await http.post("/api/projects", json={"name": f"Away {number}"}, headers=headers)

    with frozen(own, "firestore"):
        away = await asyncio.gather(*map(make, range(AT_ONCE)))
    assert [answer.text for answer in away if not _is_clear(answer)] == []
    assert all("retry-after" in answer.headers for answer in away)

    async def all_made() -> bool:
        return {answer.status_code for answer in await asyncio.gather(*map(make, range(AT_ONCE)))} == {201}

    await until(all_made, 60, every=1)
    listed = (
        await http.get("/api/projects", params={"name_prefix": "Away", "page_size": 100, "order_by": "name"})
    ).json()
    assert sorted(project["name"] for project in listed["items"]) == sorted(f"Away {n}" for n in range(AT_ONCE))


async def test_an_upload_that_meets_a_restart_of_the_queues_is_announced_once(
    own: LocalCloud, http: httpx.AsyncClient
) -> None:
    session = await new_session(http)
    manifest = [described(f"{number}.csv", b"n") for number in range(FILES)]
    body = {"session_id": session["id"], "files": manifest}
    answers: list[httpx.Response] = []

    async def announced() -> bool:
        answers.append(await http.post("/api/uploads/start", json=body))
        return answers[-1].status_code == 201

    own.kill("tasks")
    await until(announced, 60, every=0.2)

    assert [answer.text for answer in answers[:-1] if not _is_clear(answer)] == []
    listed: list[dict[str, Any]] = (
        await http.get("/api/files", params={"session_id": session["id"], "page_size": 100})
    ).json()["items"]
    assert len({file["path"] for file in listed}) == len(listed) == FILES


@pytest.mark.parametrize("part", ["storage", "firestore"])
async def test_readiness_names_what_is_away_until_it_is_back(
    own: LocalCloud, http: httpx.AsyncClient, part: str
) -> None:
    async def ready() -> bool:
        return (await http.get("/health/ready")).status_code == 200

    async def named() -> bool:
        found = (await http.get("/health/ready")).json()
        return [one["name"] for one in found["dependencies"] if not one["up"]] == [part]

    await until(ready, 60, every=0.2)
    with frozen(own, part):
        await until(named, 30, every=0.2)
    await until(ready, 60, every=0.2)
