"""One zip per function: `main.py`, what it reaches of `shared/`, and its locked requirements.

`python -m infra.package` writes `build/functions/<name>-<sha>.zip` and removes older ones. Only reached modules go in,
so that a change in `shared/` gives a new zip, and so a new deployment, to the functions that run it and to no other.
The same input gives the same bytes, on any machine and day: entries are sorted, times and permissions fixed, nothing
is compressed, since two builds of zlib compress differently.
"""

import argparse
import hashlib
import sys
import zipfile
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from infra.catalog import ROOT, Function, functions
from infra.imports import reach, source_of
from infra.requirements import locked

BUILD = ROOT / "build" / "functions"

# What describes a function to the deployment, and is no part of it.
DESCRIPTIONS = {"function.yaml", "requirements.txt"}

# The oldest time that a zip can carry.
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE_FILE = 0o100644 << 16


def contents(function: Function) -> dict[str, bytes]:
    """What a function's zip holds: path → bytes. Data files beside the code go with it."""
    modules = reach(function.folder / "main.py").modules
    sources = {source_of(module) for module in modules}
    packages = {path.parent for path in sources if path.name == "__init__.py"}
    shared = sources.union(*map(_data, packages))
    held = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in shared}
    held |= {path.name: path.read_bytes() for path in _data(function.folder) if path.name not in DESCRIPTIONS}
    held["main.py"] = (function.folder / "main.py").read_bytes()
    held["requirements.txt"] = "".join(f"{line}\n" for line in locked(function).values()).encode()
    return held


def _data(folder: Path) -> set[Path]:
    """The files of a folder that are neither code nor written for people."""
    return {path for path in folder.iterdir() if path.is_file() and path.suffix not in {".py", ".pyc", ".md"}}


def archive(held: dict[str, bytes]) -> bytes:
    """A zip of these files whose bytes depend on nothing else."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archived:
        for path in sorted(held):
            entry = zipfile.ZipInfo(path, EPOCH)
            entry.create_system = 3  # Unix, whatever this machine is: the permissions below are Unix's
            entry.external_attr = READABLE_FILE
            archived.writestr(entry, held[path])
    return buffer.getvalue()


def write(function: Function, folder: Path = BUILD) -> Path:
    """Write a function's zip, named by its content, and remove its older ones."""
    packed = archive(contents(function))
    path = folder / f"{function.name}-{hashlib.sha256(packed).hexdigest()[:12]}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    for older in folder.glob(f"{function.name}-????????????.zip"):
        if older != path:
            older.unlink()
    path.write_bytes(packed)
    return path


def chosen(names: Iterable[str]) -> list[Function]:
    """The functions of these names; all of them for none.

    Raises:
        SystemExit: a name belongs to no function.
    """
    known = {function.name: function for function in functions()}
    if unknown := set(names) - set(known):
        raise SystemExit(f"no function is named {', '.join(sorted(unknown))}")
    return [known[name] for name in names] or list(known.values())


def main() -> None:
    """The command line: names of functions, or none for all."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description=__doc__)
    parser.add_argument("name", nargs="*", help="functions to package; all when none is named")
    for function in chosen(parser.parse_args().name):
        path = write(function)
        sys.stdout.write(f"{path.stat().st_size / 1024:8.1f} KiB  {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
