"""The main job in bad weather: functions killed in the middle, every function in a process of its own, many files."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from emulators.cloud import LocalCloud
from emulators.parts import isolated_name
from emulators.ports import Ports
from emulators.state import State
from tests import loopback, material
from tests.conftest import Cloud
from tests.e2e.journey import assets_of, described, ended, new_session, send, start, take
from tests.own_cloud import admin, all_run, running

SESSION_WRITES = 60
"""Writes of the session record that a session of 2,000 small files may cost."""


@pytest.mark.crowd
async def test_a_session_of_2000_files_is_written_fewer_than_60_times(cloud: Cloud, http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    manifest = [described(f"{number:04}.txt", b"small") for number in range(2000)]
    pages = [
        {"session_id": session["id"], "files": manifest[:1000], "expect_more": True},
        {"session_id": session["id"], "files": manifest[1000:]},
    ]
    jobs = [(await http.post("/api/uploads/start", json=page)).raise_for_status().json() for page in pages]

    await _send_all([file["upload"] for job in jobs for file in job["files"]])
    status = await ended(http, session["id"], limit=200)

    assert status["stats"]["files_processed"] == 2000
    writes = _session_writes(cloud, session["id"])
    print(f"\n2,000 files: the session record was written {writes} times")
    assert 0 < writes < SESSION_WRITES


async def _send_all(uploads: list[dict[str, Any]]) -> None:
    async with loopback.client() as storage:
        gate = asyncio.Semaphore(16)

        async def one(upload: dict[str, Any]) -> None:
            async with gate:
                answer = await storage.put(upload["url"], headers=upload["headers"], content=b"small")
                answer.raise_for_status()

        await asyncio.gather(*map(one, uploads))


def _session_writes(cloud: Cloud, session_id: str) -> int:
    """How often a tick wrote the session, and twice for opening and closing its manifest."""
    lines = cloud.state.log("functions").read_text().splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{") and session_id in line]
    return 2 + len([line for line in logged if line["message"] == "session_counted"])


@pytest.fixture
async def isolated(tmp_path_factory: pytest.TempPathFactory, cloud: Cloud) -> AsyncIterator[LocalCloud]:
    """A second local cloud, with every function in the process of its own, as deployed."""
    own = LocalCloud(Ports.free(), State(tmp_path_factory.mktemp("isolated")), isolated=True)
    async with running(own):
        await all_run(own)
        yield own


@pytest.mark.timeout(600)  # 31 functions start, each in a process of its own, and leases of those killed run out
async def test_no_file_is_lost_when_functions_are_killed_in_the_middle(isolated: LocalCloud) -> None:
    folder = {f"{number}.png": material.picture("png", f"Letter number {number}.") for number in range(12)}
    folder |= {f"{number}.csv": b"a,b\n" for number in range(12)}
    async with admin(isolated) as http:
        await take(http, {"warm.csv": b"1", "warm.png": material.picture("png", "Warm.")})  # all that is killed runs
        session = await new_session(http)
        job = await start(http, session["id"], [described(path, content) for path, content in folder.items()])

        for number, file in enumerate(job["files"]):
            (await send(file["upload"], folder[file["path"]])).raise_for_status()
            if number % 6 == 5:
                for function in ("ocr", "receive", "progress"):
                    await asyncio.to_thread(isolated.kill, isolated_name(function))
        status = await ended(http, session["id"], limit=400)

        assets = await assets_of(http, session["id"])
    stats = status["stats"]
    assert (stats["files_processed"], stats["files_failed"]) == (24, 0), status["errors"]
    assert {asset["state"] for asset in assets.values()} == {"processed"}
    assert all(f"number {path.removesuffix('.png')}" in asset["text"] for path, asset in assets.items())
