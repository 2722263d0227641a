"""The main job, for all to see: a folder goes up, is read and transcribed, and the results come back."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.uploader import report
from clients.uploader.api import Client
from clients.uploader.display import Display, display
from clients.uploader.errors import UploaderError
from clients.uploader.events import Event, Processing
from clients.uploader.folder import Order, Result, upload
from clients.uploader.journal import Journal
from clients.uploader.results import FileResult, results
from emulators import screen
from emulators.cloud import LocalCloud
from emulators.errors import CannotStartError
from emulators.processes import READY_PATH, answers
from emulators.seed import PASSWORD, USERNAME

PROJECT = "Demo"
FAILED = 1
"""Exit code when a file could not be uploaded or read."""


class _Stopwatch:
    """Watches a run for the moment at which the first file was read; passes every event on."""

    def __init__(self, shown: Display) -> None:
        self.first_text_at: float | None = None
        self._shown = shown

    def __call__(self, event: Event) -> None:
        read = isinstance(event, Processing) and event.status["stats"]["files_processed"] > 0
        if read and self.first_text_at is None:
            self.first_text_at = time.time()
        self._shown(event)


def run(cloud: LocalCloud, folder: Path, began: float) -> int:
    """Uploads the folder to the cloud and shows what was read; returns the exit code.

    A local cloud that runs on these ports is used; otherwise this one is started, and stopped in the end. `began`, in
    seconds since 1970, is when the whole demo began.
    """
    if not folder.exists():
        raise CannotStartError(f"There is no folder {folder}. Name another: make demo DIR=path.")
    with _some(cloud), display(screen.console) as shown:
        stopwatch = _Stopwatch(shown)
        try:
            result, files = asyncio.run(_upload(cloud, folder, stopwatch))
        except UploaderError as error:
            screen.say(f"{error.message} ({error.code})")
            return FAILED
    _show(result, files)
    if stopwatch.first_text_at:
        screen.say(f"From the start of the demo to the first recognised text: {stopwatch.first_text_at - began:.1f} s.")
    went_well = result.status and result.status["status"] == "completed" and not result.status["stats"]["files_failed"]
    return 0 if went_well and not result.outcome.failures else FAILED


@contextmanager
def _some(cloud: LocalCloud) -> Iterator[None]:
    if answers(cloud.ports.internal, READY_PATH)():
        screen.say(f"A local cloud runs already at {cloud.url}: using it.")
        yield
        return
    with screen.running(cloud):
        screen.show(cloud)
        yield


async def _upload(cloud: LocalCloud, folder: Path, stopwatch: _Stopwatch) -> tuple[Result, list[FileResult]]:
    # The journal is the demo's own: what the user has uploaded elsewhere is not its business, and is not touched.
    journal = Journal(cloud.state.of("demo"))
    try:
        async with Client(cloud.url) as client:
            await client.login(USERNAME, PASSWORD)
            order = Order([folder], PROJECT, again=True, create_project=True)
            result = await upload(client, order, journal=journal, observe=stopwatch)
            if not result.session_id or not result.status:
                return result, []
            return result, await results(client, journal, result.session_id, result.status, whole_text=True)
    finally:
        journal.close()


def _show(result: Result, files: list[FileResult]) -> None:
    report.show_table(screen.console, files)
    report.show_texts(screen.console, files)
    if result.session_id and result.status:
        report.show_statistics(screen.console, result.session_id, result.status)
