"""Buckets: created, listed, changed, deleted."""

import json
import re
import sqlite3

from pydantic import JsonValue

from emulators.storage import cors
from emulators.storage.clock import Clock, rfc3339
from emulators.storage.database import Database
from emulators.storage.errors import BucketAlreadyExists, BucketNotEmpty, InvalidBucketName, NoSuchBucket
from emulators.storage.resources import Bucket
from emulators.storage.uploads import Preconditions, Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_READ_ONLY = frozenset(
    {"kind", "id", "selfLink", "name", "timeCreated", "updated", "metageneration", "etag", "projectNumber"}
)


class Buckets:
    """All buckets, also held in memory, since every request asks for one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        rows = database.execute("SELECT * FROM buckets ORDER BY name")
        self._buckets = {row["name"]: Bucket.of_row(row) for row in rows}

    def __contains__(self, name: object) -> bool:
        return name in self._buckets

    def get(self, name: str) -> Bucket:
        """A bucket. Raises NoSuchBucket."""
        try:
            return self._buckets[name]
        except KeyError:
            raise NoSuchBucket(f"The specified bucket does not exist: {name}") from None

    def list(self, prefix: str = "") -> list[Bucket]:
        """The buckets whose name begins with `prefix`, by name."""
        return [bucket for name, bucket in sorted(self._buckets.items()) if name.startswith(prefix)]

    def create(self, name: str, settings: Settings) -> Bucket:
        """A new bucket. Raises InvalidBucketName, InvalidArgument or BucketAlreadyExists."""
        if not _NAME.fullmatch(name):
            raise InvalidBucketName(f"Invalid bucket name: '{name}'")
        cors.rules_of(settings)
        now = rfc3339(self._clock())
        bucket = Bucket(name, 1, now, now, writable(settings, _READ_ONLY))
        try:
            self._database.execute(
                "INSERT INTO buckets VALUES (?, ?, ?, ?, ?)", name, 1, now, now, json.dumps(bucket.settings)
            )
        except sqlite3.IntegrityError:
            raise BucketAlreadyExists from None
        self._buckets[name] = bucket
        return bucket

    def change(self, name: str, changes: Settings, preconditions: Preconditions, *, replace: bool) -> Bucket:
        """Merge `changes` into the settings (null removes), or put them in their place.

        Raises PreconditionFailed or InvalidArgument.
        """
        present = self.get(name)
        preconditions.check(present)
        cors.rules_of(changes)
        wanted = writable(changes, _READ_ONLY)
        settings = wanted if replace else merged(present.settings, wanted)
        bucket = Bucket(name, present.metageneration + 1, present.created, rfc3339(self._clock()), settings)
        self._database.execute(
            "UPDATE buckets SET metageneration = ?, updated = ?, settings = ? WHERE name = ?",
            bucket.metageneration, bucket.updated, json.dumps(settings), name,
        )  # fmt: skip
        self._buckets[name] = bucket
        return bucket

    def delete(self, name: str, preconditions: Preconditions) -> None:
        """Drop an empty bucket. Raises BucketNotEmpty or PreconditionFailed."""
        preconditions.check(self.get(name))
        if self._database.row("SELECT 1 FROM objects WHERE bucket = ? LIMIT 1", name):
            raise BucketNotEmpty
        with self._database.transaction():
            self._database.execute("DELETE FROM notification_configs WHERE bucket = ?", name)
            self._database.execute("DELETE FROM buckets WHERE name = ?", name)
        del self._buckets[name]


def writable(given: Settings, read_only: frozenset[str]) -> Settings:
    """What of a resource in a request is stored: all but what the server itself fills in."""
    return {name: value for name, value in given.items() if name not in read_only}


def merged(present: Settings, changes: Settings) -> Settings:
    """The semantics of PATCH: objects are merged, null removes, everything else replaces."""
    result = dict(present)
    for name, value in changes.items():
        old: JsonValue = result.get(name)
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            result[name] = merged(old if isinstance(old, dict) else {}, value)
        else:
            result[name] = value
    return result
