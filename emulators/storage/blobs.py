"""Bytes on disk: arriving ones in `incoming/`, those of objects in `stored/`. Nothing is ever whole in memory."""

import asyncio
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterable
from io import FileIO
from pathlib import Path

from emulators.storage.checksums import Digests, Hasher
from emulators.storage.errors import EntityTooLarge

BLOCK = 1 << 20
"""Bytes that are hashed, written or read at once."""


class Incoming:
    """A file that grows: blocks are hashed and written in a thread while the next one arrives.

    Raises EntityTooLarge from `write` as soon as more than `limit` bytes in all have come.
    """

    def __init__(self, path: Path, hasher: Hasher, limit: int | None = None) -> None:
        self.path = path
        self.size = hasher.size
        self._hasher = hasher
        self._limit = limit
        self._file = FileIO(path, "ab")
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._storing: asyncio.Future[None] | None = None

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self.size += len(chunk)
        if self._limit is not None and self.size > self._limit:
            raise EntityTooLarge(f"Content exceeds the maximum of {self._limit} bytes.")
        self._waiting.append(chunk)
        self._waiting_size += len(chunk)
        if self._waiting_size >= BLOCK:
            await self._stored()
            loop = asyncio.get_running_loop()
            self._storing = loop.run_in_executor(None, self._store, self._take())

    async def close(self) -> None:
        """Put everything that arrived into the file."""
        try:
            await self._stored()
            self._store(self._take())
        finally:
            self._file.close()

    def digests(self) -> Digests:
        """The digests of everything in the file; after `close`."""
        return self._hasher.digests()

    async def discard(self) -> None:
        """Drop the file."""
        await self._stored()
        self._file.close()
        self.path.unlink(missing_ok=True)

    async def _stored(self) -> None:
        if self._storing:
            storing, self._storing = self._storing, None
            await storing

    def _take(self) -> bytes:
        block, self._waiting, self._waiting_size = b"".join(self._waiting), [], 0
        return block

    def _store(self, block: bytes) -> None:
        self._hasher.update(block)
        view = memoryview(block)
        while view:
            view = view[self._file.write(view) or 0 :]


class Blobs:
    """The folder of all bytes. A blob's name is random, its content never changes."""

    def __init__(self, root: Path) -> None:
        self._incoming = root / "incoming"
        self._stored = root / "stored"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for number in range(256):
            (self._stored / f"{number:02x}").mkdir(parents=True, exist_ok=True)

    def incoming(self, name: str | None = None) -> Path:
        """Where bytes arrive: a new file, or that of a session."""
        return self._incoming / (name or secrets.token_hex(16))

    def path(self, blob: str) -> Path:
        """The file of a blob."""
        return self._stored / blob[:2] / blob

    def adopt(self, arrived: Path) -> str:
        """Make a complete file a blob, in one step."""
        blob = secrets.token_hex(16)
        arrived.rename(self.path(blob))
        return blob

    def link(self, blob: str) -> str:
        """A second blob of the same content, without copying it."""
        copy = secrets.token_hex(16)
        os.link(self.path(blob), self.path(copy))
        return copy

    def remove(self, blobs: Iterable[str]) -> None:
        """Drop blobs; one that is being read stays readable to its reader."""
        for blob in blobs:
            self.path(blob).unlink(missing_ok=True)

    def sweep(self, blobs: set[str], sessions: set[str]) -> None:
        """Drop what a killed server left behind: everything that belongs to no object and to no session."""
        for path in self._incoming.iterdir():
            if path.name not in sessions:
                path.unlink()
        for path in self._stored.glob("*/*"):
            if path.name not in blobs:
                path.unlink()

    async def concatenate(self, blobs: Iterable[str]) -> tuple[Path, Digests]:
        """A new file of the blobs' contents, one after the other."""
        target = self.incoming()
        return target, await asyncio.to_thread(_concatenate, target, [self.path(blob) for blob in blobs])


async def read_blocks(file: FileIO, first: int, size: int) -> AsyncIterator[bytes]:
    """`size` bytes of the file from offset `first`, in blocks; closes the file."""
    try:
        file.seek(first)
        while size > 0:
            wanted = min(BLOCK, size)
            # A thread costs more than reading a few pages that are in memory.
            block = file.read(wanted) if wanted < BLOCK else await asyncio.to_thread(file.read, wanted)
            if not block:
                raise OSError("the file of an object is shorter than the object")
            size -= len(block)
            yield block
    finally:
        file.close()


def hash_file(path: Path, hasher: Hasher) -> None:
    """Feed a whole file to the hasher; blocking."""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            hasher.update(block)


def _concatenate(target: Path, sources: list[Path]) -> Digests:
    with target.open("wb") as out:
        for source in sources:
            with source.open("rb") as file:
                shutil.copyfileobj(file, out, BLOCK)
    hasher = Hasher()
    hash_file(target, hasher)
    return hasher.digests()
