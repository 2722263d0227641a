"""The run as people watch it: bars in a terminal, lines elsewhere. Both show the same tally of the events."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from clients.uploader.contract import Stats
from clients.uploader.events import (
    BytesKept,
    BytesSent,
    Counted,
    Event,
    FileFailed,
    FileUploaded,
    Hashed,
    Processing,
    Retrying,
    SessionOpened,
    Unchanged,
    UploadFinished,
)

_QUIET: Final = 5.0
"""Seconds between two lines of progress, and between two messages about retries."""


def printable(text: str) -> str:
    """Text from elsewhere, without what would move the cursor or break the line."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class Tally:
    """How far a run is: files and bytes counted from its events."""

    def __init__(self) -> None:
        self.session_id: str | None = None
        self.files = self.bytes = 0
        self.checked = 0
        self.unchanged = 0
        self.ready = self.failed = 0
        self.bytes_left_out = self.bytes_sent = 0
        self.stats: Stats | None = None

    def take(self, event: Event) -> None:
        """Counts one event."""
        match event:
            case Counted(files, size):
                self.files, self.bytes = files, size
            case SessionOpened(session_id):
                self.session_id = session_id
            case Hashed(files):
                self.checked += files
            case Unchanged(files, size):
                self.unchanged += files
                self.bytes_left_out += size
            case BytesSent(count) | BytesKept(_, count):
                self.bytes_sent += count
            case FileUploaded(_, size, sent):
                self.ready += 1
                self.bytes_left_out += 0 if sent else size
            case FileFailed(_, size):
                self.failed += 1
                self.bytes_left_out += size
            case Processing(status):
                self.stats = status["stats"]

    @property
    def files_to_send(self) -> int:
        """Files that are to go up in this run, as far as is known."""
        return max(self.files - self.unchanged, self.ready)

    @property
    def bytes_to_send(self) -> int:
        """Bytes that are to go up in this run, as far as is known."""
        return max(self.bytes - self.bytes_left_out, self.bytes_sent)


class Display(Protocol):
    """Watches a run."""

    tally: Tally

    def __call__(self, event: Event) -> None:
        """Shows an event."""


@contextmanager
def display(console: Console) -> Iterator[Display]:
    """The display that fits the console."""
    if console.is_terminal:
        with _Bars(console) as bars:
            yield bars
    else:
        yield _Lines(console)


class _Messages:
    """What is said in words, whatever shows the numbers."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._retry_said_at = float("-inf")

    def say(self, event: Event) -> None:
        match event:
            case SessionOpened(session_id, resumed):
                self._print(f"Session {session_id}" + (" goes on where it stopped." if resumed else "."))
            case BytesKept(path, count):
                self._print(f"{path}: goes on after {decimal(count)}.")
            case FileFailed(path, _, code, message):
                self._print(f"{path}: {message} ({code})", "red")
            case Retrying(reason, delay) if time.monotonic() - self._retry_said_at > _QUIET:
                self._retry_said_at = time.monotonic()
                self._print(f"{reason}; trying again in {delay:.0f} s.", "yellow")

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(printable(line), style), soft_wrap=True)


class _Lines:
    """For files, pipes and terminals that can't move the cursor."""

    def __init__(self, console: Console) -> None:
        self.tally = Tally()
        self._console = console
        self._messages = _Messages(console)
        self._said_at = time.monotonic()

    def __call__(self, event: Event) -> None:
        self.tally.take(event)
        self._messages.say(event)
        final = isinstance(event, UploadFinished)
        if final or time.monotonic() - self._said_at > _QUIET:
            self._said_at = time.monotonic()
            self._console.print(Text(self._line()), soft_wrap=True)

    def _line(self) -> str:
        tally = self.tally
        if tally.stats is not None:
            finished = tally.stats["files_processed"] + tally.stats["files_failed"]
            return f"Processing: {finished} of {tally.stats['files_total']} files."
        sent = f"{decimal(tally.bytes_sent)} of {decimal(tally.bytes_to_send)}"
        return f"Uploading: {tally.ready} of {tally.files_to_send} files, {sent}; {tally.unchanged} unchanged."


class _Amount(ProgressColumn):
    """Files, bytes and rate, whichever the bar has."""

    def render(self, task: Task) -> Text:
        parts = [task.fields["amount"]]
        if task.fields["rate"] and task.speed:
            parts.append(f"{decimal(int(task.speed))}/s")
        return Text(", ".join(parts), "progress.download")


class _Bars:
    """For terminals."""

    def __init__(self, console: Console) -> None:
        self.tally = Tally()
        self._messages = _Messages(console)
        self._progress = Progress(
            TextColumn("{task.description:<10}"), BarColumn(), _Amount(), TimeRemainingColumn(), console=console
        )
        self._checking = self._add("Checking", rate=False)
        self._uploading = self._add("Uploading", rate=True)
        self._processing: TaskID | None = None

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        self.tally.take(event)
        self._messages.say(event)
        if isinstance(event, Processing):
            self._show_processing(event.status["stats"])
        else:
            self._show_upload()

    def _add(self, name: str, *, rate: bool) -> TaskID:
        return self._progress.add_task(name, total=None, amount="", rate=rate)

    def _show_upload(self) -> None:
        tally = self.tally
        checked = f"{tally.checked}/{tally.files} files"
        self._progress.update(self._checking, completed=tally.checked, total=tally.files or None, amount=checked)
        sent = f"{tally.ready}/{tally.files_to_send} files, {decimal(tally.bytes_sent)}/{decimal(tally.bytes_to_send)}"
        self._progress.update(
            self._uploading, completed=tally.bytes_sent, total=tally.bytes_to_send or None, amount=sent
        )

    def _show_processing(self, stats: Stats) -> None:
        if self._processing is None:
            self._processing = self._add("Processing", rate=False)
        finished = stats["files_processed"] + stats["files_failed"]
        amount = f"{finished}/{stats['files_total']} files"
        self._progress.update(self._processing, completed=finished, total=stats["files_total"], amount=amount)
