"""Files that can't be sent, or not be used: each is told, and the rest goes on."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.events import Event
from tests.clients.conftest import codes
from tests.clients.platform import Platform


async def test_a_file_that_vanishes_is_reported_and_the_rest_goes_on(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given
    for name in "abc":
        (folder / f"{name}.txt").write_text(name)

    def remove(_: str) -> None:
        (folder / "c.txt").unlink(missing_ok=True)

    platform.storage.before_upload = remove
    # When
    result = await upload(client, replace(order, jobs=1), journal=journal)
    # Then
    assert codes(result.outcome.failures) == {"c.txt": "vanished"}
    assert platform.paths == ["a.txt", "b.txt"]
    assert result.status is not None
    assert result.status["stats"]["files_processed"] == 2


async def test_a_file_that_changes_is_reported_and_the_next_run_sends_what_it_became(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given
    for name in "ab":
        (folder / f"{name}.txt").write_text(name)

    def change(_: str) -> None:
        (folder / "b.txt").write_text("something longer")

    platform.storage.before_upload = change
    first = await upload(client, replace(order, jobs=1), journal=journal)
    assert codes(first.outcome.failures) == {"b.txt": "changed_while_uploading"}
    # When
    platform.storage.before_upload = lambda _: None
    second = await upload(client, order, journal=journal)
    # Then
    assert second.outcome.failures == []
    assert platform.content("b.txt") == b"something longer"
    assert second.status is not None
    assert second.status["stats"]["files_processed"] == 2


async def test_a_large_file_that_changes_between_two_chunks_is_not_finished(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    large = folder / "large.bin"
    large.write_bytes(os.urandom(18 << 20))

    def change(_: Event) -> None:
        if platform.storage.bytes_received > 9 << 20:
            os.utime(large, ns=(1, 1))

    result = await upload(client, order, journal=journal, observe=change)
    assert codes(result.outcome.failures) == {"large.bin": "changed_while_uploading"}
    assert platform.storage.objects == {}


async def test_an_unreadable_file_is_reported_and_the_rest_goes_on(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("a")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    result = await upload(client, order, journal=journal)
    assert codes(result.outcome.failures) == {"loop": "unreadable", "pipe": "not_a_file"}
    assert platform.paths == ["a.txt"]


async def test_files_that_the_manifest_refuses_are_reported_and_the_rest_goes_on(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    for name in ("a.txt", "b\\c.txt", "d\\e.txt", "f.txt"):
        (folder / name).write_text(name)
    result = await upload(client, order, journal=journal)
    assert codes(result.outcome.failures) == {"b\\c.txt": "path_malformed", "d\\e.txt": "path_malformed"}
    assert platform.paths == ["a.txt", "f.txt"]
    assert result.status is not None
    assert result.status["status"] == "completed"


async def test_a_last_page_of_refused_files_still_closes_the_manifest(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.uploader.manifest.MANIFEST_LIMIT", 2)
    for name in ("a", "b", "z\\"):
        (folder / name).write_text(name)
    result = await upload(client, order, journal=journal)
    (session,) = platform.sessions.values()
    assert session.pages == [(2, True), (1, False)]
    assert session.status == "completed"
    assert codes(result.outcome.failures) == {"z\\": "path_malformed"}


async def test_a_file_that_the_platform_will_not_have_is_announced_once_and_fails_until_it_changes(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given
    (folder / "empty.txt").touch()
    (folder / "full.txt").write_text("full")
    first = await upload(client, order, journal=journal)
    assert first.status is not None
    assert [error["code"] for error in first.status["errors"]] == ["empty_file"]
    assert codes(first.outcome.failures) == {"empty.txt": "refused"}
    assert (first.outcome.uploaded, first.outcome.already_there) == (1, 0)
    # When nothing changed
    second = await upload(client, order, journal=journal)
    # Then
    assert second.nothing_new
    assert (codes(second.outcome.failures), second.outcome.unchanged) == ({"empty.txt": "refused"}, 1)
    # When it did
    (folder / "empty.txt").write_text("not any more")
    third = await upload(client, order, journal=journal)
    # Then
    assert (third.outcome.failures, third.outcome.uploaded) == ([], 1)


async def test_a_file_that_was_damaged_on_the_way_is_sent_again_by_the_next_run(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.png").write_text("letter")
    platform.failing["letter.png"] = {"code": "checksum_mismatch", "message": "Other bytes came."}
    await upload(client, order, journal=journal)
    platform.failing.clear()
    second = await upload(client, order, journal=journal)
    assert second.outcome.uploaded == 1
    assert second.status is not None
    assert second.status["stats"]["files_failed"] == 0
