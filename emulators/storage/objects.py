"""Objects: stored, found, changed, copied, deleted; each change in one transaction with its notifications."""

import json
from dataclasses import replace
from datetime import datetime

from emulators.storage.blobs import Blobs
from emulators.storage.buckets import Buckets, merged, writable
from emulators.storage.checksums import Digests
from emulators.storage.clock import Clock, microseconds, rfc3339
from emulators.storage.database import Database
from emulators.storage.errors import InvalidArgument, NoSuchKey
from emulators.storage.notifications import Event, EventType, Outbox
from emulators.storage.resources import StoredObject
from emulators.storage.uploads import Preconditions, Settings, Upload

LONGEST_NAME = 1024
"""Bytes of an object's name (https://cloud.google.com/storage/docs/objects#naming)."""
_READ_ONLY = frozenset(
    {
        "kind", "id", "selfLink", "mediaLink", "name", "bucket", "generation", "metageneration", "size", "crc32c",
        "md5Hash", "etag", "timeCreated", "updated", "timeDeleted", "timeStorageClassUpdated", "componentCount",
        "owner", "acl",
    }
)  # fmt: skip


class Objects:
    """The objects of all buckets."""

    def __init__(self, database: Database, blobs: Blobs, buckets: Buckets, outbox: Outbox, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._buckets = buckets
        self._outbox = outbox
        self._clock = clock
        row = database.row("SELECT max(generation) AS last FROM objects")
        self._generation = (row and row["last"]) or 0

    def find(self, bucket: str, name: str, generation: int | None = None) -> StoredObject | None:
        """The live object, or that of a generation; None if there is none. Raises NoSuchBucket."""
        self._buckets.get(bucket)
        if generation is None:
            row = self._database.row(
                "SELECT * FROM objects WHERE bucket = ? AND name = ? AND deleted IS NULL", bucket, name
            )
        else:
            row = self._database.row(
                "SELECT * FROM objects WHERE bucket = ? AND name = ? AND generation = ?", bucket, name, generation
            )
        return StoredObject.of_row(row) if row else None

    def get(self, bucket: str, name: str, generation: int | None = None) -> StoredObject:
        """Like `find`, but raises NoSuchKey."""
        found = self.find(bucket, name, generation)
        if found is None:
            raise NoSuchKey(f"No such object: {bucket}/{name}")
        return found

    def check(self, upload: Upload) -> None:
        """Raises what would be raised at the end: NoSuchBucket, PreconditionFailed, or InvalidArgument for the name."""
        length = len(upload.name.encode())
        if not 0 < length <= LONGEST_NAME or upload.name in (".", "..") or {"\r", "\n"} & set(upload.name):
            raise InvalidArgument(f"The object name is not valid: {upload.name!r}")
        upload.preconditions.check(self.find(upload.bucket, upload.name))

    def create(self, upload: Upload, blob: str, digests: Digests, components: int | None = None) -> StoredObject:
        """Make stored bytes the live object, if the preconditions still hold. The blob is dropped if they do not."""
        try:
            with self._database.transaction():
                created, dropped = self._create(upload, blob, digests, components)
        except BaseException:
            self._blobs.remove([blob])
            raise
        self._blobs.remove(dropped)
        return created

    def change(
        self, target: StoredObject, changes: Settings, preconditions: Preconditions, *, replace_all: bool
    ) -> StoredObject:
        """Merge `changes` into the metadata (null removes), or put them in its place. Raises PreconditionFailed."""
        preconditions.check(target)
        wanted = writable(changes, _READ_ONLY)
        changed = replace(
            target,
            settings=wanted if replace_all else merged(target.settings, wanted),
            metageneration=target.metageneration + 1,
            updated=rfc3339(self._clock()),
        )
        with self._database.transaction():
            self._database.execute(
                "UPDATE objects SET metageneration = ?, updated = ?, settings = ? "
                "WHERE bucket = ? AND name = ? AND generation = ?",
                changed.metageneration, changed.updated, json.dumps(changed.settings),
                changed.bucket, changed.name, changed.generation,
            )  # fmt: skip
            self._outbox.put(Event(EventType.METADATA_UPDATE, changed))
        return changed

    def backdate(self, target: StoredObject, created: datetime) -> None:
        """Say that an object was made at this moment."""
        self._database.execute(
            "UPDATE objects SET created = ? WHERE bucket = ? AND name = ? AND generation = ?",
            rfc3339(created), target.bucket, target.name, target.generation,
        )  # fmt: skip

    def delete(self, target: StoredObject, preconditions: Preconditions, *, version: bool) -> None:
        """Delete an object, or just this `version` of it: the live one of a versioned bucket stays as noncurrent."""
        preconditions.check(target)
        keep = self._buckets.get(target.bucket).versioned and not version
        with self._database.transaction():
            self._retire(target, keep=keep, replaced_by=None)
        if not keep:
            self._blobs.remove([target.blob])

    def copy(self, source: StoredObject, upload: Upload) -> StoredObject:
        """A second object of the same bytes, under the settings of `upload`."""
        self.check(upload)
        digests = Digests(source.size, source.crc32c, source.md5)
        return self.create(upload, self._blobs.link(source.blob), digests, source.components)

    def _create(
        self, upload: Upload, blob: str, digests: Digests, components: int | None
    ) -> tuple[StoredObject, list[str]]:
        self.check(upload)
        present = self.find(upload.bucket, upload.name)
        self._generation = max(self._generation + 1, microseconds(self._clock()))
        now = rfc3339(self._clock())
        created = StoredObject(
            bucket=upload.bucket, name=upload.name, generation=self._generation, metageneration=1, blob=blob,
            size=digests.size, crc32c=digests.crc32c, md5=digests.md5, components=components,
            settings=writable(upload.settings, _READ_ONLY), created=now, updated=now, deleted=None,
        )  # fmt: skip
        dropped = []
        if present:
            keep = self._buckets.get(upload.bucket).versioned
            self._retire(present, keep=keep, replaced_by=created.generation)
            dropped = [] if keep else [present.blob]
        self._database.execute(
            "INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            created.bucket, created.name, created.generation, created.metageneration, created.blob, created.size,
            created.crc32c, created.md5, created.components, json.dumps(created.settings),
            created.created, created.updated, None,
        )  # fmt: skip
        self._outbox.put(Event(EventType.FINALIZE, created, replaced=present.generation if present else None))
        return created, dropped

    def _retire(self, target: StoredObject, *, keep: bool, replaced_by: int | None) -> None:
        now = rfc3339(self._clock())
        key = (target.bucket, target.name, target.generation)
        if keep:
            self._database.execute(
                "UPDATE objects SET deleted = ? WHERE bucket = ? AND name = ? AND generation = ?", now, *key
            )
        else:
            self._database.execute("DELETE FROM objects WHERE bucket = ? AND name = ? AND generation = ?", *key)
        kind = EventType.ARCHIVE if keep else EventType.DELETE
        self._outbox.put(Event(kind, replace(target, deleted=now), replaced_by=replaced_by))
