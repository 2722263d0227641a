"""What a function can call: a graph over the names at the top of modules, followed through `shared` from a `main.py`.

A name refers to whatever its text mentions: `sessions.create(...)` leads to `create` of that module, a class to all its
methods, a table to what stands in it. So the graph holds at least what runs, and much less than what is imported.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from infra.imports import UnknownModuleError, source_of

Node = tuple[str, str]
"""A module of `shared`, and a name at its top."""


@dataclass(frozen=True)
class _Module:
    names: dict[str, ast.stmt]
    """What stands at the top, by the names that it binds."""
    imports: dict[str, tuple[str, str]]
    """Local name → module of `shared`, and the name in it; empty for the module itself."""


@lru_cache
def reached(main: Path) -> frozenset[Node]:
    """Everything of `shared` that a function can call."""
    read = _read(ast.parse(main.read_text()))
    waiting = [node for statement in read.names.values() for node in _mentioned("", read, statement)]
    return _followed(waiting)


@lru_cache
def mentioned(node: Node) -> frozenset[Node]:
    """What the text of a node mentions itself."""
    module = _module(node[0])
    return frozenset(_mentioned(node[0], module, module.names[node[1]]))


def text(node: Node) -> ast.stmt:
    """The statement that binds the name."""
    return _module(node[0]).names[node[1]]


def _followed(waiting: list[Node]) -> frozenset[Node]:
    found: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(mentioned(node))
    return frozenset(found)


def _mentioned(name: str, module: _Module, statement: ast.stmt) -> Iterator[Node]:
    for one in ast.walk(statement):
        if isinstance(one, ast.Name):
            yield from _resolved(name, module, one.id)
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
            target, inner = module.imports.get(one.value.id, ("", ""))
            if target and not inner:
                yield from _resolved(target, _module(target), one.attr)


def _resolved(name: str, module: _Module, bound: str) -> Iterator[Node]:
    """The node that a name of a module stands for; none for a local variable or another's library."""
    if bound in module.names and name:
        yield (name, bound)
    elif bound in module.imports:
        target, inner = module.imports[bound]
        if inner:
            yield from _resolved(target, _module(target), inner)


@lru_cache
def _module(name: str) -> _Module:
    return _read(ast.parse(source_of(name).read_text()))


def _read(tree: ast.Module) -> _Module:
    names: dict[str, ast.stmt] = {}
    for number, statement in enumerate(tree.body):
        bound = list(_bound(statement))
        names |= dict.fromkeys(bound or [f"statement {number}"], statement)
    imports: dict[str, tuple[str, str]] = {}
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom) and (one.module or "").split(".")[0] == "shared":
            imports |= {alias.asname or alias.name: _target(str(one.module), alias.name) for alias in one.names}
    return _Module(names, imports)


def _bound(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield statement.name
        case ast.Assign():
            yield from (one.id for target in statement.targets for one in ast.walk(target) if isinstance(one, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name


def _target(package: str, name: str) -> tuple[str, str]:
    """`from package import name` means the module of this name, or else the name in the package."""
    try:
        source_of(f"{package}.{name}")
    except UnknownModuleError:
        return (package, name)
    return (f"{package}.{name}", "")
