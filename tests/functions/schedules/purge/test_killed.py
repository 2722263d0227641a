"""The purge of much, with the functions killed in the middle of it."""

import asyncio
import random
from typing import Any

import httpx

from tests import loopback
from tests.e2e.journey import described, ended, new_session, start
from tests.emulators.waiting import until
from tests.functions.schedules.conftest import Alone
from tests.functions.schedules.purge.test_purge import LONG_AGO

FILES = 900
"""More than two steps of an erasure."""
KILLS = 4


async def test_an_erasure_that_is_killed_again_and_again_ends_in_the_same_place(alone: Alone) -> None:
    http, inside = alone.http, alone.inside
    session = await new_session(http)
    job = await start(http, session["id"], [described(f"{number}.txt", b"small") for number in range(FILES)])
    await _send_all(job["files"])
    assert (await ended(http, session["id"], limit=120))["stats"]["files_processed"] == FILES
    project_id = session["project_id"]
    before = await _documents(alone, project_id)
    (await http.delete(f"/api/projects/{project_id}")).raise_for_status()
    await inside.change(f"projects/{project_id}", deleted_at=LONG_AGO)

    await inside.run("purge")
    for number in range(KILLS):
        await asyncio.sleep(random.Random(number).uniform(0.2, 0.8))
        alone.cloud.kill("functions")
        await _is_back(http)
    await inside.run("purge")

    async def gone() -> bool:
        return not await inside.objects(project_id) and not await _documents(alone, project_id)

    await until(gone, 120, every=3)
    audited = [await inside.read(path) for path in await inside.documents(project_id) if path.startswith("audit/")]
    (told,) = [_numbers(entry["after"]) for entry in audited if entry["action"] == {"stringValue": "erased"}]
    assert told["records"] == len(before)
    assert told["objects"] <= FILES  # what was removed in a step that was killed is counted by nobody


async def _send_all(files: list[dict[str, Any]]) -> None:
    gate = asyncio.Semaphore(16)
    async with loopback.client() as storage:

        async def one(upload: dict[str, Any]) -> None:
            async with gate:
                (await storage.put(upload["url"], headers=upload["headers"], content=b"small")).raise_for_status()

        await asyncio.gather(*(one(file["upload"]) for file in files))


async def _documents(alone: Alone, project_id: str) -> list[str]:
    """What speaks of the project, but for its audit log and what comes and goes by itself."""
    found = await alone.inside.documents(project_id)
    return [path for path in found if path.split("/")[0] not in ("audit", "idempotency", "rollups", "standings")]


def _numbers(value: dict[str, Any]) -> dict[str, int]:
    fields = value["mapValue"]["fields"]
    return {name: int(field["integerValue"]) for name, field in fields.items() if "integerValue" in field}


async def _is_back(http: httpx.AsyncClient) -> None:
    async def answers() -> bool:
        try:
            return (await http.get("/health")).status_code == 200
        except httpx.TransportError:
            return False

    await until(answers, 60, every=0.1)
