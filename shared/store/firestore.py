"""Documents in Firestore: read straight into models, written in atomic commits.

Built on Google's generated asynchronous client, since `DocumentSnapshot` decoding is most of the cost of a list (see
docs/decisions/0001-firestore-client.md). Nothing of the SDK leaves this module.

Concurrency is optimistic: a record carries the `version` it was read at, and a write may demand that version. No lock
is held while somebody else is waited for.
"""

from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar

import grpc.aio
from google.api_core import exceptions as google
from google.api_core.retry import if_exception_type
from google.api_core.retry_async import AsyncRetry
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport
from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.wrappers_pb2 import Int32Value

from shared import errors
from shared.models.records import Record, now
from shared.settings import emulator, settings

R = TypeVar("R", bound=Record)

TIMEOUT = 10.0
"""Seconds that one call may take."""
COMMIT_LIMIT = 500
"""Writes that we put into one commit; well below Firestore's 10 MiB a request."""
_EMULATOR_OWNER = (("authorization", "Bearer owner"),)
_MICROSECOND = 1_000
_AWAY = (google.ServiceUnavailable, google.DeadlineExceeded, google.RetryError, google.ResourceExhausted)

# Only what is known not to have happened is repeated here; the rest is the caller's to decide.
_retry = AsyncRetry(predicate=if_exception_type(google.ServiceUnavailable), initial=0.05, maximum=0.5, timeout=2.0)
_retry_commit = AsyncRetry(predicate=if_exception_type(google.Aborted), initial=0.05, maximum=1.0, timeout=8.0)


class Conflict(errors.Changed):
    """A precondition of a commit did not hold; nothing of it was written."""


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
    `start_after` gives a value for each of them and, last, the id. `select` fetches only these fields.
    """

    collection: str
    where: tuple[Condition | AnyOf, ...] = ()
    order: tuple[str, ...] = ()
    limit: int | None = None
    start_after: tuple[Any, ...] | None = None
    select: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Totals:
    """What an aggregation gives: how many documents, and the sum of each field asked for."""

    count: int
    sums: Mapping[str, int]


@dataclass(frozen=True)
class Write:
    """One write of a commit.

    `fields` None deletes. `mask` None replaces the whole document, else only these field paths.
    `exists` and `version` are preconditions.
    """

    path: str
    fields: Mapping[str, Any] | None
    mask: tuple[str, ...] | None = None
    exists: bool | None = None
    version: int | None = None


def create(collection: str, record: Record) -> Write:
    """Writes a record that must not be there yet."""
    return Write(f"{collection}/{record.id}", _stored(record), exists=False)


def replace(collection: str, record: Record) -> Write:
    """Writes a whole record over whatever is there."""
    return Write(f"{collection}/{record.id}", _stored(record))


def change(collection: str, record: Record, fields: Mapping[str, Any], *, updated: datetime | None = None) -> Write:
    """Changes some fields of a record, if it still is the version that was read."""
    changed = {**fields, "updated_at": updated or now()}
    return Write(f"{collection}/{record.id}", changed, mask=tuple(changed), version=record.version)


def delete(path: str) -> Write:
    """Deletes a document for good."""
    return Write(path, None)


def _stored(record: Record) -> dict[str, Any]:
    return record.model_dump(exclude={"id"})


# --- the connection


@lru_cache
def _client() -> FirestoreAsyncClient:
    host = emulator("FIRESTORE_EMULATOR_HOST")
    if not host:
        return FirestoreAsyncClient()
    channel = grpc.aio.insecure_channel(host, options=_CHANNEL_OPTIONS)
    return FirestoreAsyncClient(transport=FirestoreGrpcAsyncIOTransport(channel=channel))


# A database that comes back is used again within a second, not after gRPC's two minutes.
_CHANNEL_OPTIONS = [("grpc.max_reconnect_backoff_ms", 1000), ("grpc.initial_reconnect_backoff_ms", 100)]


@lru_cache
def _root() -> str:
    return f"projects/{settings().google_cloud_project}/databases/(default)/documents"


@lru_cache
def _call_options() -> dict[str, Any]:
    routing = ("google-cloud-resource-prefix", _root().removesuffix("/documents"))
    owner = _EMULATOR_OWNER if emulator("FIRESTORE_EMULATOR_HOST") else ()
    return {"timeout": TIMEOUT, "metadata": (routing, *owner)}


def _away(error: Exception) -> errors.Unavailable:
    unavailable = errors.Unavailable("The database does not answer right now.", retry_after=2)
    unavailable.__cause__ = error
    return unavailable


# --- reading


async def get(model: type[R], path: str) -> R | None:
    """One document, or None; one read."""
    request = types.GetDocumentRequest(name=f"{_root()}/{path}")
    try:
        document = await _client().get_document(request=request, retry=_retry, **_call_options())
    except google.NotFound:
        return None
    except _AWAY as error:
        raise _away(error) from error
    return _read(model, types.Document.pb(document))


async def get_many(model: type[R], paths: Sequence[str]) -> dict[str, R]:
    """The documents that exist of these, by id; one read for each path asked."""
    if not paths:
        return {}
    request = types.BatchGetDocumentsRequest(
        database=_root().removesuffix("/documents"), documents=[f"{_root()}/{path}" for path in paths]
    )
    found: dict[str, R] = {}
    try:
        async for answer in await _client().batch_get_documents(request=request, retry=_retry, **_call_options()):
            raw = types.BatchGetDocumentsResponse.pb(answer)
            if raw.HasField("found"):
                record = _read(model, raw.found)
                found[record.id] = record
    except _AWAY as error:
        raise _away(error) from error
    return found


async def query(model: type[R], asked: Query) -> list[R]:
    """The records that a query finds, in its order; one read for each."""
    parent, structured = _structured(asked)
    request = types.RunQueryRequest(parent=parent, structured_query=structured)
    try:
        answers: AsyncIterable[types.RunQueryResponse] = await _client().run_query(
            request=request, retry=_retry, **_call_options()
        )
        raw = [types.RunQueryResponse.pb(answer) async for answer in answers]
    except _AWAY as error:
        raise _away(error) from error
    return [_read(model, answer.document) for answer in raw if answer.HasField("document")]


async def totals(asked: Query, *, sums: Sequence[str] = ()) -> Totals:
    """How many documents a query finds, and sums over them; one read for each 1,000 index entries."""
    parent, structured = _structured(asked)
    aggregation = types.StructuredAggregationQuery.Aggregation
    wanted = [aggregation(alias="count", count=aggregation.Count())]
    wanted += [
        aggregation(alias=field, sum=aggregation.Sum(field=types.StructuredQuery.FieldReference(field_path=field)))
        for field in sums
    ]
    request = types.RunAggregationQueryRequest(
        parent=parent,
        structured_aggregation_query=types.StructuredAggregationQuery(structured_query=structured, aggregations=wanted),
    )
    try:
        results: dict[str, Any] = {}
        async for answer in await _client().run_aggregation_query(request=request, retry=_retry, **_call_options()):
            fields = types.RunAggregationQueryResponse.pb(answer).result.aggregate_fields
            results.update({name: _decoded(value) for name, value in fields.items()})
    except _AWAY as error:
        raise _away(error) from error
    return Totals(count=int(results["count"]), sums={field: int(results[field]) for field in sums})


# --- writing


async def commit(*writes: Write) -> int:
    """All of these writes, or none; returns the version that the written documents now have.

    Raises Conflict when a precondition does not hold, Unavailable when the database is away.
    """
    request = types.CommitRequest(
        database=_root().removesuffix("/documents"), writes=[_encoded_write(write) for write in writes]
    )
    try:
        answer = await _client().commit(request=request, retry=_retry_commit, **_call_options())
    except (google.AlreadyExists, google.FailedPrecondition, google.NotFound, google.Aborted) as error:
        raise Conflict("The record was changed by somebody else at the same time.") from error
    except _AWAY as error:
        raise _away(error) from error
    return _microseconds(types.CommitResponse.pb(answer).commit_time)


def _encoded_write(write: Write) -> types.Write:
    name = f"{_root()}/{write.path}"
    precondition = None
    if write.version is not None:
        precondition = types.Precondition(update_time=_timestamp(write.version))
    elif write.exists is not None:
        precondition = types.Precondition(exists=write.exists)
    if write.fields is None:
        return types.Write(delete=name, current_document=precondition)
    document = types.Document(name=name, fields=_nested(write.fields))
    mask = types.DocumentMask(field_paths=list(write.mask)) if write.mask is not None else None
    return types.Write(update=document, update_mask=mask, current_document=precondition)


def _nested(fields: Mapping[str, Any]) -> dict[str, types.Value]:
    """Dotted field paths become maps: `stats.percent` is the field `percent` of the map `stats`."""
    nested: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, last = path.split(".")
        here = nested
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return {name: _encoded(value) for name, value in nested.items()}


# --- queries and values on the wire

_Operator = types.StructuredQuery.FieldFilter.Operator
_OPERATORS: dict[Comparison, int] = {
    "==": _Operator.EQUAL,
    "!=": _Operator.NOT_EQUAL,
    "<": _Operator.LESS_THAN,
    "<=": _Operator.LESS_THAN_OR_EQUAL,
    ">": _Operator.GREATER_THAN,
    ">=": _Operator.GREATER_THAN_OR_EQUAL,
    "in": _Operator.IN,
    "array-contains": _Operator.ARRAY_CONTAINS,
}


def _structured(asked: Query) -> tuple[str, types.StructuredQuery]:
    parent, _, collection = asked.collection.rpartition("/")
    root = f"{_root()}/{parent}" if parent else _root()
    structured = types.StructuredQuery(
        from_=[types.StructuredQuery.CollectionSelector(collection_id=collection)], where=_filter(asked.where)
    )
    if asked.order:
        structured.order_by = [_order(field) for field in (*asked.order, _id_in_direction(asked.order[-1]))]
    if asked.limit is not None:
        structured.limit = Int32Value(value=asked.limit)
    if asked.start_after is not None:
        *values, last_id = asked.start_after
        reference = types.Value(reference_value=f"{root}/{collection}/{last_id}")
        structured.start_at = types.Cursor(values=[*map(_encoded, values), reference], before=False)
    if asked.select is not None:
        structured.select = types.StructuredQuery.Projection(fields=[_reference(field) for field in asked.select])
    return root, structured


def _reference(field: str) -> types.StructuredQuery.FieldReference:
    return types.StructuredQuery.FieldReference(field_path=field)


def _id_in_direction(field: str) -> str:
    # The id breaks ties, in the direction of the last field, which is what Firestore's indexes end with.
    return "-__name__" if field.startswith("-") else "__name__"


def _order(field: str) -> types.StructuredQuery.Order:
    direction = types.StructuredQuery.Direction
    return types.StructuredQuery.Order(
        field=_reference(field.removeprefix("-")),
        direction=direction.DESCENDING if field.startswith("-") else direction.ASCENDING,
    )


def _filter(where: Sequence[Condition | AnyOf]) -> types.StructuredQuery.Filter | None:
    if not where:
        return None
    composite = types.StructuredQuery.CompositeFilter
    filters = [
        _composite(composite.Operator.OR, map(_field_filter, one.conditions))
        if isinstance(one, AnyOf)
        else _field_filter(one)
        for one in where
    ]
    return filters[0] if len(filters) == 1 else _composite(composite.Operator.AND, filters)


def _composite(op: int, filters: Iterable[types.StructuredQuery.Filter]) -> types.StructuredQuery.Filter:
    composite = types.StructuredQuery.CompositeFilter(op=op, filters=list(filters))
    return types.StructuredQuery.Filter(composite_filter=composite)


def _field_filter(condition: Condition) -> types.StructuredQuery.Filter:
    field, operator, value = condition
    if value is None and operator in ("==", "!="):
        unary = types.StructuredQuery.UnaryFilter
        is_null = unary.Operator.IS_NULL if operator == "==" else unary.Operator.IS_NOT_NULL
        return types.StructuredQuery.Filter(unary_filter=unary(op=is_null, field=_reference(field)))
    return types.StructuredQuery.Filter(
        field_filter=types.StructuredQuery.FieldFilter(
            field=_reference(field), op=_OPERATORS[operator], value=_encoded(value)
        )
    )


def _encoded(value: Any) -> types.Value:
    match value:
        case None:
            return types.Value(null_value=0)
        case bool():
            return types.Value(boolean_value=value)
        case int():
            return types.Value(integer_value=value)
        case float():
            return types.Value(double_value=value)
        case str():
            return types.Value(string_value=str(value))
        case bytes():
            return types.Value(bytes_value=value)
        case datetime():
            return types.Value(timestamp_value=value)
        case Mapping():
            fields = {str(name): _encoded(inner) for name, inner in value.items()}
            return types.Value(map_value=types.MapValue(fields=fields))
        case list() | tuple():
            return types.Value(array_value=types.ArrayValue(values=[_encoded(inner) for inner in value]))
        case _:
            raise TypeError(f"Firestore holds no {type(value).__name__}")


def _read(model: type[R], document: Any) -> R:
    fields = {name: _decoded(value) for name, value in document.fields.items()}
    fields["id"] = document.name.rpartition("/")[2]
    fields["version"] = _microseconds(document.update_time)
    return model.model_validate(fields)


def _decoded(value: Any) -> Any:
    kind = value.WhichOneof("value_type")
    if kind == "timestamp_value":
        return value.timestamp_value.ToDatetime(tzinfo=UTC)
    if kind == "map_value":
        return {name: _decoded(inner) for name, inner in value.map_value.fields.items()}
    if kind == "array_value":
        return [_decoded(inner) for inner in value.array_value.values]
    return None if kind == "null_value" else getattr(value, kind)


def _microseconds(moment: Any) -> int:
    return int(moment.seconds) * 1_000_000 + int(moment.nanos) // _MICROSECOND


def _timestamp(microseconds: int) -> Timestamp:
    return Timestamp(seconds=microseconds // 1_000_000, nanos=microseconds % 1_000_000 * _MICROSECOND)
