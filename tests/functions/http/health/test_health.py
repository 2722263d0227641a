"""Whether the platform says how it is."""

import asyncio

import httpx
import pytest

from emulators.ports import HOST
from shared.models.health import Part
from shared.services import health
from shared.version import VERSION
from tests.conftest import Cloud


async def test_a_function_that_runs_says_so_with_its_version(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive", "version": VERSION, "revision": None})


async def test_each_dependency_is_named_with_its_state_and_latency(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/ready")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    assert [one["name"] for one in answer.json()["dependencies"]] == list(Part)
    assert all(one["up"] and one["latency_ms"] >= 0 for one in answer.json()["dependencies"])


async def test_one_dependency_that_is_away_makes_it_unready(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = await asyncio.start_server(lambda *_: None, HOST, 0)
    port = closed.sockets[0].getsockname()[1]
    closed.close()
    monkeypatch.setenv("SPEECH_EMULATOR_HOST", f"{HOST}:{port}")
    monkeypatch.setattr(health, "LIMIT", 1.0)
    health._latest.clear()
    found, needed = await health.readiness(), await health.readiness([Part.STORAGE, Part.FIRESTORE])
    health._latest.clear()
    assert (found.ready, [one.name for one in found.dependencies if not one.up]) == (False, ["speech"])
    assert (needed.ready, [one.name for one in needed.dependencies]) == (True, ["firestore", "storage"])


async def test_what_is_asked_about_is_chosen(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/ready", params={"only": ["storage", "firestore"]})
    assert (answer.status_code, [one["name"] for one in answer.json()["dependencies"]]) == (
        200,
        ["firestore", "storage"],
    )
    assert (await http.get("/health/ready", params={"only": "weather"})).status_code == 422
