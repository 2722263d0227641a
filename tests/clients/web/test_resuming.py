"""Uploads that go on in another life of the page: their session ended meanwhile, or their files are others now."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.state import PROJECT, REGION
from shared.models.records import now
from shared.models.sessions import SessionStatus
from shared.store import firestore, sessions
from tests.clients.web.console import Console
from tests.clients.web.weather import Weather
from tests.conftest import Cloud
from tests.people import Person


async def test_what_a_session_did_not_get_until_its_end_goes_to_another_one(
    console: Console, person: Person, tmp_path: Path
) -> None:
    # Given an upload of which one file was sent when the page was closed, and that the platform gave up since
    folder = _write(tmp_path / "letters", "a.txt")
    (folder / "large.bin").write_bytes(bytes(12 << 20))
    console.sign_in(person)
    console.slow(2_000_000)
    console.upload(folder)
    console.reads("1 sent", "MB of")
    console.open()
    console.reads("“letters” is not finished", "2 files")
    await _end(person, SessionStatus.FAILED)
    console.slow(-1)
    console.sent()

    # When the same folder is chosen, then what is missing goes up, and nothing else
    console.choose(folder)
    console.reads("Done: letters completed", "1 sent", "1 of 1 file")
    assert [one.method for one in console.sent()].count("POST") == 1
    assert [(one["status"], one["stats"]["files_total"]) for one in await _sessions(person)] == [
        ("completed", 1),
        ("failed", 2),
    ]


async def test_a_session_that_was_complete_before_the_page_knew_is_over(
    console: Console, person: Person, weather: Weather, tmp_path: Path
) -> None:
    _write(tmp_path / "letters", "a.txt")
    weather.fault("PUT", status=503, times=100)
    console.sign_in(person)
    console.upload(tmp_path / "letters")
    console.reads("Waiting", "the connection to the storage broke")
    console.open()
    console.reads("“letters” is not finished")
    await _end(person, SessionStatus.COMPLETED)
    weather.clear()
    console.sent()

    console.choose(tmp_path / "letters")

    console.reads("Done: letters completed", "0 failed")
    assert console.sent() == []
    console.open()
    console.reads("Drop a folder or files here")
    assert "not finished" not in console.text


async def test_files_that_are_gone_when_an_upload_goes_on_are_named_and_not_waited_for(
    console: Console, person: Person, weather: Weather, tmp_path: Path
) -> None:
    # Given an upload that was interrupted before the platform heard of a file
    folder = _write(tmp_path / "letters", "changed.txt", "gone.txt", "same.txt")
    console.sign_in(person)
    console.block("*/api/uploads/start")
    console.upload(folder)
    console.reads("Sending: letters", "Waiting", "the platform does not answer")
    console.open()
    console.reads("“letters” is not finished")
    console.block()

    # When it goes on, and is interrupted again before the storage has one
    weather.fault("PUT", status=503, times=100)
    console.choose(folder)
    console.reads("Waiting", "the connection to the storage broke")
    console.open()
    console.reads("“letters” is not finished")
    weather.clear()

    # And one file is deleted and one is changed before it goes on once more
    (folder / "gone.txt").unlink()
    (folder / "changed.txt").write_text("another text")
    console.choose(folder)

    # Then it ends with what is there, although the platform waits for two files that nobody has
    console.reads("Done: letters")
    assert "2 processed" in console.text
    console.reads("gone.txt The file is not among those that were chosen now.", "2 sent", "1 failed")
    [session] = await _sessions(person)
    assert (session["status"], session["stats"]["files_total"]) == ("in_progress", 4)


async def test_an_upload_of_which_nothing_can_be_sent_ends(console: Console, person: Person, tmp_path: Path) -> None:
    folder = _write(tmp_path / "letters", "a.txt")
    console.sign_in(person)
    console.choose(folder)
    console.reads("1 file, 5 B, to Archive")
    (folder / "a.txt").write_text("changed since it was chosen")

    console.press("Upload 1 file")

    console.reads("Done: letters cancelled", "Nothing could be sent.", "a.txt The file can't be read")
    assert [one["status"] for one in await _sessions(person)] == ["cancelled"]


async def test_more_is_uploaded_while_the_platform_reads(
    console: Console, cloud: Cloud, person: Person, tmp_path: Path
) -> None:
    first, second = _write(tmp_path / "first", "a.txt"), _write(tmp_path / "second", "b.txt")
    console.sign_in(person)
    with _nothing_is_counted(cloud):
        console.upload(first)
        console.reads("All sent, being read: first")
        console.press("Upload more")
        console.reads("Drop a folder or files here", "All sent, being read: first", "0 of 1 file")

        console.upload(second)

        console.reads("All sent, being read: second", "All sent, being read: first")
        console.open()
        console.reads("Drop a folder or files here", "All sent, being read: second", "All sent, being read: first")
    console.reads("Done: first completed", "Done: second completed")


@contextmanager
def _nothing_is_counted(cloud: Cloud) -> Iterator[None]:
    """Holds back what tells the platform that a session is complete."""
    with grpc.insecure_channel(cloud.ports.address("tasks")) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        queue = client.queue_path(PROJECT, REGION, "progress")
        client.pause_queue(name=queue)
        try:
            yield
        finally:
            client.resume_queue(name=queue)


def _write(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name[:1] * 5)
    return folder


async def _end(person: Person, status: SessionStatus) -> None:
    """Ends the newest session, as the platform does it after a day or when all is there."""
    while True:
        session = await sessions.get((await _sessions(person))[0]["id"])
        assert session is not None
        try:
            await firestore.commit(sessions.change(session, session.end(status, now())))
        except firestore.Conflict:
            continue  # it was counted meanwhile
        return


async def _sessions(person: Person) -> list[dict[str, Any]]:
    """The sessions of the newest project, the newest first."""
    [project, *_] = (await person.http.get("/api/projects")).raise_for_status().json()["items"]
    answer = await person.http.get("/api/sessions", params={"project_id": project["id"]})
    found: list[dict[str, Any]] = answer.raise_for_status().json()["items"]
    return found
