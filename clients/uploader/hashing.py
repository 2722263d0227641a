"""CRC32C of files, as Cloud Storage counts it: base 64 of the 4 bytes, big-endian."""

import base64
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import google_crc32c

from clients.uploader.content_types import content_type_of
from clients.uploader.errors import FileChanged, FileProblem, problem_of
from clients.uploader.walk import LocalFile, Unusable

_BLOCK = 1 << 20
"""Bytes read at a time; the checksum of a block does not hold the interpreter lock."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file as it goes into the manifest, and as it must still be when its bytes are sent."""

    path: str
    location: str
    size: int
    mtime_ns: int
    content_type: str
    crc32c: str

    @classmethod
    def of(cls, file: LocalFile, crc32c: str) -> "HashedFile":
        """The file with its checksum."""
        return cls(file.path, file.location, file.size, file.mtime_ns, content_type_of(file.path), crc32c)


class Stopped(Exception):
    """The run ended while a file was being read."""


class Hasher:
    """Computes checksums in whatever thread calls it; `stop` ends them all soon."""

    def __init__(self, report: Callable[[int, int], None]) -> None:
        """`report` gets (files, bytes) now and then, from the calling thread."""
        self._report = report
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Makes every checksum under way raise `Stopped` at its next block."""
        self._stopped.set()

    def hash_all(self, files: Sequence[LocalFile]) -> list[HashedFile | Unusable]:
        """The files with their checksums, in the same order; a file that can't be read takes its problem along."""
        hashed = [self._hash(file) for file in files]
        # Whole blocks were reported as they were read; what is left is one report, however many files are small.
        self._report(len(files), sum(file.size % _BLOCK for file in files))
        return hashed

    def _hash(self, file: LocalFile) -> HashedFile | Unusable:
        try:
            return HashedFile.of(file, self._checksum(file))
        except FileProblem as problem:
            return Unusable(file.path, problem)
        except OSError as error:
            return Unusable(file.path, problem_of(error))

    def _checksum(self, file: LocalFile) -> str:
        crc, length = 0, 0
        with open(file.location, "rb", buffering=0) as source:
            while block := source.read(_BLOCK):
                if self._stopped.is_set():
                    raise Stopped
                crc = google_crc32c.extend(crc, block)
                length += len(block)
                if len(block) == _BLOCK:
                    self._report(0, _BLOCK)
            after = os.fstat(source.fileno())
        if (length, after.st_mtime_ns) != (file.size, file.mtime_ns):
            raise FileChanged("The file changed while its checksum was computed.")
        return encode(crc)


def encode(crc: int) -> str:
    """A checksum in the form of the manifest."""
    return base64.b64encode(crc.to_bytes(4, "big")).decode()
