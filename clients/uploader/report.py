"""The end of a run on paper: the table of results, the texts, the statistics, or all of it as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from clients.uploader.contract import Status
from clients.uploader.display import printable
from clients.uploader.folder import Result
from clients.uploader.results import FileResult

ROWS: Final = 100
"""Files that the table shows at the most; those that failed come first when there are more."""
_WORDS: Final = 60
"""Letters of text in the table."""
_STYLES: Final = {"processed": "green", "uploaded": "green", "failed": "red", "missing": "red"}


def show_table(console: Console, files: Sequence[FileResult]) -> None:
    """Prints the results: as a table in a terminal, as lines with tabs elsewhere."""
    shown = files if len(files) <= ROWS else sorted(files, key=lambda file: file.state != "failed")[:ROWS]
    if console.is_terminal:
        table = Table("File", "Kind", "State", "Length", "Confidence", "Text or error")
        for file in shown:
            name, kind, state, *rest = _cells(file)
            table.add_row(Text(name), kind, Text(state, _STYLES.get(state, "")), *(Text(cell) for cell in rest))
        console.print(table)
    else:
        for file in shown:
            console.file.write("\t".join(_cells(file)) + "\n")  # rich would make spaces of the tabs
    if len(shown) < len(files):
        console.print(f"... and {len(files) - len(shown)} more; --json lists all.")


def show_texts(console: Console, files: Sequence[FileResult]) -> None:
    """Prints the whole text of each file that has one."""
    for file in files:
        if file.text:
            console.rule(Text(printable(file.path)), align="left")
            for line in file.text.splitlines():
                console.print(Text(printable(line)), soft_wrap=True)
            if file.text_goes_on:
                console.print("... (the text goes on; the whole is in the result object)")


def show_statistics(console: Console, session_id: str, status: Status) -> None:
    """Prints where the session stands."""
    stats = status["stats"]
    files = "1 file" if stats["files_total"] == 1 else f"{stats['files_total']:,} files"
    console.print(
        f"Session {session_id}: {status['status']}; {files}, {decimal(stats['bytes_total'])};"
        f" {stats['files_uploaded']} uploaded, {stats['files_processed']} done, {stats['files_failed']} failed"
        f" ({stats['percent']:.0f} %).",
        soft_wrap=True,
    )


def as_json(result: Result, files: Sequence[FileResult]) -> str:
    """The result of a run as one JSON object."""
    outcome = result.outcome
    return json.dumps(
        {
            "project_id": result.project_id,
            "session_id": result.session_id,
            "nothing_new": result.nothing_new,
            "resumed": outcome.resumed,
            "uploaded": outcome.uploaded,
            "already_there": outcome.already_there,
            "unchanged": outcome.unchanged,
            "failures": outcome.failures,
            "status": result.status["status"] if result.status else None,
            "stats": result.status["stats"] if result.status else None,
            "files": [asdict(file) for file in files],
        },
        ensure_ascii=False,
        indent=2,
    )


def status_as_json(session_id: str, status: Status, files: Sequence[FileResult]) -> str:
    """The state of a session as one JSON object."""
    state = {"session_id": session_id, "status": status["status"], "stats": status["stats"]}
    return json.dumps({**state, "files": [asdict(file) for file in files]}, ensure_ascii=False, indent=2)


def _cells(file: FileResult) -> tuple[str, str, str, str, str, str]:
    confidence = f"{file.confidence:.0%}" if file.confidence is not None else ""
    return printable(file.path), file.kind, file.state, _length(file), confidence, _words(file)


def _length(file: FileResult) -> str:
    if file.pages is not None:
        return f"{file.pages} page" + ("s" if file.pages != 1 else "")
    if file.duration_seconds is not None:
        minutes, seconds = divmod(round(file.duration_seconds), 60)
        return f"{minutes}:{seconds:02}"
    return ""


def _words(file: FileResult) -> str:
    if file.error is not None:
        return printable(f"{file.error['code']}: {file.error['message']}")
    words = printable(" ".join(file.text.split()))
    return words if len(words) <= _WORDS else words[:_WORDS].rstrip() + "..."
