"""Bytes reach the storage through cuts, bursts of errors, and expired or lost addresses."""

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.errors import Unreachable
from clients.uploader.events import BytesSent, Event, Retrying
from clients.uploader.retry import Backoff
from tests.clients.faulty_server import Fault
from tests.clients.platform import Platform
from tests.clients.storage import GRAIN

SIZE = 1_000_003
"""Bytes of a file that the tests send in chunks of 256 KiB: three whole ones and a rest."""


@pytest.fixture
def order(folder: Path) -> Order:
    return Order([folder], "Archive", create_project=True)


@pytest.fixture
def chunked(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every file over 1,000 bytes resumable, in the smallest chunks that the storage takes."""
    platform.storage.resumable_above = 1000
    monkeypatch.setattr("clients.uploader.transfer.CHUNK", GRAIN)


@pytest.mark.usefixtures("chunked")
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, GRAIN), max_size=4), seed=st.integers(0, 1000))
async def test_an_upload_cut_at_any_bytes_arrives_whole(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, cuts: list[int], seed: int
) -> None:
    content = random.Random(seed).randbytes(SIZE)
    (folder / "file.bin").write_bytes(content)
    os.utime(folder / "file.bin", ns=(seed, time.monotonic_ns()))
    platform.faults = [Fault("PUT", "/resumable/", after_bytes=cut) for cut in cuts]
    platform.storage.objects.clear()
    platform.assets.clear()
    sent: list[int] = []

    def watch(event: Event) -> None:
        if isinstance(event, BytesSent):
            sent.append(event.count)

    await upload(client, replace(order, again=True), journal=journal, observe=watch)
    assert list(platform.storage.objects.values()) == [content]
    assert sum(sent) == SIZE


@pytest.mark.usefixtures("chunked")
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_a_burst_of_transient_errors_delays_and_loses_nothing(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, status: int
) -> None:
    # Given
    (folder / "small.txt").write_text("small")
    (folder / "large.bin").write_bytes(content := os.urandom(SIZE))
    platform.faults += [
        Fault("PUT", "/bucket/ast", status, times=3),
        Fault("POST", "/bucket/ast", status, times=2),
        Fault("PUT", "/resumable/", status, times=4),
        Fault("POST", "/api/uploads/start", status, times=2),
        Fault("GET", "/api/uploads/status", status, times=2),
    ]
    # When
    result = await upload(client, order, journal=journal)
    # Then
    assert result.outcome.failures == []
    assert platform.content("large.bin") == content
    assert platform.faults == []
    assert len(platform.sessions) == 1


async def test_retry_after_is_obeyed(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    platform.faults.append(Fault("PUT", "/bucket/", 503, headers={"Retry-After": "1"}))
    waits: list[float] = []

    def watch(event: Event) -> None:
        if isinstance(event, Retrying):
            waits.append(event.delay)

    started = time.monotonic()
    await upload(client, order, journal=journal, observe=watch)
    assert waits == [1.0]
    assert time.monotonic() - started >= 1.0


async def test_errors_without_end_end_the_run_at_the_deadline(
    platform: Platform, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    platform.faults.append(Fault("PUT", "/bucket/", 503, times=10_000))
    async with Client(platform.url, "refresh-0", backoff=Backoff(0.01, 2.0, 0.05, deadline=0.3)) as client:
        with pytest.raises(Unreachable, match="answered 503"):
            await upload(client, order, journal=journal)
    assert 2 < 10_000 - platform.faults[0].times < 50


async def test_a_put_whose_answer_is_lost_counts_as_uploaded(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    platform.faults.append(Fault("PUT", "/bucket/", done_first=True))
    result = await upload(client, order, journal=journal)
    assert (result.outcome.uploaded, result.outcome.already_there) == (1, 0)
    assert platform.content("letter.txt") == b"letter"
    assert platform.requests["storage"] == 2


@pytest.mark.usefixtures("chunked")
async def test_a_last_chunk_whose_answer_is_lost_counts_as_uploaded(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "large.bin").write_bytes(content := os.urandom(2000))
    platform.faults.append(Fault("PUT", "/resumable/", done_first=True))
    result = await upload(client, order, journal=journal)
    assert result.outcome.failures == []
    assert platform.content("large.bin") == content


async def test_expired_urls_are_renewed_together_without_starting_over(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given URLs that all expire as soon as the first is used
    for number in range(250):
        (folder / f"{number:03}.txt").write_bytes(b"%d" % number)

    def expire(_: str) -> None:
        platform.storage.expired_up_to = 250

    platform.storage.before_upload = expire
    # When
    result = await upload(client, order, journal=journal)
    # Then
    assert result.outcome.uploaded == 250
    assert platform.requests["POST /api/uploads/*/urls"] == 3
    assert platform.requests["POST /api/uploads/start"] == 1


@pytest.mark.usefixtures("chunked")
async def test_an_expired_url_of_a_resumable_start_is_renewed(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "large.bin").write_bytes(content := os.urandom(SIZE))
    platform.storage.expired_up_to = 1
    await upload(client, order, journal=journal)
    assert platform.content("large.bin") == content


async def test_a_url_that_stays_refused_fails_its_file_with_the_reason_of_the_storage(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    for name in "ab":
        (folder / f"{name}.txt").write_text(name)
    platform.faults.append(Fault("PUT", "/bucket/", 403, times=4))
    result = await upload(client, replace(order, jobs=1), journal=journal)
    assert [(f["path"], f["code"]) for f in result.outcome.failures] == [("a.txt", "ServiceUnavailable")]
    assert platform.paths == ["b.txt"]


@pytest.mark.usefixtures("chunked")
async def test_a_lost_resumable_session_is_begun_anew(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "large.bin").write_bytes(content := os.urandom(SIZE))
    platform.faults += [Fault("PUT", "/resumable/", 410), Fault("PUT", "/resumable/", 404)]
    await upload(client, order, journal=journal)
    assert platform.content("large.bin") == content
    assert len(platform.storage.uploads) == 3


@pytest.mark.usefixtures("chunked")
async def test_a_resumable_session_that_is_lost_every_time_fails_its_file(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "large.bin").write_bytes(os.urandom(SIZE))
    platform.faults.append(Fault("PUT", "/resumable/", 410, times=4))
    result = await upload(client, order, journal=journal)
    assert [failure["code"] for failure in result.outcome.failures] == ["http_410"]


async def test_the_access_token_never_travels_to_the_storage_and_posts_carry_their_keys(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    await upload(client, order, journal=journal)  # the storage refuses headers that were not signed
    posts = [headers for call, headers in platform.headers if call.startswith("POST") and "/auth/" not in call]
    assert len({headers["idempotency-key"] for headers in posts}) == len(posts) == 3
    ids = [headers["x-request-id"] for _, headers in platform.headers]
    assert len(set(ids)) == len(ids)
    assert {one.rpartition("-")[0] for one in ids} == {client.run_id}


async def test_a_repeated_post_carries_the_same_keys(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    platform.faults.append(Fault("POST", "/api/projects", done_first=True))
    await client.project("Archive", create=True)
    keys = [headers["idempotency-key"] for call, headers in platform.headers if call == "POST /api/projects"]
    assert len(keys) == 2
    assert len(set(keys)) == len(platform.projects) == 1
