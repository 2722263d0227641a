"""Which files of a folder are uploaded, in which order, and under which names.

The order is that of the names, folder by folder; the names are relative, with `/`, in Unicode NFC, so that the same
folder gives the same manifest on every system.
"""

import fnmatch
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.uploader.errors import FileProblem, NothingToUpload, problem_of

_LITTER = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__macosx", "$recycle.bin"})
"""What operating systems leave in folders, in lower case; names with a leading dot or `~$` are left out as well."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to upload: its name for the platform, where it is, its size in bytes and its time of change."""

    path: str
    location: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """Something that can't be uploaded, and why. `path` can always be printed."""

    path: str
    problem: FileProblem


@dataclass(frozen=True)
class Selection:
    """What the user named: the folder that paths are relative to, and the entries below it (none: all of it)."""

    root: Path
    entries: tuple[str, ...] = ()

    @classmethod
    def of(cls, paths: Sequence[str | os.PathLike[str]]) -> "Selection":
        """One folder is its own root; files, or several folders, are named from the folder that holds them all.

        What lies below a folder that is named too comes with it, once.
        """
        # The last part stays as named: a link that the user names is followed, and keeps its name.
        named = {Path(os.path.abspath(path)) for path in paths}
        apart = sorted(path for path in named if named.isdisjoint(path.parents))
        for path in sorted(named):
            if not path.exists():
                raise NothingToUpload(f"There is no {path}.")
        if len(apart) == 1 and apart[0].is_dir():
            return cls(apart[0].resolve())
        root = Path(os.path.commonpath([path.parent for path in apart]))
        return cls(root, tuple(str(path.relative_to(root)) for path in apart))

    @property
    def name(self) -> str:
        """The name of the root, in letters that can be sent and printed."""
        return _printable(self.root.name)

    @property
    def key(self) -> str:
        """The path of the root as text; bytes that are no UTF-8 are spelled out, so that no two roots become one."""
        return str(self.root).encode(errors="surrogateescape").decode(errors="backslashreplace")


@dataclass(frozen=True)
class Walk:
    """Yields the files of a selection. `hidden` takes in what is left out otherwise; `exclude` are glob patterns."""

    selection: Selection
    hidden: bool = False
    exclude: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[LocalFile | Unusable]:
        root = str(self.selection.root)
        if not self.selection.entries:
            yield from self._folder(root, "")
        for entry in self.selection.entries:
            location = os.path.join(root, entry)
            path = _portable(entry.replace(os.sep, "/"))
            if os.path.isdir(location):
                yield from self._folder(location, path + "/")
            else:
                yield _examine(location, path)

    def _folder(self, location: str, prefix: str) -> Iterator[LocalFile | Unusable]:
        try:
            with os.scandir(location) as found:
                entries = sorted((_portable(entry.name), entry.name, entry) for entry in found)
        except OSError as error:
            yield Unusable(_printable(prefix or location), problem_of(error))
            return
        previous = None
        for name, _, entry in entries:
            path = prefix + name
            if self._left_out(name, path):
                continue
            if name == previous:
                yield Unusable(_printable(path), FileProblem("Another file has the same name.", code="duplicate_name"))
                continue
            previous = name
            yield from self._entry(entry, path)

    def _entry(self, entry: os.DirEntry[str], path: str) -> Iterator[LocalFile | Unusable]:
        if entry.is_dir(follow_symlinks=False):
            yield from self._folder(entry.path, path + "/")
        elif entry.is_symlink() and not self._inside(entry.path):
            problem = FileProblem("The link leads to a folder or out of the tree.", code="link_not_followed")
            yield Unusable(_printable(path), problem)
        else:
            yield _examine(entry.path, path)

    def _inside(self, location: str) -> bool:
        target = Path(os.path.realpath(location))
        # A linked folder of the tree is uploaded where it is; following the link too could go in circles.
        return not target.is_dir() and target.is_relative_to(self.selection.root.resolve())

    def _left_out(self, name: str, path: str) -> bool:
        litter = name.startswith((".", "~$")) or name.lower() in _LITTER
        if litter and not self.hidden:
            return True
        return any(fnmatch.fnmatchcase(name, glob) or fnmatch.fnmatchcase(path, glob) for glob in self.exclude)


def _examine(location: str, path: str) -> LocalFile | Unusable:
    try:
        found = os.stat(location)
        path.encode()
    except OSError as error:
        return Unusable(_printable(path), problem_of(error))
    except UnicodeEncodeError:
        problem = FileProblem("The name is not valid UTF-8; rename the file.", code="unusable_name")
        return Unusable(_printable(path), problem)
    if not os.path.isfile(location):
        return Unusable(path, FileProblem("This is not a regular file.", code="not_a_file"))
    return LocalFile(path, location, found.st_size, found.st_mtime_ns)


def _portable(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _printable(path: str) -> str:
    return path.encode(errors="surrogateescape").decode(errors="replace")
