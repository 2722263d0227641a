"""Reading a file while it is sent, and noticing when it is not the file any more whose checksum was announced."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import FileIO
from typing import Final

from clients.uploader.errors import FileChanged, problem_of
from clients.uploader.hashing import HashedFile

PIECE: Final = 1 << 20
"""Bytes read and handed to the connection at a time."""
INLINE: Final = 256 << 10
"""Bytes up to which a file is read without a thread: the hop would cost more than the read."""


def whole(file: HashedFile) -> bytes:
    """All bytes of a small file."""
    with _opened(file) as source:
        return _read(source, file, file.size)


async def pieces(file: HashedFile, start: int, end: int) -> AsyncIterator[bytes]:
    """The bytes from `start` up to, not including, `end`."""
    with _opened(file) as source:
        source.seek(start)
        while start < end:
            piece = await asyncio.to_thread(_read, source, file, min(PIECE, end - start))
            start += len(piece)
            yield piece


@contextmanager
def _opened(file: HashedFile) -> Iterator[FileIO]:
    try:
        source = open(file.location, "rb", buffering=0)  # noqa: SIM115  # closed below
    except OSError as error:
        raise problem_of(error) from error
    with source:
        yield source


def _read(source: FileIO, file: HashedFile, length: int) -> bytes:
    try:
        piece = source.read(length)
        now = os.fstat(source.fileno())
    except OSError as error:
        raise problem_of(error) from error
    if len(piece) != length or (now.st_size, now.st_mtime_ns) != (file.size, file.mtime_ns):
        raise FileChanged("The file changed while it was uploaded.")
    return piece
