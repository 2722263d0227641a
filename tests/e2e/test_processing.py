"""Documents and recordings of many kinds; budgets, twins, reprocessing."""

from typing import Any

import httpx
import pytest

from shared.cloud import documentai
from shared.store import assets, objects
from tests import loopback, material
from tests.conftest import Cloud
from tests.e2e.accuracy import word_errors
from tests.e2e.journey import assets_of, described, ended, new_session, read_again, rows, send, start, take
from tests.emulators.waiting import until
from tests.functions.http.walking import made
from tests.queues import paused

TEXT = "Twelve stations were visited between April and May."
WORD_ERRORS = 0.3
"""Of clear speech in any encoding."""


@pytest.mark.parametrize("kind", ["png", "jpeg", "tiff", "webp", "gif", "bmp"])
async def test_a_picture_of_each_kind_is_read(http: httpx.AsyncClient, kind: str) -> None:
    name = f"page.{kind}"

    status = await take(http, {name: material.picture(kind, TEXT)}, **{name: f"image/{kind}"})

    assert TEXT in (await assets_of(http, status["session_id"]))[name]["text"]


async def test_recordings_of_each_kind_are_transcribed(http: httpx.AsyncClient) -> None:
    types = {
        "wav": "audio/wav", "mp3": "audio/mpeg", "m4a": "audio/mp4", "webm": "audio/webm", "ogg": "audio/ogg"
    }  # fmt: skip
    folder = {f"reading.{kind}": material.speech(kind) for kind in types}

    status = await take(http, folder, **{f"reading.{kind}": name for kind, name in types.items()})

    assert status["errors"] == []
    found = await assets_of(http, status["session_id"])
    for path in folder:
        assert word_errors(material.expected("austen-reading"), found[path]["text"]) < WORD_ERRORS, path
        assert 26 < found[path]["duration_seconds"] < 29


async def test_blank_pages_are_flagged(http: httpx.AsyncClient) -> None:
    status = await take(http, {"blank.png": material.blank_page(), "half.pdf": material.pdf([TEXT, ""])})

    found = await assets_of(http, status["session_id"])
    assert (found["blank.png"]["state"], found["blank.png"]["flags"]) == ("processed", ["blank"])
    assert (found["half.pdf"]["state"], found["half.pdf"]["flags"]) == ("processed", ["blank_pages"])


async def test_a_budget_that_is_used_up_stops_recognition_until_there_is_more(http: httpx.AsyncClient) -> None:
    session = await new_session(http, limits={"monthly_pages": 1})
    two = material.pdf(["One.", "Two."])
    job = await start(http, session["id"], [described("two.pdf", two)])
    (await send(job["files"][0]["upload"], two)).raise_for_status()
    status = await ended(http, session["id"])
    assert [error["code"] for error in status["errors"]] == ["budget_exhausted"]
    asset_id = job["files"][0]["asset_id"]
    await http.patch(f"/api/projects/{session['project_id']}", json={"limits": {"monthly_pages": 10}})

    async def recognised() -> bool:
        # The old limit may be known to an instance for 30 s.
        asset = (await http.get(f"/api/documents/{asset_id}")).json()
        if asset["state"] == "failed":
            (await http.post(f"/api/documents/{asset_id}/reprocess")).raise_for_status()
        return bool(asset["state"] == "processed")

    await until(recognised, 60)
    await _counted(http, session, files_processed=1, files_failed=0)
    assert (await http.get(f"/api/uploads/status/{session['id']}")).json()["errors"] == []
    totals = (await http.get("/api/sessions/stats", params={"project_id": session["project_id"]})).json()
    assert (totals["files_processed"], totals["files_failed"]) == (1, 0)


async def _counted(http: httpx.AsyncClient, session: dict[str, Any], **stats: int) -> None:
    """Returns when the session, which stays completed, shows these statistics."""

    async def shown() -> bool:
        found = (await http.get(f"/api/sessions/{session['id']}")).raise_for_status().json()
        assert (found["status"], found["stats"]["percent"]) == ("completed", 100)
        return {name: found["stats"][name] for name in stats} == stats

    await until(shown, every=0.1)


async def test_an_ended_session_is_counted_until_what_is_read_again_is_at_its_end(
    cloud: Cloud, http: httpx.AsyncClient
) -> None:
    status = await take(http, {"long.pdf": material.numbered_pdf(16), "short.png": material.picture("png", TEXT)})
    session = (await http.get(f"/api/sessions/{status['session_id']}")).json()
    before = (await assets_of(http, session["id"]))["long.pdf"]

    with paused(cloud.ports, "operations"):
        (await http.post(f"/api/documents/{before['id']}/reprocess")).raise_for_status()
        await _counted(http, session, files_total=2, files_processed=1)
    await _counted(http, session, files_total=2, files_processed=2)

    assert (await http.get(f"/api/sessions/{session['id']}")).json()["finished_at"] == session["finished_at"]


async def test_the_same_bytes_are_recognised_once_where_the_project_says_so(http: httpx.AsyncClient) -> None:
    session = await new_session(http, recognise_once=True)
    page = material.picture("png", TEXT)
    first = await start(http, session["id"], [described("one.png", page)])
    (await send(first["files"][0]["upload"], page)).raise_for_status()
    await ended(http, session["id"])
    body = {"project_id": session["project_id"], "name": "again"}
    second = (await http.post("/api/sessions", json=body)).json()
    job = await start(http, second["id"], [described("other.png", page)])
    (await send(job["files"][0]["upload"], page)).raise_for_status()
    await ended(http, second["id"])

    one = (await assets_of(http, session["id"]))["one.png"]
    other = (await assets_of(http, second["id"]))["other.png"]

    assert other["twin_of"] == one["id"]
    assert (other["text"], other["confidence"]) == (one["text"], one["confidence"])
    assert other["processed_at"] > one["processed_at"]
    assert [record.spent for record in (await assets.existing([one["id"], other["id"]])).values()] == [1, 0]
    result = (await http.get(f"/api/documents/{other['id']}/result")).json()
    async with loopback.client() as anyone:
        assert (await anyone.get(result["url"])).status_code == 200
    for before in (one, other):
        (await http.post(f"/api/documents/{before['id']}/reprocess")).raise_for_status()
        assert (await read_again(http, before))["twin_of"] is None


async def test_what_shares_a_result_is_nobodys_twin(http: httpx.AsyncClient) -> None:
    project = await made(http, "/api/projects", name="Archive", recognise_once=True)
    page = material.picture("png", TEXT)
    first, second, third = [f"{number}.png" for number in range(3)]
    found: dict[str, dict[str, Any]] = {}
    for path in (first, second, third):
        session = await made(http, "/api/sessions", project_id=project["id"], name=path)
        job = await start(http, session["id"], [described(path, page)])
        (await send(job["files"][0]["upload"], page)).raise_for_status()
        await ended(http, session["id"])
        found |= await assets_of(http, session["id"])
        if path == second:
            (await http.delete(f"/api/documents/{found[first]['id']}")).raise_for_status()

    assert [found[path]["twin_of"] for path in (first, second, third)] == [None, found[first]["id"], None]


async def test_a_document_is_reprocessed_on_request_and_only_when_it_is_settled(http: httpx.AsyncClient) -> None:
    status = await take(http, {"page.png": material.picture("png", TEXT)})
    before = (await assets_of(http, status["session_id"]))["page.png"]

    answer = await http.post(f"/api/documents/{before['id']}/reprocess")

    assert answer.status_code == 200
    assert answer.json()["state"] == "uploaded"
    await read_again(http, before)


async def test_labels_of_a_text_that_was_read_again_since_are_said_to_be_outdated(http: httpx.AsyncClient) -> None:
    status = await take(http, {"page.png": material.picture("png", TEXT)})
    before = (await assets_of(http, status["session_id"]))["page.png"]
    field = {"name": "entities", "type": "span", "labels": [{"name": "Number"}]}
    (await http.put(f"/api/labels/{before['project_id']}", json={"fields": [field]})).raise_for_status()
    said = {"field": "entities", "type": "span", "labels": ["Number"], "start": 0, "end": 6}
    path = f"/api/documents/{before['id']}/labels"
    put = await http.put(path, json={"annotations": [said]})
    assert put.raise_for_status().json()["outdated"] is False

    (await http.post(f"/api/documents/{before['id']}/reprocess")).raise_for_status()
    await read_again(http, before)

    assert (await http.get(path)).json()["outdated"] is True
    (row,) = await rows(http, before["project_id"])
    assert (row["id"], row["annotations_outdated"]) == (before["id"], True)


async def test_what_another_operation_read_of_the_same_file_is_not_taken_in(http: httpx.AsyncClient) -> None:
    status = await take(http, {"long.pdf": material.numbered_pdf(16)})
    before = (await assets_of(http, status["session_id"]))["long.pdf"]
    record = await assets.get(before["id"])
    assert record is not None
    # Begun by an instance that died before it could record the name.
    source, output = objects.uri(record.object_name), objects.uri(record.batch_prefix)
    operation = await documentai.begin(source, record.content_type, [], output)

    async def written() -> bool:
        return await documentai.outcome(operation) is not None

    await until(written, 60, every=0.1)
    (await http.post(f"/api/documents/{before['id']}/reprocess")).raise_for_status()
    after = await read_again(http, before)

    async def swept() -> bool:
        return await objects.names_below(record.batch_prefix) == []

    assert (after["pages"], after["text"]) == (16, before["text"])
    await until(swept, every=0.1)


async def test_an_operation_that_its_engine_breaks_off_is_begun_again(cloud: Cloud, http: httpx.AsyncClient) -> None:
    faults = {"documentai_control": "BatchedDocument", "speech_control": "BatchedFile"}
    for part, step in faults.items():
        fault = {"method": step, "code": "INTERNAL", "times": 2}
        (await http.post(f"{cloud.ports.url(part)}/_alta/faults", json=fault)).raise_for_status()

    status = await take(http, {"long.pdf": material.numbered_pdf(16), "long.ogg": material.speech_of(65)})

    assert (status["status"], status["errors"]) == ("completed", [])
    found = await assets_of(http, status["session_id"])
    assert {path: asset["state"] for path, asset in found.items()} == dict.fromkeys(found, "processed")
    for part, step in faults.items():
        counted = (await http.get(f"{cloud.ports.url(part)}/_alta/counters")).json()
        assert counted["faults"][step] >= 2
