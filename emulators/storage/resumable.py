"""Resumable uploads: sessions that outlive the connection and the server.

The file of a session is the truth about what has arrived; the table remembers what was promised
(https://cloud.google.com/storage/docs/performing-resumable-uploads).
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from weakref import WeakValueDictionary

from emulators.storage.blobs import Blobs, Incoming, hash_file
from emulators.storage.checksums import Checksums, Hasher
from emulators.storage.clock import Clock
from emulators.storage.database import Database
from emulators.storage.errors import InvalidArgument, NoSuchUpload, OffsetTooFar, StorageError, UploadGone
from emulators.storage.objects import Objects
from emulators.storage.resources import StoredObject
from emulators.storage.uploads import Upload

CHUNK_MULTIPLE = 256 * 1024
"""Every chunk but the last one is a multiple of this; what is over is not kept."""
LIFETIME = timedelta(days=7)
"""How long a session URI works."""
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(?:(\d+)|\*)")


@dataclass(frozen=True, slots=True)
class ContentRange:
    """`bytes FIRST-LAST/TOTAL`; without FIRST a question about the state; without TOTAL not the last chunk."""

    first: int | None
    last: int | None
    total: int | None

    @classmethod
    def of(cls, text: str | None) -> "ContentRange | None":
        """Read a Content-Range header, if there is one. Raises InvalidArgument."""
        if text is None:
            return None
        match = _CONTENT_RANGE.fullmatch(text.strip())
        if not match:
            raise InvalidArgument(f"Failed to parse Content-Range header: {text}")
        first, last, total = (None if number is None else int(number) for number in match.groups())
        if first is not None and last is not None and (last < first or (total is not None and last >= total)):
            raise InvalidArgument(f"Content-Range is not a range: {text}")
        return cls(first, last, total)


class State(StrEnum):
    """Of a session: bytes may come; the object is there; or nothing may come any more."""

    OPEN = "open"
    DONE = "done"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Session:
    """An upload under way. `total` is the size of the object in bytes, once it is known."""

    id: str
    upload: Upload
    total: int | None
    state: State
    generation: int | None


@dataclass(frozen=True, slots=True)
class Incomplete:
    """More is to come; so many bytes are here."""

    received: int


class Sessions:
    """The sessions of all buckets."""

    def __init__(self, database: Database, blobs: Blobs, objects: Objects, clock: Clock) -> None:
        self._database = database
        self._blobs = blobs
        self._objects = objects
        self._clock = clock
        self._hashers: dict[str, Hasher] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def start(self, upload: Upload, total: int | None) -> str:
        """A new session; gives its id, which is all that is needed to go on. Raises what the end would raise."""
        self._objects.check(upload)
        if total is not None:
            upload.length.check(total)
        number = secrets.token_urlsafe(48)
        self._blobs.incoming(number).touch()
        self._database.execute(
            "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)",
            number, upload.model_dump_json(by_alias=True), total, State.OPEN, None, self._clock().timestamp(),
        )  # fmt: skip
        return number

    def get(self, number: str) -> Session:
        """A session. Raises NoSuchUpload, or UploadGone after a week, a cancellation or a failure."""
        row = self._database.row("SELECT * FROM uploads WHERE id = ?", number)
        if row is None:
            raise NoSuchUpload
        if row["state"] == State.GONE or row["created"] < self._oldest():
            raise UploadGone
        upload = Upload.model_validate_json(row["upload"])
        return Session(number, upload, row["total"], State(row["state"]), row["generation"])

    async def put(
        self, number: str, content_range: ContentRange | None, chunks: AsyncIterable[bytes], promised: Checksums
    ) -> StoredObject | Incomplete:
        """Take a chunk (or, without a range, all of it), or tell how far the upload is.

        `promised` are checksums of the whole object. Raises OffsetTooFar or InvalidArgument; at the end what an upload
        raises, and then the session is over.
        """
        async with self._locks.setdefault(number, asyncio.Lock()):
            session = self.get(number)
            if session.state is State.DONE:
                return self._objects.get(session.upload.bucket, session.upload.name, session.generation)
            try:
                return await self._put(session, content_range, chunks, promised)
            except (OffsetTooFar, InvalidArgument):
                raise
            except StorageError:
                self._close(session, State.GONE)
                raise

    def cancel(self, number: str) -> None:
        """End a session without an object."""
        self._close(self.get(number), State.GONE)

    def expire(self) -> set[str]:
        """Forget what is older than a week; gives the ids of the open sessions."""
        self._database.execute("DELETE FROM uploads WHERE created < ?", self._oldest())
        rows = self._database.execute("SELECT id FROM uploads WHERE state = ?", State.OPEN)
        return {row["id"] for row in rows}

    async def _put(
        self, session: Session, content_range: ContentRange | None, chunks: AsyncIterable[bytes], promised: Checksums
    ) -> StoredObject | Incomplete:
        total = self._agreed_total(session, content_range)
        if content_range is None:
            received = await self._append(session, 0, None, chunks)
            if total not in (None, received):
                raise InvalidArgument(f"{received} bytes came, {total} were announced.")
            return await self._finish(session, promised)
        if content_range.first is not None and content_range.last is not None:
            length = content_range.last - content_range.first + 1
            whole = total is not None and content_range.last + 1 == total
            keep = length if whole else length - length % CHUNK_MULTIPLE
            await self._append(session, content_range.first, keep, chunks)
        received = self._received(session)
        return await self._finish(session, promised) if received == total else Incomplete(received)

    def _agreed_total(self, session: Session, content_range: ContentRange | None) -> int | None:
        """The size of the object: what was said before and what is said now must agree. Remembered."""
        said = content_range.total if content_range else None
        if said is None or said == session.total:
            return session.total
        if session.total is not None:
            raise InvalidArgument(f"Content-Range gives {said} bytes in all, {session.total} were announced.")
        session.upload.length.check(said)
        self._database.execute("UPDATE uploads SET total = ? WHERE id = ?", said, session.id)
        return said

    async def _append(self, session: Session, first: int, keep: int | None, chunks: AsyncIterable[bytes]) -> int:
        """Write `keep` bytes (None: all) that begin at offset `first`; what is already here is skipped.

        When the connection breaks, what arrived stays.
        """
        received = self._received(session)
        if first > received:
            raise OffsetTooFar(first, received)
        skip = received - first
        room = None if keep is None else max(keep - skip, 0)
        hasher = await self._hasher(session, received)
        incoming = Incoming(self._blobs.incoming(session.id), hasher, session.upload.length.maximum)
        try:
            async for chunk in chunks:
                fresh = chunk[skip:]
                skip = max(skip - len(chunk), 0)
                if room is not None:
                    fresh = fresh[:room]
                    room -= len(fresh)
                await incoming.write(fresh)
        finally:
            await incoming.close()
        return incoming.size

    def _received(self, session: Session) -> int:
        return self._blobs.incoming(session.id).stat().st_size

    async def _hasher(self, session: Session, received: int) -> Hasher:
        """The hasher that has seen the bytes received; after a restart it reads them again."""
        hasher = self._hashers.get(session.id)
        if hasher is None or hasher.size != received:
            hasher = Hasher(sha256=session.upload.checksums.sha256 is not None)
            await asyncio.to_thread(hash_file, self._blobs.incoming(session.id), hasher)
            self._hashers[session.id] = hasher
        return hasher

    async def _finish(self, session: Session, promised: Checksums) -> StoredObject:
        digests = (await self._hasher(session, self._received(session))).digests()
        upload = session.upload.model_copy(update={"checksums": session.upload.checksums.and_also(promised)})
        upload.check(digests)
        self._objects.check(upload)
        created = self._objects.create(upload, self._blobs.adopt(self._blobs.incoming(session.id)), digests)
        self._close(session, State.DONE, created.generation)
        return created

    def _close(self, session: Session, state: State, generation: int | None = None) -> None:
        self._database.execute(
            "UPDATE uploads SET state = ?, generation = ? WHERE id = ?", state, generation, session.id
        )
        self._hashers.pop(session.id, None)
        self._blobs.incoming(session.id).unlink(missing_ok=True)

    def _oldest(self) -> float:
        return (self._clock() - LIFETIME).timestamp()
