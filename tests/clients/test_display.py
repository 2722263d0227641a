"""What people see of a run."""

import io

from rich.console import Console

from clients.uploader.contract import FileError, Stats, Status
from clients.uploader.display import Tally, display
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
from clients.uploader.report import ROWS, show_table, show_texts
from clients.uploader.results import FileResult

STATS = Stats(
    files_total=3,
    files_uploaded=3,
    files_processed=2,
    files_failed=1,
    bytes_total=100,
    bytes_uploaded=100,
    percent=100.0,
    bytes_per_second=None,
    seconds_left=None,
)
ERROR = FileError(path="c.pdf", code="too_long", message="Too long.")
EVENTS: list[Event] = [
    Counted(5, 2_000_000),
    SessionOpened("ses_1", resumed=True),
    Hashed(5, 2_000_000),
    Unchanged(1, 400_000),
    BytesKept("b.bin", 100_000),
    BytesSent(900_000),
    BytesSent(-50_000),
    Retrying("storage answered 503", 2.0),
    Retrying("storage answered 503", 4.0),
    FileUploaded("a.txt", 300_000, sent=True),
    FileUploaded("b.bin", 100_000, sent=False),
    FileFailed("[red]c.pdf", 50_000, "vanished", "The file is gone."),
    UploadFinished(),
    Processing(Status(job_id="ses_1", status="completed", stats=STATS, errors=[ERROR])),
]


def shown(*, terminal: bool) -> str:
    paper = io.StringIO()
    with display(Console(file=paper, force_terminal=terminal, width=120, color_system=None)) as run:
        for event in EVENTS:
            run(event)
    return paper.getvalue()


def test_the_tally_knows_what_is_to_be_sent_and_what_was() -> None:
    tally = Tally()
    for event in EVENTS:
        tally.take(event)
    assert (tally.files_to_send, tally.ready, tally.failed, tally.unchanged) == (4, 2, 1, 1)
    assert tally.bytes_to_send == 2_000_000 - 400_000 - 100_000 - 50_000
    assert tally.bytes_sent == 950_000


def test_a_terminal_shows_bars_for_checking_uploading_and_processing() -> None:
    told = shown(terminal=True)
    for words in ("Checking", "5/5 files", "Uploading", "2/4 files, 950.0 kB/1.4 MB", "Processing", "3/3 files"):
        assert words in told


def test_elsewhere_lines_tell_the_same_without_moving_the_cursor() -> None:
    told = shown(terminal=False)
    assert "\x1b" not in told
    assert told.splitlines() == [
        "Session ses_1 goes on where it stopped.",
        "b.bin: goes on after 100.0 kB.",
        "storage answered 503; trying again in 2 s.",
        "[red]c.pdf: The file is gone. (vanished)",
        "Uploading: 2 of 4 files, 950.0 kB of 1.4 MB; 1 unchanged.",
    ]


def test_a_long_table_is_cut_and_shows_what_failed() -> None:
    files = [FileResult(f"{number:04}.txt", "file", "uploaded") for number in range(ROWS * 2)]
    files[-1] = FileResult("last.txt", "file", "failed", error={"code": "empty_file", "message": "Empty."})
    for terminal in (True, False):
        paper = io.StringIO()
        show_table(Console(file=paper, force_terminal=terminal, width=120, color_system=None), files)
        assert "last.txt" in paper.getvalue()
        assert "0150.txt" not in paper.getvalue()
        assert f"{ROWS} more" in paper.getvalue()


def test_a_text_that_goes_on_says_so() -> None:
    paper = io.StringIO()
    long = FileResult("a.pdf", "document", "processed", text="one\ntwo\x1b[2J", text_goes_on=True)
    show_texts(Console(file=paper, width=80), [long])
    assert "one\ntwo\N{REPLACEMENT CHARACTER}[2J\n... (the text goes on" in paper.getvalue()
