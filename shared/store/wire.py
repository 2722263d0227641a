"""Values, queries and writes as Firestore's protobuf messages, and documents as models.

https://cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from google.cloud.firestore_v1 import types
from google.protobuf.timestamp_pb2 import Timestamp as _Timestamp

from shared.models.records import Record

if TYPE_CHECKING:
    from shared.store.firestore import AnyOf, Condition, Query, Write

R = TypeVar("R", bound=Record)

# The plain messages behind Google's wrapped types.
GetDocument = types.GetDocumentRequest.pb()
BatchGetDocuments = types.BatchGetDocumentsRequest.pb()
RunQuery = types.RunQueryRequest.pb()
RunAggregationQuery = types.RunAggregationQueryRequest.pb()
Commit = types.CommitRequest.pb()
_Value = types.Value.pb()
_Document = types.Document.pb()
_Query = types.StructuredQuery.pb()
_Write = types.Write.pb()
_Precondition = types.Precondition.pb()
_Aggregation = types.StructuredAggregationQuery.pb()
_NULL = _Value(null_value=0)
_ID = "__name__"
"""What an order calls the id."""

_MICROSECOND = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OPERATORS = {
    "==": _Query.FieldFilter.EQUAL,
    "!=": _Query.FieldFilter.NOT_EQUAL,
    "<": _Query.FieldFilter.LESS_THAN,
    "<=": _Query.FieldFilter.LESS_THAN_OR_EQUAL,
    ">": _Query.FieldFilter.GREATER_THAN,
    ">=": _Query.FieldFilter.GREATER_THAN_OR_EQUAL,
    "in": _Query.FieldFilter.IN,
    "array-contains": _Query.FieldFilter.ARRAY_CONTAINS,
}


# --- values


def encoded(value: Any) -> Any:
    """A value as a message; TypeError for what Firestore can't hold."""
    match value:
        case None:
            return _NULL
        case bool():
            return _Value(boolean_value=value)
        case int():
            return _Value(integer_value=value)
        case float():
            return _Value(double_value=value)
        case str():
            return _Value(string_value=value)
        case bytes():
            return _Value(bytes_value=value)
        case datetime():
            since = value - _EPOCH
            seconds = since.days * 86_400 + since.seconds
            return _Value(timestamp_value=_Timestamp(seconds=seconds, nanos=since.microseconds * _MICROSECOND))
        case Mapping():
            return _Value(map_value={"fields": {str(name): encoded(inner) for name, inner in value.items()}})
        case list() | tuple():
            return _Value(array_value={"values": [encoded(inner) for inner in value]})
        case _:
            raise TypeError(f"Firestore holds no {type(value).__name__}")


def decoded(value: Any) -> Any:
    """A value out of its message."""
    return _DECODERS[value.WhichOneof("value_type")](value)


def _nothing(_: Any) -> None:
    return None


def _moment(value: Any) -> datetime:
    stamp = value.timestamp_value
    return _EPOCH + timedelta(0, stamp.seconds, stamp.nanos // _MICROSECOND)


def _map(value: Any) -> dict[str, Any]:
    return _fields(value.map_value.fields)


def _fields(fields: Any) -> dict[str, Any]:
    # A list is as long as its documents have fields: this runs most often of all that is ours. By key, since the
    # items of a protobuf map come out of a generator in Python.
    found = {}
    for name in fields:
        value = fields[name]
        found[name] = _DECODERS[value.WhichOneof("value_type")](value)
    return found


def _array(value: Any) -> list[Any]:
    return [decoded(inner) for inner in value.array_value.values]


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "null_value": _nothing,
    "boolean_value": attrgetter("boolean_value"),
    "integer_value": attrgetter("integer_value"),
    "double_value": attrgetter("double_value"),
    "string_value": attrgetter("string_value"),
    "bytes_value": attrgetter("bytes_value"),
    "timestamp_value": _moment,
    "map_value": _map,
    "array_value": _array,
}


def record(model: type[R], document: Any) -> R:
    """A document as a model; the id is the last part of its name, the version when it was last written."""
    fields = _fields(document.fields)
    fields["id"] = document.name.rpartition("/")[2]
    fields["version"] = microseconds(document.update_time)
    return model.model_validate(fields)


def microseconds(moment: Any) -> int:
    """A timestamp message as microseconds since 1970; Firestore keeps no finer ones."""
    return int(moment.seconds) * 1_000_000 + int(moment.nanos) // _MICROSECOND


# --- writes


def write(root: str, asked: "Write") -> Any:
    """A write as a message."""
    name = f"{root}/{asked.path}"
    message = _Write(delete=name) if asked.fields is None else _Write(update=_document(name, asked.fields))
    if asked.mask is not None:
        message.update_mask.SetInParent()  # an empty mask changes nothing, a missing one replaces the document
        message.update_mask.field_paths.extend(asked.mask)
    for path, amount in (asked.add or {}).items():
        message.update_transforms.add(field_path=path, increment=encoded(amount))
    if asked.version is not None:
        message.current_document.update_time.seconds = asked.version // 1_000_000
        message.current_document.update_time.nanos = asked.version % 1_000_000 * _MICROSECOND
    elif asked.exists is not None:
        message.current_document.exists = asked.exists
    return message


def _document(name: str, fields: Mapping[str, Any]) -> Any:
    return _Document(name=name, fields={field: encoded(value) for field, value in _nested(fields).items()})


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted field paths become maps: `stats.percent` is the field `percent` of the map `stats`."""
    nested: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, last = path.split(".")
        here = nested
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return nested


# --- queries


def query(root: str, asked: "Query", *, by_id: bool = True) -> tuple[str, Any]:
    """A query as a message, and the parent that it runs below; `by_id`: ids break ties of its order."""
    parent, _, collection = asked.collection.rpartition("/")
    below = f"{root}/{parent}" if parent else root
    message = _Query(where=_all_of(asked.where), limit={"value": asked.limit} if asked.limit is not None else None)
    message.from_.add(collection_id=collection)
    if asked.order:
        is_total = not by_id or asked.order[-1].removeprefix("-") == _ID
        for field in asked.order if is_total else (*asked.order, _id_in_direction(asked.order[-1])):
            message.order_by.add(field={"field_path": field.removeprefix("-")}, direction=_direction(field))
    if asked.start_after is not None:
        *values, last_id = asked.start_after
        reference = _Value(reference_value=f"{below}/{collection}/{last_id}")
        message.start_at.values.extend([*map(encoded, values), reference])
    if asked.select is not None:
        message.select.fields.extend(_Query.FieldReference(field_path=field) for field in asked.select)
    return below, message


def aggregation(structured: Any, sums: Sequence[str], averages: Sequence[str], *, count: bool) -> Any:
    """Count, sums and averages over a query, under the names `count`, `sum FIELD` and `average FIELD`."""
    one = _Aggregation.Aggregation
    wanted = [one(alias="count", count={})] if count else []
    wanted += [one(alias=f"sum {field}", sum={"field": {"field_path": field}}) for field in sums]
    wanted += [one(alias=f"average {field}", avg={"field": {"field_path": field}}) for field in averages]
    return _Aggregation(structured_query=structured, aggregations=wanted)


def _id_in_direction(field: str) -> str:
    # The id breaks ties, in the direction of the last field, which is what Firestore's indexes end with.
    return f"-{_ID}" if field.startswith("-") else _ID


def _direction(field: str) -> Any:
    return _Query.DESCENDING if field.startswith("-") else _Query.ASCENDING


def _all_of(where: Sequence["Condition | AnyOf"]) -> Any:
    filters = [_one(condition) for condition in where]
    if len(filters) < 2:
        return filters[0] if filters else None
    return _composite(_Query.CompositeFilter.AND, filters)


def _one(condition: "Condition | AnyOf") -> Any:
    if not isinstance(condition, tuple):
        return _composite(_Query.CompositeFilter.OR, map(_field_filter, condition.conditions))
    return _field_filter(condition)


def _composite(op: Any, filters: Iterable[Any]) -> Any:
    return _Query.Filter(composite_filter={"op": op, "filters": list(filters)})


def _field_filter(condition: "Condition") -> Any:
    field, operator, value = condition
    if value is None:
        is_null = _Query.UnaryFilter.IS_NULL if operator == "==" else _Query.UnaryFilter.IS_NOT_NULL
        return _Query.Filter(unary_filter={"op": is_null, "field": {"field_path": field}})
    op = _OPERATORS[operator]
    return _Query.Filter(field_filter={"field": {"field_path": field}, "op": op, "value": encoded(value)})
