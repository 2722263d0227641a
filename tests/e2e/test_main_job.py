"""The main job: a folder goes up, and comes back as text."""

import asyncio
from pathlib import Path

import httpx
import pytest

from tests import loopback, material
from tests.e2e.accuracy import character_errors, word_errors
from tests.e2e.journey import assets_of, described, ended, new_session, send, start, take
from tests.emulators.waiting import until

CHARACTER_ERRORS = 0.05
"""Of clean print: at the most 5 % of the characters are wrong."""
WORD_ERRORS = 0.25
"""Of clear speech: what the offline engine gives on readings."""


async def test_the_sample_folder_comes_back_as_its_text(http: httpx.AsyncClient) -> None:
    status = await take(http, {path.name: path.read_bytes() for path in material.SAMPLES.iterdir()})

    assert status["status"] == "completed"
    assert status["stats"]["files_processed"] == status["stats"]["files_total"] == 5
    assert status["stats"]["bytes_uploaded"] == sum(path.stat().st_size for path in material.SAMPLES.iterdir())
    assets = await assets_of(http, status["session_id"])
    for name in ("letter.png", "survey-report.pdf"):
        assert character_errors(material.expected(Path(name).stem), assets[name]["text"]) < CHARACTER_ERRORS
    for name in ("austen-reading.flac", "two-readings.ogg"):
        assert word_errors(material.expected(Path(name).stem), assets[name]["text"]) < WORD_ERRORS
    assert assets["survey-report.pdf"]["pages"] == 2
    assert assets["two-readings.ogg"]["duration_seconds"] > 60


async def test_a_document_over_the_online_page_limit_is_read_the_batch_way(http: httpx.AsyncClient) -> None:
    status = await take(http, {"long.pdf": material.numbered_pdf(17)})

    long = (await assets_of(http, status["session_id"]))["long.pdf"]
    assert (long["state"], long["pages"]) == ("processed", 17)
    assert [number for number in range(1, 18) if f"Sheet {number}" not in long["text"].splitlines()] == []


async def test_the_whole_result_and_the_file_itself_are_fetched_by_signed_url(http: httpx.AsyncClient) -> None:
    page = material.picture("png", "Twelve stations were visited.")
    status = await take(http, {"Ärger 東京.png": page})
    asset = (await assets_of(http, status["session_id"]))["Ärger 東京.png"]

    content = (await http.get(f"/api/documents/{asset['id']}/content")).json()
    result = (await http.get(f"/api/documents/{asset['id']}/result")).json()

    async with loopback.client() as anyone:
        fetched = await anyone.get(content["url"])
        recognised = (await anyone.get(result["url"])).json()
    assert fetched.content == page
    assert "%E6%9D%B1%E4%BA%AC.png" in fetched.headers["Content-Disposition"]
    words = recognised["pages"][0]["words"]
    assert [word["text"].strip(".") for word in words] == ["Twelve", "stations", "were", "visited"]
    assert all(0 <= side <= 1 for word in words for side in word["box"])
    assert all(word["confidence"] > 0.5 for word in words)


async def test_a_start_is_repeatable(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    here, later = described("here.txt", b"here"), described("later.txt", b"later")
    first = await start(http, session["id"], [here, later])
    (await send(first["files"][0]["upload"], b"here")).raise_for_status()
    await _is_uploaded(http, session["id"], 1)

    second = await start(http, session["id"], [here, later])

    assert [file["asset_id"] for file in second["files"]] == [file["asset_id"] for file in first["files"]]
    assert [file["state"] for file in second["files"]] == ["already_uploaded", "pending"]
    assert second["files"][0]["upload"] is None
    (await send(second["files"][1]["upload"], b"later")).raise_for_status()
    status = await ended(http, session["id"])
    assert (status["stats"]["files_total"], status["stats"]["files_processed"]) == (2, 2)


async def _is_uploaded(http: httpx.AsyncClient, job_id: str, count: int) -> None:
    async def uploaded() -> bool:
        status = (await http.get(f"/api/uploads/status/{job_id}")).json()
        return int(status["stats"]["files_uploaded"]) >= count

    await until(uploaded, 30)


async def test_two_equal_starts_at_once_announce_each_file_once(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    manifest = [described(f"{number}.txt", b"x") for number in range(50)]

    jobs = await asyncio.gather(*(start(http, session["id"], manifest) for _ in range(4)))

    ids = {tuple(file["asset_id"] for file in job["files"]) for job in jobs}
    assert len(ids) == 1
    for file in jobs[0]["files"]:
        (await send(file["upload"], b"x")).raise_for_status()
    assert (await ended(http, session["id"]))["stats"]["files_total"] == 50


async def test_more_pages_keep_the_job_open_until_the_last(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    body = {"session_id": session["id"], "files": [described("1.txt", b"1")], "expect_more": True}
    job = (await http.post("/api/uploads/start", json=body)).raise_for_status().json()
    (await send(job["files"][0]["upload"], b"1")).raise_for_status()
    await _is_uploaded(http, session["id"], 1)
    assert (await http.get(f"/api/uploads/status/{session['id']}")).json()["status"] == "in_progress"

    more = await http.post(f"/api/uploads/{job['job_id']}/files", json={"files": [described("2.txt", b"2")]})

    (await send(more.json()["files"][0]["upload"], b"2")).raise_for_status()
    assert (await ended(http, session["id"]))["stats"]["files_processed"] == 2


async def test_a_job_that_has_ended_takes_no_more_files(http: httpx.AsyncClient) -> None:
    status = await take(http, {"a.txt": b"a"})

    answer = await http.post(
        "/api/uploads/start", json={"session_id": status["session_id"], "files": [described("b.txt", b"b")]}
    )

    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {"state": "completed"}


async def test_a_cancelled_job_settles_what_has_not_come(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    manifest = [described(f"{number}.txt", b"x") for number in range(5)]
    job = await start(http, session["id"], manifest)
    (await send(job["files"][0]["upload"], b"x")).raise_for_status()
    await _is_uploaded(http, session["id"], 1)

    answer = await http.post(f"/api/uploads/{session['id']}/cancel")

    assert answer.json()["status"] == "cancelled"

    await _is_cancelled(http, session["id"], 4)


async def _is_cancelled(http: httpx.AsyncClient, job_id: str, count: int) -> None:
    async def settled() -> bool:
        status = (await http.get(f"/api/uploads/status/{job_id}")).json()
        assert {error["code"] for error in status["errors"]} <= {"cancelled"}
        return int(status["stats"]["files_failed"]) == count

    await until(settled, 30)


async def test_bytes_that_come_after_the_cancel_do_not_stay(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    job = await start(http, session["id"], [described("late.txt", b"x")])
    (await http.post(f"/api/uploads/{session['id']}/cancel")).raise_for_status()
    await _is_cancelled(http, session["id"], 1)

    (await send(job["files"][0]["upload"], b"x")).raise_for_status()

    async def gone() -> bool:
        # The address says that the object must not be there: it works again once the object is gone.
        return (await send(job["files"][0]["upload"], b"x")).status_code == 200

    await until(gone, 30)


async def test_fresh_addresses_are_given_for_what_has_not_come(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    job = await start(http, session["id"], [described("a.txt", b"a"), described("b.txt", b"b")])
    wanted = [file["asset_id"] for file in job["files"]]

    fresh = await http.post(f"/api/uploads/{session['id']}/urls", json={"asset_ids": wanted})
    foreign = await http.post(f"/api/uploads/{session['id']}/urls", json={"asset_ids": ["ast_nobodys"]})

    assert [file["asset_id"] for file in fresh.json()["files"]] == wanted
    assert all(file["upload"]["url"] for file in fresh.json()["files"])
    assert foreign.status_code == 404


async def test_one_document_goes_up_without_a_session(http: httpx.AsyncClient) -> None:
    project = (await http.post("/api/projects", json={"name": "Single"})).json()
    page = material.picture("png", "A single document.")
    body = {"project_id": project["id"], "name": "single.png", "size": len(page), "content_type": "image/png"}

    made = (await http.post("/api/documents", json=body)).raise_for_status().json()
    (await send(made["upload"], page)).raise_for_status()

    async def read() -> bool:
        asset = (await http.get(f"/api/documents/{made['id']}")).json()
        return bool(asset["state"] == "processed" and asset["text"] == "A single document.")

    await until(read, 60)


@pytest.mark.parametrize("content_type", ["audio/wav", "text/plain", "image/svg+xml"])
async def test_a_document_of_another_type_is_refused(http: httpx.AsyncClient, content_type: str) -> None:
    project = (await http.post("/api/projects", json={"name": "Single"})).json()
    body = {"project_id": project["id"], "name": "x", "size": 1, "content_type": content_type}

    answer = await http.post("/api/documents", json=body)

    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "unsupported_content_type"
