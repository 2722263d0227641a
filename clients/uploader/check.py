"""The first stage of a run: walks the folder and finds what is new or changed, a batch of files at a time."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from clients.uploader.events import Counted, Hashed, Observer
from clients.uploader.hashing import HashedFile, Hasher
from clients.uploader.journal import Entry, TargetJournal
from clients.uploader.walk import LocalFile, Unusable, Walk

_BATCH_FILES = 256
"""Files that one thread hashes in one go."""
_BATCH_BYTES = 64 << 20
"""Bytes after which a batch is full before it has that many files."""
_BATCHES = 4
"""Batches that are hashed, or wait to be announced, at the same time."""

Batch = Sequence[LocalFile | Unusable]


@dataclass(frozen=True)
class Checked:
    """A batch after its check: what is to be uploaded, what was before, what was refused, and what can't be."""

    new: list[HashedFile]
    unchanged: list[HashedFile]
    refused: list[HashedFile]
    unusable: list[Unusable]


class Check:
    """Compares a folder with the journal. Checksums are computed in threads, in several batches at the same time."""

    def __init__(self, walk: Walk, journal: TargetJournal, observe: Observer) -> None:
        loop = asyncio.get_running_loop()

        def report(files: int, size: int) -> None:
            loop.call_soon_threadsafe(observe, Hashed(files, size))

        self._walk = walk
        self._journal = journal
        self._observe = observe
        self._hasher = Hasher(report)
        self._batches: asyncio.Queue[asyncio.Task[Checked] | None] = asyncio.Queue(_BATCHES)

    def stop(self) -> None:
        """Ends the checksums under way."""
        self._hasher.stop()

    async def count(self) -> Counted:
        """How many files there are, and their bytes: what the display needs to tell how far the run is."""
        return await asyncio.to_thread(_count, self._walk)

    async def run(self, stages: asyncio.TaskGroup) -> None:
        """Walks the folder; waits whenever enough batches are ahead of `batches`."""
        files = iter(self._walk)
        while batch := await asyncio.to_thread(_next_batch, files):
            await self._batches.put(stages.create_task(self._examine(batch)))
        await self._batches.put(None)

    async def batches(self) -> AsyncIterator[Checked]:
        """The checked batches, in the order of the walk."""
        while (batch := await self._batches.get()) is not None:
            yield await batch

    async def _examine(self, batch: Batch) -> Checked:
        files = [file for file in batch if isinstance(file, LocalFile)]
        known = self._journal.lookup([file.path for file in files])
        kept = [HashedFile.of(file, known[file.path].crc32c) for file in files if _same_time(file, known)]
        self._observe(Hashed(len(kept), sum(file.size for file in kept)))
        rest = [file for file in files if not _same_time(file, known)]
        results = await asyncio.to_thread(self._hasher.hash_all, rest)
        hashed = [file for file in results if isinstance(file, HashedFile)]
        self._journal.touched(file for file in hashed if _same_content(file, known))
        checked = Checked([], [], [], [item for item in (*batch, *results) if isinstance(item, Unusable)])
        for file in (*kept, *hashed):
            if not (_same_content(file, known) and known[file.path].done):
                checked.new.append(file)
            elif known[file.path].refused:
                checked.refused.append(file)
            else:
                checked.unchanged.append(file)
        return checked


def _count(walk: Walk) -> Counted:
    files, size = 0, 0
    for item in walk:
        if isinstance(item, LocalFile):
            files += 1
            size += item.size
    return Counted(files, size)


def _next_batch(files: Iterator[LocalFile | Unusable]) -> Batch:
    batch: list[LocalFile | Unusable] = []
    size = 0
    for file in islice(files, _BATCH_FILES):
        batch.append(file)
        size += file.size if isinstance(file, LocalFile) else 0
        if size >= _BATCH_BYTES:
            break
    return batch


def _same_time(file: LocalFile, known: Mapping[str, Entry]) -> bool:
    entry = known.get(file.path)
    return entry is not None and (file.size, file.mtime_ns) == (entry.size, entry.mtime_ns)


def _same_content(file: HashedFile, known: Mapping[str, Entry]) -> bool:
    entry = known.get(file.path)
    return entry is not None and (file.size, file.crc32c) == (entry.size, entry.crc32c)
