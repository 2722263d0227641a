"""Queues, tasks and tombstones on disk, in SQLite: the whole state, so that a killed emulator goes on where it was.

Every method is one transaction and returns in microseconds, which is why they are called from the event loop
directly. Journal and locking are chosen for one process that may be killed at any time: nothing written is lost by
that, and a second emulator on the same folder is refused. Times are seconds since the epoch.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from google.cloud.tasks_v2.types import Queue, Task

from emulators.tasks.messages import moment

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, message BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    queue TEXT NOT NULL,
    due REAL NOT NULL,
    leased INTEGER NOT NULL,
    executions INTEGER NOT NULL,
    previous_response INTEGER,
    message BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS tasks_by_due ON tasks (queue, leased, due);
CREATE TABLE IF NOT EXISTS tombstones (name TEXT PRIMARY KEY, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tombstones_by_expiry ON tombstones (expires);
"""

_SELECT_TASK = "SELECT id, executions, previous_response, message FROM tasks "


@dataclass(slots=True)
class StoredTask:
    """A task and what its message has no field for.

    `executions` counts the answers that were not 5xx; `previous_response` is the HTTP status of the latest attempt, 0
    when it got no answer, None before the first.
    """

    id: int
    executions: int
    previous_response: int | None
    task: Task


@dataclass(frozen=True, slots=True)
class Backlog:
    """How full a queue is. `oldest_due` is the schedule time of the task that is next, None for an empty queue."""

    depth: int
    leased: int
    oldest_due: float | None


class Store:
    """The state of the emulator. `folder` None keeps it in memory."""

    def __init__(self, folder: Path | None) -> None:
        if folder:
            folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "tasks.sqlite3" if folder else ":memory:", isolation_level=None, timeout=1)
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)
        # Whatever was in flight when the emulator stopped is dispatched again: at least once.
        self._db.execute("UPDATE tasks SET leased = 0 WHERE leased = 1")

    def close(self) -> None:
        """Writes everything out; the store is of no use afterwards."""
        self._db.close()

    def queue(self, name: str) -> Queue | None:
        """The queue of that name."""
        row = self._db.execute("SELECT message FROM queues WHERE name = ?", (name,)).fetchone()
        return Queue.deserialize(row[0]) if row else None

    def queues(self, location: str, after: str, limit: int) -> list[Queue]:
        """Queues of a location by name, those after the given name."""
        rows = self._db.execute(
            "SELECT message FROM queues WHERE name > ? AND name < ? ORDER BY name LIMIT ?",
            (max(f"{location}/queues/", after), f"{location}/queues0", limit),  # "0" is the character after "/"
        )
        return [Queue.deserialize(message) for (message,) in rows]

    def all_queues(self) -> list[Queue]:
        """Every queue of every project."""
        return [Queue.deserialize(message) for (message,) in self._db.execute("SELECT message FROM queues")]

    def save_queue(self, queue: Queue) -> None:
        """Creates the queue or replaces its settings."""
        self._db.execute("INSERT OR REPLACE INTO queues VALUES (?, ?)", (queue.name, Queue.serialize(queue)))

    def delete_queue(self, name: str) -> None:
        """Removes a queue and its tasks."""
        with self._transaction():
            self._db.execute("DELETE FROM queues WHERE name = ?", (name,))
            self._db.execute("DELETE FROM tasks WHERE queue = ?", (name,))

    def purge(self, queue: str, tombstones_expire: float) -> None:
        """Removes every task of a queue; their names stay taken."""
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO tombstones SELECT name, ? FROM tasks WHERE queue = ?",
                (tombstones_expire, queue),
            )
            self._db.execute("DELETE FROM tasks WHERE queue = ?", (queue,))

    def add(self, queue: str, task: Task) -> None:
        """Stores a task whose name is free."""
        self._db.execute(
            "INSERT INTO tasks (name, queue, due, leased, executions, message) VALUES (?, ?, ?, 0, 0, ?)",
            (task.name, queue, moment(task.schedule_time).timestamp(), Task.serialize(task)),
        )

    def task(self, name: str) -> StoredTask | None:
        """The task of that name, unless it is done or deleted."""
        return self._one(_SELECT_TASK + "WHERE name = ?", name)

    def task_by_id(self, number: int) -> StoredTask | None:
        """The task of that row, unless it is done or deleted; a later task of the same name has another row."""
        return self._one(_SELECT_TASK + "WHERE id = ?", number)

    def tasks(self, queue: str, after: str, limit: int) -> list[Task]:
        """Tasks of a queue by name, those after the given name."""
        rows = self._db.execute(
            "SELECT message FROM tasks WHERE queue = ? AND name > ? ORDER BY name LIMIT ?", (queue, after, limit)
        )
        return [Task.deserialize(message) for (message,) in rows]

    def due(self, queue: str, now: float, limit: int) -> list[StoredTask]:
        """Tasks that may be dispatched, the longest waiting first."""
        rows = self._db.execute(
            _SELECT_TASK + "WHERE queue = ? AND leased = 0 AND due <= ? ORDER BY due LIMIT ?",
            (queue, now, limit),
        )
        return [_stored(row) for row in rows]

    def next_due(self, queue: str) -> float | None:
        """When the next task of a queue may be dispatched; past for one that waits already, None when there is none."""
        sql = "SELECT MIN(due) FROM tasks WHERE queue = ? AND leased = 0"
        due: float | None = self._db.execute(sql, (queue,)).fetchone()[0]
        return due

    def save(self, stored: StoredTask, *, leased: bool) -> None:
        """Writes a task back: leased while it is dispatched, else due at its schedule time. A deleted one stays so."""
        self._db.execute(
            "UPDATE tasks SET due = ?, leased = ?, executions = ?, previous_response = ?, message = ? WHERE id = ?",
            (
                moment(stored.task.schedule_time).timestamp(),
                leased,
                stored.executions,
                stored.previous_response,
                Task.serialize(stored.task),
                stored.id,
            ),
        )

    def bury(self, stored: StoredTask, now: float, tombstone_expires: float) -> None:
        """Removes a task; its name stays taken until the given time. Nothing happens to one that is gone already."""
        tombstone = (stored.task.name, tombstone_expires)
        with self._transaction():
            self._db.execute("DELETE FROM tombstones WHERE expires <= ?", (now,))
            if self._db.execute("DELETE FROM tasks WHERE id = ?", (stored.id,)).rowcount:
                self._db.execute("INSERT OR REPLACE INTO tombstones VALUES (?, ?)", tombstone)

    def is_buried(self, name: str, now: float) -> bool:
        """Whether a task of that name was done or deleted recently."""
        sql = "SELECT 1 FROM tombstones WHERE name = ? AND expires > ?"
        return self._db.execute(sql, (name, now)).fetchone() is not None

    def backlog(self, queue: str) -> Backlog:
        """How full a queue is."""
        sql = "SELECT COUNT(*), COALESCE(SUM(leased), 0), MIN(due) FROM tasks WHERE queue = ?"
        return Backlog(*self._db.execute(sql, (queue,)).fetchone())

    def _one(self, sql: str, key: str | int) -> StoredTask | None:
        row = self._db.execute(sql, (key,)).fetchone()
        return _stored(row) if row else None

    def _transaction(self) -> sqlite3.Connection:
        # The connection commits or rolls back when its `with` block ends.
        self._db.execute("BEGIN IMMEDIATE")
        return self._db


def _stored(row: tuple[int, int, int | None, bytes]) -> StoredTask:
    number, executions, previous_response, message = row
    return StoredTask(number, executions, previous_response, Task.deserialize(message))
