"""Holds the functions to the indexes that are deployed, and writes down every shape of query that they send.

Google refuses a query without its index; its emulator answers it. `python -m tests.firestore.recording` is a door that
refuses as Google does. The local cloud of the tests goes through it; what was recorded is judged after the last test.
"""

import argparse
import asyncio
import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from google.cloud.firestore_v1 import types

from infra import indexes
from infra.indexes import Index, Shape
from tests.firestore.door import RefusedError, Watch, door

_RunQuery = types.RunQueryRequest.pb()
_RunAggregation = types.RunAggregationQueryRequest.pb()


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


class Recording(Watch):
    """Records one call; refuses what no index serves."""

    def __init__(self, method: str, record: Record) -> None:
        self._method = method
        self._record = record

    def asked(self, message: bytes) -> None:
        asked = _shapes(self._method, message)
        self._record.add(asked)
        unserved = lacking(asked)
        if unserved:
            raise RefusedError(f"The query requires an index: {'; '.join(unserved)}")


def _shapes(method: str, message: bytes) -> list[Shape]:
    if method == "RunQuery":
        return indexes.shapes(_RunQuery.FromString(message).structured_query)
    if method == "RunAggregationQuery":
        wanted = _RunAggregation.FromString(message).structured_aggregation_query
        return indexes.shapes(wanted.structured_query, indexes.added_up(wanted))
    return []


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


async def _serve(emulator: str, port: int, file: Path) -> None:
    record = Record(file)
    async with door(emulator, lambda method: Recording(method, record), port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.firestore.recording", description=__doc__)
    parser.add_argument("--emulator", required=True, help="address of the emulator")
    parser.add_argument("--port", type=int, required=True, help="where to listen")
    parser.add_argument("--file", type=Path, required=True, help="what is recorded is appended here")
    given = parser.parse_args()
    asyncio.run(_serve(given.emulator, given.port, given.file))
