"""Manifest pages: how many files go into one, and what a refused one says of its files."""

import re
from collections.abc import Iterable, Mapping, Sequence

from clients.uploader.content_types import content_type_of
from clients.uploader.contract import MANIFEST_LIMIT, ManifestFile
from clients.uploader.errors import ApiError, FileProblem
from clients.uploader.hashing import HashedFile
from clients.uploader.journal import Entry

_HEAVY = 256 << 20
"""Bytes of files after which a page is sent before it is full: the sending of large files begins early."""
_LETTERS = 1 << 20
"""Letters of paths that one page holds, so that its JSON stays below 4 MiB in any script."""


class ManifestPage:
    """The files that are announced in one call."""

    def __init__(self, files: Iterable[HashedFile] = ()) -> None:
        self.files: list[HashedFile] = []
        self._bytes = 0
        self._letters = 0
        for file in files:
            self.add(file)

    def add(self, file: HashedFile) -> None:
        """Puts one more file on the page."""
        self.files.append(file)
        self._bytes += file.size
        self._letters += len(file.path)

    @property
    def full(self) -> bool:
        """Whether the page can take no more."""
        return len(self.files) == MANIFEST_LIMIT or self._letters > _LETTERS

    @property
    def heavy(self) -> bool:
        """Whether there is enough to send already."""
        return self._bytes >= _HEAVY


def entry_of(file: HashedFile | Entry) -> ManifestFile:
    """A file as it is announced."""
    return ManifestFile(path=file.path, size=file.size, content_type=content_type_of(file.path), crc32c=file.crc32c)


def refused_in(error: ApiError, files: Sequence[ManifestFile]) -> Mapping[str, FileProblem]:
    """The announced files that a refusal is about, by path, and what is wrong. Empty: it is about the request."""
    paths = {file["path"] for file in files}
    refused: dict[str, FileProblem] = {}
    for detail in error.details:
        place = re.match(r"files\.(\d+)\b", str(detail.get("field", "")))
        path = files[int(place[1])]["path"] if place and int(place[1]) < len(files) else str(detail.get("path"))
        if path in paths:
            message, code = detail.get("message", error.message), detail.get("code", error.code)
            refused[path] = FileProblem(str(message), code=str(code))
    return refused
