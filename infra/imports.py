"""What a function reaches by import: modules of this checkout, and the distributions that bring the rest.

The packager takes the modules, the requirements tool the distributions. Both follow the source text, so an import
inside a function counts like one at the top of a file; an import under `if TYPE_CHECKING:` never runs and does not.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path, PurePosixPath

from infra.catalog import ROOT


class UnknownModuleError(Exception):
    """An import that neither this checkout, the standard library nor an installed distribution answers."""


@dataclass(frozen=True)
class Reach:
    """What is reached, each sorted."""

    modules: tuple[str, ...]
    """Of this checkout, packages included: `shared.store.assets`."""
    distributions: tuple[str, ...]
    """By their normalised names."""
    statements: tuple[str, ...]
    """The imports from distributions, as statements: `from google.cloud import firestore`."""


def reach(main: Path) -> Reach:
    """Everything that `main` can import, followed through `shared`."""
    modules: set[str] = set()
    distributions: set[str] = set()
    statements: set[str] = set()
    waiting = list(_imported(main))
    while waiting:
        candidates = waiting.pop()
        if candidates[0].split(".")[0] == "shared":
            for module in _with_parents(candidates):
                if module not in modules:
                    modules.add(module)
                    waiting.extend(_imported(source_of(module)))
        elif (distribution := _distribution(candidates)) is not None:
            distributions.add(distribution)
            statements.add(_statement(candidates))
    return Reach(tuple(sorted(modules)), tuple(sorted(distributions)), tuple(sorted(statements)))


def source_of(module: str) -> Path:
    """The file of a module of this checkout.

    Raises:
        UnknownModuleError: there is no such file.
    """
    place = ROOT.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    raise UnknownModuleError(f"no file in this checkout holds the module {module}")


@lru_cache
def _imported(path: Path) -> tuple[tuple[str, ...], ...]:
    """Each import of a file as the names it may mean, longest first: `from a import b` is `a.b` or else `a`."""
    package = _package(path)
    found: list[tuple[str, ...]] = []
    for node in _run_nodes(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found.extend((alias.name,) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join((*start, node.module) if node.module else start)
            found.extend((f"{base}.{alias.name}", base) for alias in node.names)
    return tuple(found)


def _statement(candidates: tuple[str, ...]) -> str:
    """The import that these names came from."""
    if len(candidates) == 1:
        return f"import {candidates[0]}"
    return f"from {candidates[1]} import {candidates[0].removeprefix(f'{candidates[1]}.')}"


def _package(path: Path) -> tuple[str, ...]:
    """The package of a file of this checkout, which its relative imports start from."""
    return path.parent.relative_to(ROOT).parts if path.is_relative_to(ROOT) else ()


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that can run: the whole tree without the bodies of `if TYPE_CHECKING:`."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _with_parents(candidates: tuple[str, ...]) -> Iterator[str]:
    """The module that exists among the candidates, and the packages that importing it runs first."""
    for candidate in candidates:
        try:
            source_of(candidate)
        except UnknownModuleError:
            continue
        parts = candidate.split(".")
        yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        return
    raise UnknownModuleError(f"no file in this checkout holds the module {candidates[-1]}")


def _distribution(candidates: tuple[str, ...]) -> str | None:
    """The distribution that brings the first candidate known; None for the standard library.

    Raises:
        UnknownModuleError: nothing installed brings it.
    """
    if candidates[-1].split(".")[0] in sys.stdlib_module_names:
        return None
    providers = _providers()
    for candidate in candidates:
        parts = candidate.split(".")
        for length in range(len(parts), 0, -1):
            if (distribution := providers.get(".".join(parts[:length]))) is not None:
                return distribution
    raise UnknownModuleError(f"no installed distribution brings the module {candidates[-1]}")


@lru_cache
def _providers() -> dict[str, str]:
    """Module → normalised name of the distribution that brings it, from the installed records.

    The records are read file by file because `google` and `google.cloud` are shared by many distributions.
    """
    providers: dict[str, str] = {}
    for distribution in metadata.distributions():
        name = normalised(distribution.name)  # parses the whole metadata at each call
        for line in (distribution.read_text("RECORD") or "").splitlines():
            path = line.split(",", 1)[0]
            if path.endswith((".py", ".so")):
                providers[_module_of(PurePosixPath(path))] = name
    return providers


def _module_of(file: PurePosixPath) -> str:
    stem = file.name.split(".")[0]
    return ".".join(file.parent.parts if stem == "__init__" else (*file.parent.parts, stem))


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return name.lower().replace("_", "-").replace(".", "-")
