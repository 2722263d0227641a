"""Uploads from the browser in bad weather: cut, refused, expired, reloaded; nothing is sent twice that was there."""

import asyncio
import base64
import hashlib
import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.store import signing
from shared.store.signing import Grant
from tests.clients.web.console import Console, Sent
from tests.clients.web.weather import SIZE, Weather
from tests.conftest import Cloud
from tests.people import Person

CHUNK = 8 << 20


async def test_a_large_file_goes_on_where_it_was_cut(
    console: Console, person: Person, weather: Weather, large: Path
) -> None:
    # Given a storage that cuts the first chunk after 3 MiB, is away, and then loses an answer
    weather.fault("PUT", after_bytes=3 << 20)
    weather.fault("PUT", status=503)
    weather.fault("PUT", after_bytes=2 * CHUNK)
    console.sign_in(person)

    console.upload(large)

    # Then it asks how far the storage is, goes on from there, and no byte is sent twice
    console.reads("Done: large completed", "1 sent", "41.9 MB of 41.9 MB")
    sent = console.sent()
    assert [one.method for one in sent].count("POST") == 1
    chunks = _chunks(sent)
    assert chunks[0] == (0, CHUNK)
    assert 0 < chunks[1][0] <= 3 << 20
    assert [start for start, _ in chunks[2:]] == [end for _, end in chunks[1:-1]]
    assert chunks[-1][1] == SIZE
    assert weather.md5s() == {_md5(large / "large.bin")}


async def test_a_reload_in_the_middle_goes_on_when_the_same_folder_is_chosen(
    console: Console, person: Person, weather: Weather, large: Path, tmp_path: Path
) -> None:
    # Given an upload of which the storage holds more than a chunk when the page is reloaded
    console.sign_in(person)
    console.slow(8_000_000)
    console.upload(large)
    console.until(lambda: _sent_megabytes(console) > 12)
    console.open()
    console.reads("“large” is not finished", "1 file, 41.9 MB, to Archive")
    held = weather.held(_session_uri(console))
    assert CHUNK < held < SIZE
    console.sent()
    console.slow(-1)

    # When another folder is chosen, and then the same one
    other = tmp_path / "other"
    other.mkdir()
    (other / "other.bin").write_bytes(b"other")
    console.choose(other)
    console.until(lambda: "not the files of this upload" in console.one("#notices").text)
    console.choose(large)

    # Then it goes on with the very next byte, in the same session
    console.reads("Done: large completed", "1 sent")
    sent = console.sent()
    assert [one.method for one in sent].count("POST") == 0
    chunks = _chunks(sent)
    assert chunks[0][0] == held
    assert sum(end - start for start, end in chunks) == SIZE - held
    assert weather.md5s() == {_md5(large / "large.bin")}


async def test_two_tabs_do_not_send_the_same_upload(console: Console, person: Person, large: Path) -> None:
    console.sign_in(person)
    console.slow(4_000_000)
    console.upload(large)
    console.until(lambda: _sent_megabytes(console) > 1)

    console.new_tab(person)
    console.reads("“large” is not finished")
    console.choose(large)

    console.reads("Paused: large", "Another tab is sending this upload.")


async def test_a_pause_keeps_what_is_there(console: Console, person: Person, weather: Weather, large: Path) -> None:
    console.sign_in(person)
    console.slow(8_000_000)
    console.upload(large)
    console.until(lambda: _sent_megabytes(console) > 4)
    console.press("Pause")
    console.reads("Paused: large")
    console.sent()
    console.slow(-1)

    console.press("Go on")

    console.reads("Done: large completed")
    chunks = _chunks(console.sent())
    assert chunks[0][0] > 1 << 20
    assert sum(end - start for start, end in chunks) == SIZE - chunks[0][0]


async def test_small_files_are_sent_again_until_they_are_there_and_none_twice(
    console: Console, person: Person, weather: Weather, tmp_path: Path
) -> None:
    # Given a storage that is busy, cuts, and loses the answer to one that it took
    folder = tmp_path / "small"
    folder.mkdir()
    for number in range(8):
        (folder / f"{number}.txt").write_bytes(os.urandom(100_000))
    weather.fault("PUT", status=429)
    weather.fault("PUT", status=503)
    weather.fault("PUT", after_bytes=50_000)
    weather.fault("PUT", after_bytes=1_000_000)
    console.sign_in(person)

    console.upload(folder)

    console.reads("Done: small completed", "8 sent", "8 processed", "0 failed")
    assert weather.md5s() == {_md5(file) for file in folder.iterdir()}


async def test_expired_addresses_are_renewed_without_starting_over(
    console: Console, cloud: Cloud, person: Person, weather: Weather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a page whose answers from the platform are held back until their addresses have expired
    folder = tmp_path / "late"
    folder.mkdir()
    (folder / "large.bin").write_bytes(os.urandom(CHUNK + 1))
    (folder / "small.txt").write_bytes(os.urandom(1000))
    console.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HOLDING})
    console.sign_in(person)
    console.upload(folder)
    answer = console.until(lambda: console.driver.execute_script("return window.announced"))
    expired = await _expired(answer["files"], f"files/{person.user.company_id}/{await _project(person)}", monkeypatch)
    assert all(weather.expired(url) for url in expired.values())

    console.driver.execute_script("window.release(arguments[0])", expired)

    # Then each gets a fresh one, and arrives
    console.reads("Done: late completed", "2 sent", "2 processed", "0 failed")
    tried = {one.url for one in console.sent()}
    assert set(expired.values()) <= tried
    assert weather.md5s() == {_md5(file) for file in folder.iterdir()}


HOLDING = """
  const really = window.fetch;
  window.fetch = async (url, asked) => {
    const answer = await really(url, asked);
    if (!String(url).endsWith("/api/uploads/start")) return answer;
    const job = await answer.json();
    const urls = await new Promise((resolve) => Object.assign(window, { announced: job, release: resolve }));
    for (const { asset_id, upload } of job.files) upload.url = urls[asset_id];
    return new Response(JSON.stringify(job), { status: 201 });
  };
"""
"""Holds back what a start answers, until the test gives other addresses for its files."""


async def _expired(files: Sequence[dict[str, Any]], folder: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Addresses of these files that were good for some seconds, once these are over, by asset."""
    monkeypatch.setattr(signing, "LIFETIME", timedelta(seconds=3))
    grants = [
        Grant(f"{folder}/{file['asset_id']}", file["upload"]["method"], file["upload"]["headers"]) for file in files
    ]
    urls, expires_at = await signing.sign(grants)
    await asyncio.sleep((expires_at - datetime.now(UTC)).total_seconds() + 1)
    return {file["asset_id"]: url for file, url in zip(files, urls, strict=True)}


async def test_a_file_that_changes_under_way_is_named_and_the_others_go_on(
    console: Console, person: Person, large: Path
) -> None:
    (large / "steady.txt").write_text("steady")
    console.sign_in(person)
    console.slow(4_000_000)
    console.upload(large)
    console.until(lambda: _sent_megabytes(console) > 2)

    (large / "large.bin").write_bytes(b"something else")
    console.slow(-1)

    console.reads("large.bin The file changed or vanished while it was being sent.", "1 sent", "1 failed")


@pytest.mark.crowd
async def test_more_files_than_a_manifest_page_holds(console: Console, person: Person, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1_010):
        (folder / f"{number:04}.txt").write_text(f"file {number}")
    console.sign_in(person)

    console.upload(folder)

    console.reads("Done: many completed", "1,010 sent", "1,010 of 1,010 files", "0 failed")


def _chunks(sent: Sequence[Sent]) -> list[tuple[int, int]]:
    """Beginning and end (exclusive) of every chunk, in the order they were sent."""
    ranges = [re.fullmatch(r"bytes (\d+)-(\d+)/\d+", one.content_range) for one in sent]
    return [(int(found[1]), int(found[2]) + 1) for found in ranges if found]


def _sent_megabytes(console: Console) -> float:
    found = re.search(r"([\d.]+) MB of", console.text)
    return float(found[1]) if found else 0.0


def _session_uri(console: Console) -> str:
    """Where the page's journal says the upload goes on."""
    script = """
        const answer = arguments[0];
        indexedDB.open("alta-console").onsuccess = ({ target }) => {
          const files = target.result.transaction("files").objectStore("files").getAll();
          files.onsuccess = () => (target.result.close(), answer(files.result[0].uri));
        };
    """
    return str(console.driver.execute_async_script(script))


def _md5(file: Path) -> str:
    return base64.b64encode(hashlib.md5(file.read_bytes()).digest()).decode()


async def _project(person: Person) -> str:
    items = (await person.http.get("/api/projects")).raise_for_status().json()["items"]
    return str(items[0]["id"])
