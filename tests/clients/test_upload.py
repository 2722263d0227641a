"""A folder goes up: pages, second runs, names, and files that misbehave."""

import os
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.errors import AlreadyRunning, NothingToUpload, UnknownName
from clients.uploader.events import Event, FileUploaded, SessionOpened, UploadFinished
from clients.uploader.journal import Target
from clients.uploader.walk import Selection
from tests.clients.conftest import codes
from tests.clients.faulty_server import Fault
from tests.clients.platform import Platform


class Watcher(list[Event]):
    """Keeps what it hears."""

    def __call__(self, event: Event) -> None:
        self.append(event)


async def test_a_folder_arrives_whole_and_is_processed(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given
    (folder / "scans").mkdir()
    (folder / "scans" / "letter.png").write_bytes(b"png")
    (folder / "talk.opus").write_bytes(b"opus")
    (folder / "table.csv").write_bytes(b"a,b\n")
    seen = Watcher()
    # When
    result = await upload(client, order, journal=journal, observe=seen)
    # Then
    assert result.status is not None
    assert result.status["status"] == "completed"
    assert (result.outcome.uploaded, result.outcome.failures) == (3, [])
    assert platform.content("scans/letter.png") == b"png"
    assert {asset.path: asset.content_type for asset in platform.assets.values()} == {
        "scans/letter.png": "image/png",
        "table.csv": "text/csv",
        "talk.opus": "audio/ogg",
    }
    assert sorted(event.path for event in seen if isinstance(event, FileUploaded)) == platform.paths


async def test_the_manifest_comes_in_pages_of_a_thousand_and_only_the_last_expects_no_more(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    for number in range(3000):
        (folder / f"{number:04}.txt").write_bytes(b"%d" % number)
    result = await upload(client, order, journal=journal)
    (session,) = platform.sessions.values()
    assert session.pages == [(1000, True), (1000, True), (1000, False)]
    assert session.status == "completed"
    assert result.outcome.uploaded == len(platform.storage.objects) == 3000
    assert platform.paths == sorted(platform.paths)


async def test_names_in_any_script_arrive_as_nfc_whatever_the_disk_says(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    decomposed = unicodedata.normalize("NFD", "Übersicht/Café é.txt")
    (folder / decomposed).parent.mkdir()
    others = ["письмо.txt", "رسالة.txt", "手紙 #1?.txt", "📎%41'&+.txt"]
    for name in (decomposed, *others):
        (folder / name).write_text(name)
    await upload(client, order, journal=journal)
    assert platform.paths == ["Übersicht/Café é.txt", *others]
    assert platform.content("Übersicht/Café é.txt").decode() == decomposed


async def test_a_second_run_sends_only_what_is_new_or_changed_in_a_new_session(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given
    for name in ("changed", "kept", "touched"):
        (folder / f"{name}.txt").write_text(name)
    first = await upload(client, order, journal=journal)
    # When
    (folder / "changed.txt").write_text("changed since")
    (folder / "new.txt").write_text("new")
    os.utime(folder / "touched.txt", ns=(1, 1))
    second = await upload(client, order, journal=journal)
    # Then
    assert second.session_id != first.session_id
    assert second.outcome.unchanged == 2
    (_, session) = platform.sessions.values()
    assert [asset.path for asset in session.assets.values()] == ["changed.txt", "new.txt"]


async def test_when_nothing_is_new_no_session_is_made_and_the_earlier_one_is_shown(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    first = await upload(client, order, journal=journal)
    second = await upload(client, order, journal=journal)
    assert second.nothing_new
    assert second.session_id == first.session_id
    assert second.status is not None
    assert second.status["status"] == "completed"
    assert len(platform.sessions) == 1


async def test_asked_to_send_again_a_run_sends_everything_in_a_new_session(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    await upload(client, order, journal=journal)
    await upload(client, replace(order, again=True), journal=journal)
    assert platform.paths == ["letter.txt", "letter.txt"]


async def test_each_cycle_gets_the_folder_of_its_own(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    for cycle in ("May", "June", "May"):
        await upload(client, replace(order, cycle=cycle, create_cycle=True), journal=journal)
    assert len(platform.cycles) == 2
    assert [session.cycle_id for session in platform.sessions.values()] == list(platform.cycles)


@pytest.mark.parametrize("gone", ["cancelled", "removed"])
async def test_what_a_cancelled_or_removed_session_had_is_sent_again(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, gone: str
) -> None:
    # Given
    (folder / "letter.txt").write_text("letter")
    first = await upload(client, order, journal=journal)
    assert first.session_id is not None
    # When
    if gone == "cancelled":
        platform.sessions[first.session_id].status = "cancelled"
    else:
        del platform.sessions[first.session_id]
    second = await upload(client, order, journal=journal)
    # Then
    assert second.session_id != first.session_id
    assert second.outcome.uploaded == 1


async def test_an_interrupted_run_goes_on_in_its_session_with_what_is_missing(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given a run in which one file can't be sent
    for name in "abc":
        (folder / f"{name}.txt").write_text(name)
    platform.faults.append(Fault("PUT", "/bucket/", 409))
    first = await upload(client, replace(order, jobs=1), journal=journal)
    assert codes(first.outcome.failures) == {"a.txt": "ServiceUnavailable"}
    # When
    seen = Watcher()
    (folder / "d.txt").write_text("d")
    second = await upload(client, order, journal=journal, observe=seen)
    # Then
    assert SessionOpened(first.session_id or "", resumed=True) in seen
    assert (second.session_id, second.outcome.uploaded, second.outcome.unchanged) == (first.session_id, 2, 2)
    assert sorted(platform.paths) == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert second.status is not None
    assert second.status["status"] == "completed"


async def test_a_run_whose_last_page_never_came_is_closed_by_the_next(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    # Given a session that waits for a further page
    (folder / "letter.txt").write_text("letter")
    first = await upload(client, order, journal=journal)
    (session,) = platform.sessions.values()
    session.status, session.manifest_open = "in_progress", True
    journal._database.execute("UPDATE runs SET manifest_complete = 0, finished = 0")
    # When
    second = await upload(client, order, journal=journal)
    # Then
    assert second.session_id == first.session_id
    assert session.status == "completed"
    assert len(platform.storage.objects) == 1


async def test_bookkeeping_lost_with_the_process_is_made_up_by_the_platform(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    await upload(client, order, journal=journal)
    (session,) = platform.sessions.values()
    session.status = "in_progress"
    journal._database.execute("UPDATE files SET done = 0")
    journal._database.execute("UPDATE runs SET finished = 0")
    second = await upload(client, order, journal=journal)
    assert (second.outcome.uploaded, second.outcome.already_there) == (0, 1)
    assert len(platform.storage.objects) == 1


async def test_large_files_do_not_wait_for_a_full_page(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clients.uploader.manifest._HEAVY", 100)
    monkeypatch.setattr("clients.uploader.check._BATCH_BYTES", 100)
    for name in "abc":
        (folder / name).write_bytes(b"x" * 150)
    await upload(client, order, journal=journal)
    (session,) = platform.sessions.values()
    assert session.pages == [(1, True), (1, True), (1, True), (1, False)]
    assert (platform.paths, session.status) == (["a", "b", "c"], "completed")


async def test_a_folder_whose_own_name_is_not_utf_8_is_uploaded_as_any_other(
    platform: Platform, client: Client, journal: Journal, tmp_path: Path, order: Order
) -> None:
    odd = tmp_path / os.fsdecode(b"letters\xff")
    odd.mkdir()
    (odd / "a.txt").write_text("a")
    await upload(client, replace(order, paths=[odd]), journal=journal)
    assert platform.paths == ["a.txt"]
    assert (await upload(client, replace(order, paths=[odd]), journal=journal)).nothing_new


async def test_a_run_without_waiting_leaves_when_all_is_uploaded(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    platform.processing = False
    (folder / "letter.png").write_text("letter")
    seen = Watcher()
    result = await upload(client, replace(order, wait=False), journal=journal, observe=seen)
    assert result.status is None
    assert seen[-1] == UploadFinished()
    assert len(platform.storage.objects) == 1


async def test_single_files_are_named_from_the_folder_that_holds_them(
    platform: Platform, client: Client, journal: Journal, folder: Path
) -> None:
    (folder / "sub").mkdir()
    for name in ("a.txt", "sub/b.txt", "c.txt"):
        (folder / name).write_text(name)
    files = Order([folder / "sub/b.txt", folder / "a.txt"], "Archive", create_project=True)
    await upload(client, files, journal=journal)
    assert platform.paths == ["a.txt", "sub/b.txt"]


async def test_two_runs_of_one_folder_at_the_same_time_are_refused(
    platform: Platform, client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    (folder / "letter.txt").write_text("letter")
    project = await client.project("Archive", create=True)
    target = Target(platform.url, project["id"], "", str(Selection.of([folder]).root))
    with journal.target(target).exclusive(), pytest.raises(AlreadyRunning):
        await upload(client, order, journal=journal)
    assert platform.storage.objects == {}


async def test_an_empty_folder_and_a_missing_one_are_said_to_be_so(
    client: Client, journal: Journal, folder: Path, order: Order
) -> None:
    with pytest.raises(NothingToUpload):
        await upload(client, order, journal=journal)
    with pytest.raises(NothingToUpload):
        await upload(client, replace(order, paths=[folder / "missing"]), journal=journal)


async def test_a_project_is_found_by_id_or_name_and_never_guessed(platform: Platform, client: Client) -> None:
    made = [await client.project(name, create=True) for name in ("Archive", "Letters")]
    platform.projects["prj_twin"] = {"id": "prj_twin", "name": "Letters", "role": "admin"}
    assert await client.project("Archive") == made[0]
    assert await client.project(made[1]["id"]) == made[1]
    with pytest.raises(UnknownName, match="2 are called"):
        await client.project("Letters", create=True)
    with pytest.raises(UnknownName, match="no project"):
        await client.project("Arch")


async def test_projects_are_found_beyond_the_first_page(platform: Platform, client: Client) -> None:
    for number in range(450):
        platform.projects[f"prj_{number}"] = {"id": f"prj_{number}", "name": f"Project {number}", "role": "admin"}
    assert (await client.project("Project 449"))["id"] == "prj_449"
