"""What the server remembers: one sqlite file, used from the event loop's thread only.

`synchronous=OFF` survives a killed server, not a crashed machine; that is what a local bucket needs, and it is fast.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    metageneration INTEGER NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    settings TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notification_configs (
    bucket TEXT NOT NULL,
    id INTEGER NOT NULL,
    settings TEXT NOT NULL,
    PRIMARY KEY (bucket, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL,
    name TEXT NOT NULL,
    generation INTEGER NOT NULL,
    metageneration INTEGER NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    crc32c TEXT NOT NULL,
    md5 TEXT,
    components INTEGER,
    settings TEXT NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL,
    deleted TEXT,
    PRIMARY KEY (bucket, name, generation)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS live_objects ON objects (bucket, name) WHERE deleted IS NULL;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    upload TEXT NOT NULL,
    total INTEGER,
    state TEXT NOT NULL,
    generation INTEGER,
    created REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    position INTEGER NOT NULL,
    ready REAL NOT NULL,
    topic TEXT NOT NULL,
    attributes TEXT NOT NULL,
    data BLOB NOT NULL
);
"""


class Database:
    """A connection whose writes happen in transactions."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.executescript(_SCHEMA)

    def execute(self, sql: str, *parameters: str | float | bytes | None) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, parameters)

    def row(self, sql: str, *parameters: str | float | bytes | None) -> sqlite3.Row | None:
        """The first row of a query."""
        found: sqlite3.Row | None = self.execute(sql, *parameters).fetchone()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Holds no `await`: the event loop's thread is the lock."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
