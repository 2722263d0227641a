"""What was uploaded from this machine, so that a run that was cut goes on and the next one sends only what is new.

One SQLite file for all folders. A *target* is a folder and the place it goes to (server, project, cycle). Finished
files are committed in batches: when a batch is lost with the process, the platform answers `already_uploaded` for its
files. The URI of a resumable upload is committed before its first byte is sent.
"""

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from clients.uploader.contract import JobFile, Kind, is_refused
from clients.uploader.errors import AlreadyRunning
from clients.uploader.hashing import HashedFile

_BATCH = 200
"""Finished files that one commit takes."""
_BATCH_SECONDS = 1.0
"""How long a finished file waits for its commit at the most."""

_WAITS, _DONE, _REFUSED = 0, 1, 2
"""What the column `done` says of a file. What does not wait needs no bytes: it was sent, or the platform refused it."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS targets (
    id INTEGER PRIMARY KEY, server TEXT NOT NULL, project_id TEXT NOT NULL, cycle_id TEXT NOT NULL, root TEXT NOT NULL,
    UNIQUE (server, project_id, cycle_id, root)
);
CREATE TABLE IF NOT EXISTS runs (
    session_id TEXT PRIMARY KEY, target INTEGER NOT NULL, server TEXT NOT NULL, job_id TEXT,
    manifest_complete INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0,
    replaced INTEGER NOT NULL DEFAULT 0, started_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    target INTEGER NOT NULL, path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, crc32c TEXT NOT NULL,
    session_id TEXT NOT NULL, asset_id TEXT NOT NULL, kind TEXT NOT NULL, done INTEGER NOT NULL, resumable_uri TEXT,
    PRIMARY KEY (target, path)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_session ON files (session_id);
"""


def state_folder() -> Path:
    """Where the journal is kept: `ALTA_STATE_DIR`, or the user's state folder."""
    return Path(os.environ.get("ALTA_STATE_DIR") or platformdirs.user_state_dir("alta", appauthor=False))


@dataclass(frozen=True)
class Target:
    """A folder and where it goes. `cycle_id` is empty when the files belong to no cycle."""

    server: str
    project_id: str
    cycle_id: str
    root: str


@dataclass(frozen=True)
class Run:
    """A session that this machine uploads to, or did. `manifest_complete`: its last manifest page was accepted."""

    session_id: str
    job_id: str | None
    manifest_complete: bool
    finished: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows of a file. `done`: it needs no bytes any more; `refused`: because nobody takes them."""

    path: str
    size: int
    mtime_ns: int
    crc32c: str
    asset_id: str
    kind: Kind
    done: bool
    refused: bool
    resumable_uri: str | None


@dataclass(frozen=True)
class Expected:
    """What a session waits for: the files announced from here, and those among them that are not uploaded.

    A file that changed while it waited was announced twice: nobody will bring the `replaced` one.
    """

    announced: int
    pending: int
    replaced: int

    @property
    def missing(self) -> int:
        """Files that will not come unless this machine sends them."""
        return self.pending + self.replaced


class Journal:
    """The journal file. All calls come from one thread; none takes longer than a few milliseconds."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or state_folder()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / "journal.sqlite3"
        # The URI of a resumable upload lets its holder write: the file is for its owner alone.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file. What was recorded without `flush` stays unrecorded."""
        self._database.close()

    def target(self, target: Target) -> "TargetJournal":
        """The part of the journal that is about one target."""
        values = (target.server, target.project_id, target.cycle_id, target.root)
        with self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO targets (server, project_id, cycle_id, root) VALUES (?, ?, ?, ?)", values
            )
        query = "SELECT id FROM targets WHERE server = ? AND project_id = ? AND cycle_id = ? AND root = ?"
        (number,) = self._database.execute(query, values).fetchone()
        return TargetJournal(self._database, self._folder, int(number), target)

    def run(self, session_id: str) -> Run | None:
        """What is known of a session; None when another machine uploads it."""
        return _run(self._database, "session_id = ?", session_id)

    def latest_run(self, server: str) -> Run | None:
        """The session that was begun last at this server."""
        return _run(self._database, "server = ?", server)

    def plain_files(self, session_id: str) -> Iterator[Entry]:
        """The files of a session that are neither documents nor recordings, by path."""
        yield from _entries(self._database, "session_id = ? AND kind = 'file' ORDER BY path", (session_id,))

    def forget_session(self, session_id: str) -> None:
        """Makes all files of a session unknown: it was cancelled, or is gone."""
        _forget_session(self._database, session_id)

    def expected(self, session_id: str) -> Expected:
        """What a session waits for; nothing when another machine uploads it."""
        return _expected(self._database, session_id)

    def again(self, session_id: str, path: str) -> None:
        """Makes the next run send a file of a session once more."""
        with self._database:
            self._database.execute("DELETE FROM files WHERE session_id = ? AND path = ?", (session_id, path))


class TargetJournal:
    """What is known of one folder at one place."""

    def __init__(self, database: sqlite3.Connection, folder: Path, number: int, target: Target) -> None:
        self._database = database
        self._folder = folder
        self._number = number
        self._target = target
        self._finished: list[tuple[int, str]] = []
        self._flushed_at = time.monotonic()

    @property
    def place(self) -> tuple[str, str]:
        """Ids of the project and the cycle; the latter may be empty."""
        return self._target.project_id, self._target.cycle_id

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keeps other processes from uploading to this target; ends with the process, however that ends."""
        lock = sqlite3.connect(self._folder / f"target-{self._number}.lock", timeout=0, isolation_level=None)
        with closing(lock):
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                raise AlreadyRunning("Another alta is uploading this folder to this project.") from None
            yield

    def latest_run(self) -> Run | None:
        """The session that was begun last for this target."""
        return _run(self._database, "target = ?", self._number)

    def begin(self, session_id: str) -> Run:
        """Records a new session, before anything is announced to it."""
        with self._database:
            self._database.execute(
                "INSERT INTO runs (session_id, target, server, started_at) VALUES (?, ?, ?, ?)",
                (session_id, self._number, self._target.server, time.time()),
            )
        return Run(session_id, None, manifest_complete=False, finished=False)

    def finish(self, session_id: str) -> None:
        """Records that every file of the session is uploaded, or that the session takes no more."""
        self.flush()
        with self._database:
            self._database.execute("UPDATE runs SET finished = 1 WHERE session_id = ?", (session_id,))

    def lookup(self, paths: Sequence[str]) -> dict[str, Entry]:
        """What is known of these paths."""
        marks = ", ".join("?" * len(paths))
        found = _entries(self._database, f"target = ? AND path IN ({marks})", (self._number, *paths))
        return {entry.path: entry for entry in found}

    def announced(self, run: Run, page: Sequence[tuple[HashedFile, JobFile]], *, last: bool) -> None:
        """Records the answer to a manifest page. What needs no bytes is done; a known resumable URI stays."""
        rows = [
            (
                *(self._number, file.path, file.size, file.mtime_ns, file.crc32c, run.session_id),
                *(answer["asset_id"], answer["kind"], _standing(answer)),
            )
            for file, answer in page
        ]
        answers = [
            (run.session_id, self._number, file.path, run.session_id, answer["asset_id"]) for file, answer in page
        ]
        with self._database:
            self._database.executemany(
                "UPDATE runs SET replaced = replaced + 1 WHERE session_id = ? AND EXISTS (SELECT 1 FROM files"
                " WHERE target = ? AND path = ? AND session_id = ? AND asset_id <> ? AND NOT done)",
                answers,
            )
            self._database.executemany(
                "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT (target, path) DO UPDATE SET"
                " resumable_uri = CASE WHEN (asset_id, crc32c) = (excluded.asset_id, excluded.crc32c)"
                " THEN resumable_uri END, size = excluded.size, mtime_ns = excluded.mtime_ns, crc32c = excluded.crc32c,"
                " session_id = excluded.session_id, asset_id = excluded.asset_id, kind = excluded.kind,"
                " done = excluded.done",
                rows,
            )
            self._database.execute(
                "UPDATE runs SET job_id = ?, manifest_complete = ? WHERE session_id = ?",
                (run.job_id, last, run.session_id),
            )

    def touched(self, files: Iterable[HashedFile]) -> None:
        """Records the new times of files whose content is what it was."""
        with self._database:
            self._database.executemany(
                "UPDATE files SET mtime_ns = ? WHERE target = ? AND path = ?",
                [(file.mtime_ns, self._number, file.path) for file in files],
            )

    def resumable(self, path: str, uri: str | None) -> None:
        """Records where the bytes of a file go on; at once, since that is what an interrupted upload needs."""
        with self._database:
            self._database.execute(
                "UPDATE files SET resumable_uri = ? WHERE target = ? AND path = ?", (uri, self._number, path)
            )

    def done(self, path: str) -> None:
        """Records that a file is uploaded, with the next batch."""
        self._finished.append((self._number, path))
        if len(self._finished) >= _BATCH or time.monotonic() - self._flushed_at > _BATCH_SECONDS:
            self.flush()

    def forget(self) -> None:
        """Makes every file of the target new."""
        with self._database:
            self._database.execute("DELETE FROM files WHERE target = ?", (self._number,))

    def forget_session(self, session_id: str) -> None:
        """Makes all files of a session unknown: it was cancelled, or is gone."""
        _forget_session(self._database, session_id)

    def expected(self, session_id: str) -> Expected:
        """What a session waits for; nothing when another machine uploads it."""
        return _expected(self._database, session_id)

    def any_of(self, session_id: str) -> Entry | None:
        """Some file that the session's manifest holds."""
        return next(_entries(self._database, "session_id = ? LIMIT 1", (session_id,)), None)

    def flush(self) -> None:
        """Commits what is finished."""
        with self._database:
            self._database.executemany(
                "UPDATE files SET done = ?, resumable_uri = NULL WHERE target = ? AND path = ?",
                [(_DONE, *file) for file in self._finished],
            )
        self._finished.clear()
        self._flushed_at = time.monotonic()


def _standing(answer: JobFile) -> int:
    if answer["upload"] is not None:
        return _WAITS
    return _REFUSED if is_refused(answer) else _DONE


def _run(database: sqlite3.Connection, condition: str, value: str | int) -> Run | None:
    # The conditions are written in this module; values are bound.
    query = "SELECT session_id, job_id, manifest_complete, finished FROM runs WHERE "
    row = database.execute(query + condition + " ORDER BY started_at DESC LIMIT 1", (value,)).fetchone()
    return Run(row[0], row[1], bool(row[2]), bool(row[3])) if row else None


def _entries(database: sqlite3.Connection, condition: str, values: Sequence[str | int]) -> Iterator[Entry]:
    query = "SELECT path, size, mtime_ns, crc32c, asset_id, kind, done, resumable_uri FROM files WHERE "
    for path, size, mtime_ns, crc32c, asset_id, kind, done, uri in database.execute(query + condition, values):
        yield Entry(path, size, mtime_ns, crc32c, asset_id, kind, done != _WAITS, done == _REFUSED, uri)


def _expected(database: sqlite3.Connection, session_id: str) -> Expected:
    query = "SELECT COUNT(*), COALESCE(SUM(NOT done), 0) FROM files WHERE session_id = ?"
    announced, pending = database.execute(query, (session_id,)).fetchone()
    row = database.execute("SELECT replaced FROM runs WHERE session_id = ?", (session_id,)).fetchone()
    replaced = row[0] if row else 0
    return Expected(announced + replaced, pending, replaced)


def _forget_session(database: sqlite3.Connection, session_id: str) -> None:
    with database:
        database.execute("DELETE FROM files WHERE session_id = ?", (session_id,))
        database.execute("DELETE FROM runs WHERE session_id = ?", (session_id,))
