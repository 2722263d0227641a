"""Each function's own `requirements.txt`: exactly what it imports, at the version the whole checkout is tested with.

`python -m infra.requirements` writes the files; `--check` changes nothing and fails when one of them is not what the
imports say.
"""

import argparse
import re
import sys
from functools import lru_cache
from importlib import metadata

from packaging.requirements import Requirement

from infra.catalog import ROOT, Function, functions
from infra.imports import normalised, reach

# The functions-framework serves every function, so each one needs it whatever it imports. Its server finds the other
# two by itself and is twice as fast with them.
SERVED_BY = frozenset({"functions-framework", "uvloop", "httptools"})

# Environment markers of the runtime that infra/functions.tf names.
DEPLOYED_ON = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}

HEADER = "# Written by `make requirements` from the imports of main.py; versions are those of /requirements.txt.\n"


def direct(function: Function) -> dict[str, str]:
    """Distributions that a function imports itself or through `shared` → the requirement line of each."""
    imported = {*SERVED_BY, *reach(function.folder / "main.py").distributions}
    return {name: _line(name) for name in sorted(imported)}


def locked(function: Function) -> dict[str, str]:
    """The direct requirements and all that they bring, each at its tested version: what is deployed.

    Without the second part a build on another day would take other versions of what was never tested together.
    """
    chosen: dict[str, str] = {}
    waiting = [Requirement(line) for line in direct(function).values()]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        name = normalised(requirement.name)
        if (name, frozenset(requirement.extras)) in seen:
            continue
        seen.add((name, frozenset(requirement.extras)))
        chosen[name] = _line(name)
        waiting.extend(_brought_by(name, requirement.extras))
    return dict(sorted(chosen.items()))


def text(function: Function) -> str:
    """The whole `requirements.txt` of a function."""
    return HEADER + "".join(f"{line}\n" for line in direct(function).values())


@lru_cache
def pins() -> dict[str, str]:
    """Normalised name → version, as the root `requirements.txt` locks them."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*\])?==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    return {normalised(name): version for name, version in found}


@lru_cache
def _extras() -> dict[str, str]:
    """Normalised name → extras as `requirements.in` asks for them, such as `[email]` for pydantic."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(\[[^\]]+\])", (ROOT / "requirements.in").read_text(), re.MULTILINE)
    return {normalised(name): extras for name, extras in found}


def _line(name: str) -> str:
    if name not in pins():
        raise SystemExit(
            f"{name} is imported by a function but is not locked in requirements.txt: add it to requirements.in"
        )
    return f"{name}{_extras().get(name, '')}=={pins()[name]}"


def _brought_by(name: str, extras: set[str]) -> list[Requirement]:
    """What a distribution requires where the functions run, whatever machine packages them."""
    declared = [Requirement(line) for line in metadata.requires(name) or ()]
    environments = [{**DEPLOYED_ON, "extra": extra} for extra in ("", *extras)]
    return [
        requirement
        for requirement in declared
        if requirement.marker is None or any(requirement.marker.evaluate(where) for where in environments)
    ]


def main() -> int:
    """The command line; 1 when `--check` finds a file that its imports contradict."""
    parser = argparse.ArgumentParser(prog="python -m infra.requirements", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is out of date")
    check: bool = parser.parse_args().check
    stale = []
    for function in functions():
        path = function.folder / "requirements.txt"
        if not (function.folder / "main.py").is_file():
            continue
        if not path.is_file() or path.read_text() != text(function):
            stale.append(str(path.relative_to(ROOT)))
            if not check:
                path.write_text(text(function))
    for name in stale:
        sys.stdout.write(f"{'out of date' if check else 'written'}: {name}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
