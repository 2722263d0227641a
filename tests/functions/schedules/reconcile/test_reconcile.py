"""What got lost on the way is found and mended by the clock, and told by count."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import grpc
import httpx
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.state import PROJECT, REGION
from shared.models.records import new_id, now
from tests.e2e.journey import described, ended, new_session, send, start, take
from tests.emulators.waiting import until
from tests.functions.http.walking import ids, made
from tests.functions.schedules.conftest import Alone

WHILE_AGO = (now() - timedelta(minutes=15)).isoformat()
YESTERDAY = (now() - timedelta(hours=25)).isoformat()


async def _run(alone: Alone) -> dict[str, int]:
    """One round, and what it reports."""
    log = alone.cloud.state.log("functions")
    began = log.stat().st_size
    await alone.inside.run("reconcile")
    found: list[dict[str, Any]] = []

    async def told() -> bool:
        lines = log.read_bytes()[began:].decode().splitlines()
        found[:] = [json.loads(line) for line in lines if '"message": "reconciled"' in line]
        return bool(found)

    await until(told)
    counts = ("assets_mended", "sessions_counted", "sessions_followed", "exports_resumed", "orphans_deleted")
    return {name: found[-1][name] for name in (*counts, "messages_sent")}


async def _lost(alone: Alone, files: dict[str, bytes]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A session and its job, whose files came while the bucket told nobody."""
    session = await new_session(alone.http)
    job = await start(alone.http, session["id"], [described(path, content) for path, content in files.items()])
    await alone.inside.notifications("drop", len(files))
    for file in job["files"]:
        (await send(file["upload"], files[file["path"]])).raise_for_status()
    return session, job


async def test_a_file_whose_event_was_dropped_is_taken_in(alone: Alone) -> None:
    session, job = await _lost(alone, {"a.txt": b"a", "b.txt": b"b"})
    paths = [f"assets/{file['asset_id']}" for file in job["files"]]
    states = [(await alone.http.get(f"/api/files/{file['asset_id']}")).json()["state"] for file in job["files"]]
    assert states == ["pending", "pending"]
    assert (await _run(alone))["assets_mended"] == 0  # too young: the event may be on its way
    await alone.inside.change(*paths, updated_at=WHILE_AGO)

    assert (await _run(alone))["assets_mended"] == 2

    assert (await ended(alone.http, session["id"]))["stats"]["files_processed"] == 2


async def test_a_file_is_found_behind_any_number_that_never_came(alone: Alone) -> None:
    waiting = await new_session(alone.http)
    job = await start(alone.http, waiting["id"], [described(f"{n}.txt", b"never") for n in range(1000)])
    never = [f"assets/{file['asset_id']}" for file in job["files"]]
    await alone.inside.change(*never, updated_at=YESTERDAY)
    session, lost = await _lost(alone, {"late.txt": b"late"})
    await alone.inside.change(f"assets/{lost['files'][0]['asset_id']}", updated_at=WHILE_AGO)

    mended = [(await _run(alone))["assets_mended"] for _ in range(2)]

    assert mended == [0, 1]
    assert (await ended(alone.http, session["id"]))["status"] == "completed"
    (await alone.http.post(f"/api/uploads/{waiting['id']}/cancel")).raise_for_status()


async def test_an_old_object_without_a_record_is_deleted_and_a_young_one_is_not(alone: Alone) -> None:
    await made(alone.http, "/api/projects", name="Any")
    old, young = (f"files/cmp_alta/prj_none/{new_id('ast')}" for _ in range(2))
    kept = (await take(alone.http, {"kept.txt": b"kept"}))["session_id"]
    await alone.inside.put_object(old, b"x", created=YESTERDAY)
    await alone.inside.put_object(young, b"x")

    assert (await _run(alone))["orphans_deleted"] == 1

    assert await alone.inside.objects("prj_none") == [young]
    (file,) = await ids(alone.http, "/api/files", session_id=kept)
    assert len(await alone.inside.objects(file)) == 1


async def test_a_session_in_which_nothing_moved_for_a_day_fails_and_names_what_is_missing(alone: Alone) -> None:
    session = await new_session(alone.http)
    files = {"here.txt": b"here", "missing/one.txt": b"never", "missing/two.txt": b"never"}
    job = await start(alone.http, session["id"], [described(path, content) for path, content in files.items()])
    (await send(job["files"][0]["upload"], b"here")).raise_for_status()

    async def counted() -> bool:
        status = (await alone.http.get(f"/api/uploads/status/{session['id']}")).json()
        return bool(status["stats"]["files_processed"] == 1)

    await until(counted)
    await _ticks_are_lost(alone)
    await alone.inside.change(f"sessions/{session['id']}", progressed_at=YESTERDAY, created_at=YESTERDAY)

    counted_again = []

    async def found() -> bool:
        # A tick of the second in which they were lost is refused by its name: the next round makes another.
        counted_again.append((await _run(alone))["sessions_counted"])
        return bool((await alone.http.get(f"/api/sessions/{session['id']}")).json()["status"] != "in_progress")

    await until(found, 60, every=2)
    assert counted_again[0] >= 1
    status = await ended(alone.http, session["id"])
    assert status["status"] == "failed"
    assert status["failure"]["code"] == "session_stalled"
    assert status["failure"]["path"] == "missing/one.txt, missing/two.txt"


async def _ticks_are_lost(alone: Alone) -> None:
    """No tick of any session is due any more."""

    def purge() -> None:
        with grpc.insecure_channel(alone.cloud.ports.address("tasks")) as channel:
            client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
            client.purge_queue(name=f"projects/{PROJECT}/locations/{REGION}/queues/progress")

    await asyncio.to_thread(purge)


async def _is(http: httpx.AsyncClient, path: str, **fields: Any) -> None:
    async def so() -> bool:
        found = (await http.get(path)).raise_for_status().json()
        return {name: found[name] for name in fields} == fields

    await until(so, 60)


async def test_files_follow_a_session_whose_deletion_nobody_was_told_of(alone: Alone) -> None:
    session_id = (await take(alone.http, {"a.txt": b"a"}))["session_id"]
    (file,) = await ids(alone.http, "/api/files", session_id=session_id)
    await alone.inside.change(f"sessions/{session_id}", deleted_at=WHILE_AGO, files_behind=True)

    assert (await _run(alone))["sessions_followed"] == 1

    async def hidden() -> bool:
        return (await alone.http.get(f"/api/files/{file}")).status_code == 404

    await until(hidden)
    assert (await _run(alone))["sessions_followed"] == 0


async def test_an_export_whose_step_got_lost_is_built(alone: Alone) -> None:
    project = await made(alone.http, "/api/projects", name="Export")
    export = await made(alone.http, "/api/exports", project_id=project["id"], format="jsonl")
    await _is(alone.http, f"/api/exports/{export['id']}", state="ready")
    lost = new_id("exp")
    await alone.inside.copy(
        f"exports/{export['id']}",
        f"exports/{lost}",
        state={"stringValue": "pending"},
        step={"integerValue": "0"},
        files={"arrayValue": {}},
        updated_at={"timestampValue": WHILE_AGO},
    )

    assert (await _run(alone))["exports_resumed"] == 1

    await _is(alone.http, f"/api/exports/{lost}", state="ready")
    assert (await _run(alone))["exports_resumed"] == 0
