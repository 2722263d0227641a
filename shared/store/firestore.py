"""Documents in Firestore: read straight into models, written in atomic commits.

Concurrency is optimistic: a record carries the `version` it was read at, and a write may demand that version. No lock
is held while somebody else is waited for.

Google's libraries stand behind `connection` and `wire`, which are imported by the first call and not before: they are
a third of what a function takes to start, and what it refuses at the door needs no database.
"""

import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from shared.models.records import Record, now
from shared.store.conflict import Conflict

__all__ = ["AnyOf", "Condition", "Conflict", "Query", "Totals", "Write", "commit", "get", "get_many", "query", "totals"]

R = TypeVar("R", bound=Record)

UNHURRIED = 60.0
"""Seconds for a query over much that no client waits for."""
COMMIT_LIMIT = 500
"""Writes that we put into one commit; well below Firestore's 10 MiB a request."""

_RESERVED = re.compile(r"|\.\.?|__.*__", re.DOTALL)
_LONGEST_ID = 1500
"""Bytes in the id of a document."""

Comparison = Literal["==", "<", "<=", ">", ">=", "in", "array-contains", "!="]
Condition = tuple[str, Comparison, Any]


@dataclass(frozen=True)
class AnyOf:
    """Holds when one of the conditions does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Query:
    """Documents of one collection: conditions that all hold, an order, a page.

    `collection` may be a path to a sub-collection. `order` names fields, with a leading `-` for descending;
    `start_after` gives a value for each of them and, last, the id. `select` fetches only these fields. `timeout` is in
    seconds; None is that of everything a client waits for.
    """

    collection: str
    where: tuple[Condition | AnyOf, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    start_after: tuple[Any, ...] | None = None
    select: tuple[str, ...] | None = None
    timeout: float | None = None


@dataclass(frozen=True)
class Totals:
    """What an aggregation gives: how many documents, and the sum or average of each field asked for.

    Documents without a number in the field count for neither; the average of none is None.
    """

    count: int
    sums: Mapping[str, float]
    averages: Mapping[str, float | None]


@dataclass(frozen=True)
class Write:
    """One write of a commit.

    `fields` None deletes. `mask` None replaces the whole document, else only these field paths.
    `exists` and `version` are preconditions. `add` gives numbers that the server adds to field paths, so that any
    number of writers are each counted; at most 500 for one document (https://cloud.google.com/firestore/quotas).
    """

    path: str
    fields: Mapping[str, Any] | None
    mask: tuple[str, ...] | None = None
    exists: bool | None = None
    version: int | None = None
    add: Mapping[str, int] | None = None


def create(collection: str, record: Record) -> Write:
    """Writes a record that must not be there yet."""
    return Write(f"{collection}/{record.id}", _stored(record), exists=False)


def replace(collection: str, record: Record) -> Write:
    """Writes a whole record over whatever is there."""
    return Write(f"{collection}/{record.id}", _stored(record))


def change(collection: str, record: Record, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a record, if it still is the version that was read."""
    changed = {"updated_at": now(), **fields}
    return Write(f"{collection}/{record.id}", changed, mask=tuple(changed), version=record.version)


def unchanged(collection: str, record: Record) -> Write:
    """Writes nothing, and demands that a record still is the version that was read."""
    return Write(f"{collection}/{record.id}", {}, mask=(), version=record.version)


def delete(path: str) -> Write:
    """Deletes a document for good."""
    return Write(path, None)


def _stored(record: Record) -> dict[str, Any]:
    return record.model_dump(exclude={"id"})


def load() -> None:
    """Imports now what the first call would, for whoever measures how long that call takes."""
    from shared.store import connection, wire  # noqa: F401  # importing them is the point


async def get(model: type[R], path: str) -> R | None:
    """One document, or None; one read. None too for an id that Firestore has no document under."""
    from shared.store import connection, wire

    if not _nameable(path):
        return None
    request = wire.GetDocument(name=f"{connection.root()}/{path}")
    document = await connection.get_document(request)
    return None if document is None else wire.record(model, document)


def _nameable(path: str) -> bool:
    """Whether a document can be there (https://cloud.google.com/firestore/quotas#collections_documents_and_fields).

    An id with a slash in it makes a path that is none of a document, or of one in a collection that we don't have.
    """
    parts = path.split("/")
    named = all(not _RESERVED.fullmatch(part) and len(part.encode()) <= _LONGEST_ID for part in parts)
    return named and len(parts) % 2 == 0


async def get_many(model: type[R], paths: Sequence[str], *, select: Sequence[str] | None = None) -> dict[str, R]:
    """The documents that exist of these, by id; one read for each path asked. `select` fetches only these fields."""
    from shared.store import connection, wire

    names = [f"{connection.root()}/{path}" for path in paths if _nameable(path)]
    if not names:
        return {}
    mask = None if select is None else {"field_paths": list(select)}
    request = wire.BatchGetDocuments(database=connection.database(), documents=names, mask=mask)
    answers = [answer async for answer in connection.batch_get(request)]
    records = [wire.record(model, answer.found) for answer in answers if answer.HasField("found")]
    return {record.id: record for record in records}


async def query(model: type[R], asked: Query) -> list[R]:
    """The records that a query finds, in its order; one read for each."""
    from shared.store import connection, wire

    parent, structured = wire.query(connection.root(), asked)
    request = wire.RunQuery(parent=parent, structured_query=structured)
    answers = [answer async for answer in connection.run_query(request, asked.timeout)]
    return [wire.record(model, answer.document) for answer in answers if answer.HasField("document")]


async def stream(model: type[R], asked: Query) -> AsyncGenerator[R, None]:
    """The records that a query finds, one after the other, of which few are in memory at a time; one read for each.

    Whoever does not want all of them closes it (`contextlib.aclosing`).
    """
    from shared.store import connection, wire

    parent, structured = wire.query(connection.root(), asked)
    request = wire.RunQuery(parent=parent, structured_query=structured)
    async with aclosing(connection.run_query(request, asked.timeout)) as answers:
        async for answer in answers:
            if answer.HasField("document"):
                yield wire.record(model, answer.document)


async def totals(asked: Query, *, sums: Sequence[str] = (), averages: Sequence[str] = (), count: bool = True) -> Totals:
    """How many documents a query finds, and sums and averages over them; one read for each 1,000 index entries.

    At most five of them at once, the count included; without it `Totals.count` is 0.
    """
    from shared.store import connection, wire

    parent, structured = wire.query(connection.root(), asked, by_id=False)
    wanted = wire.aggregation(structured, sums, averages, count=count)
    request = wire.RunAggregationQuery(parent=parent, structured_aggregation_query=wanted)
    found: dict[str, Any] = {}
    async for answer in connection.run_aggregation_query(request, asked.timeout):
        found.update({name: wire.decoded(value) for name, value in answer.result.aggregate_fields.items()})
    return Totals(
        count=int(found.get("count", 0)),
        sums={field: found[f"sum {field}"] for field in sums},
        averages={field: found[f"average {field}"] for field in averages},
    )


async def commit(*writes: Write) -> int:
    """All of these writes, or none; returns the version that the written documents now have.

    Raises Conflict when a precondition does not hold, Unavailable when the database is away: then nothing is known of
    whether it was written, and a repeated commit finds out by its preconditions.
    """
    from shared.store import connection, wire

    messages = [wire.write(connection.root(), write) for write in writes]
    answer = await connection.commit(wire.Commit(database=connection.database(), writes=messages))
    return wire.microseconds(answer.commit_time)


async def increment(path: str, fields: Mapping[str, Any]) -> int:
    """Adds one to the field `count` of a document, made with these fields if need be; returns what it now is.

    The server adds, so that any number of callers at once are each counted and none has to try again.
    """
    from shared.store import connection, wire

    message = wire.write(connection.root(), Write(path, fields, mask=tuple(fields)))
    message.update_transforms.add(field_path="count", increment={"integer_value": 1})
    answer = await connection.commit(wire.Commit(database=connection.database(), writes=[message]))
    return int(answer.write_results[0].transform_results[0].integer_value)
