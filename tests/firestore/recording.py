"""Holds the functions to the indexes that are deployed, and writes down every shape of query that they send.

Google refuses a query without its index; its emulator answers it. `python -m tests.firestore.recording FILE MODULE ...`
runs a module that refuses as Google does. So run the functions of the tests' local cloud; what was recorded is judged
after the last test.
"""

import json
import runpy
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from infra import indexes
from infra.indexes import Index, Shape
from shared.store import connection

Ask = Callable[..., AsyncIterator[Any]]
"""A call that sends a query: the request, and perhaps more, to its answers."""


class Record:
    """The distinct shapes that were seen, one a line of a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: set[Shape] = set()

    def add(self, shapes: Iterable[Shape]) -> None:
        """Writes down those that are new."""
        for shape in set(shapes) - self._seen:
            self._seen.add(shape)
            with self._file.open("a") as lines:
                lines.write(json.dumps([shape.collection, sorted(shape.equal), shape.tail, shape.group]) + "\n")


def recorded(file: Path) -> set[Shape]:
    """The shapes of a file."""
    return {
        Shape(collection, frozenset(map(tuple, equal)), tuple(map(tuple, tail)), group)
        for collection, equal, tail, group in map(json.loads, file.read_text().splitlines())
    }


class RefusedError(Exception):
    """A query that Google would refuse; the message says why."""


def watched(file: Path) -> dict[str, Ask]:
    """The calls of `shared.store.connection` that send queries, by name: each records first, and refuses as Google."""
    record = Record(file)

    def watch(ask: Ask, shapes: Callable[[Any], list[Shape]]) -> Ask:
        def asked(request: Any, *more: Any) -> AsyncIterator[Any]:
            found = shapes(request)
            record.add(found)
            unserved = lacking(found)
            if unserved:
                raise RefusedError(f"The query requires an index: {'; '.join(unserved)}")
            return ask(request, *more)

        return asked

    return {
        "run_query": watch(connection.run_query, _queried),
        "run_aggregation_query": watch(connection.run_aggregation_query, _aggregated),
    }


def _queried(request: Any) -> list[Shape]:
    return indexes.shapes(request.structured_query)


def _aggregated(request: Any) -> list[Shape]:
    wanted = request.structured_aggregation_query
    return indexes.shapes(wanted.structured_query, indexes.added_up(wanted))


def lacking(shapes: Iterable[Shape]) -> list[str]:
    """Those that no deployed index serves."""
    return sorted(str(shape) for shape in shapes if _serving(shape) is None)


def unused(shapes: Iterable[Shape]) -> list[str]:
    """The deployed indexes that serve none of these."""
    used = {index for shape in shapes for index in _serving(shape) or []}
    return sorted(str(index) for index in indexes.held() if index not in used)


@cache
def _serving(shape: Shape) -> list[Index] | None:
    # Tests send few shapes, each thousands of times.
    return indexes.serving(shape, indexes.held(), indexes.exempt())


def main(file: Path, module: str, arguments: Sequence[str]) -> None:
    """Runs a module as Python's `-m` does, its queries watched."""
    for name, call in watched(file).items():
        setattr(connection, name, call)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
