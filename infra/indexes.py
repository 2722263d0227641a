"""Which indexes a query needs, and whether `firestore.indexes.json` holds them.

Google refuses a query without its index; the emulator answers it. So the tests ask here.
https://cloud.google.com/firestore/docs/query-data/index-overview: equalities alone, and one field alone, are served by
the built-in indexes. All else needs composite indexes that end with what the query is ordered or bounded by; several
that end alike are merged, each giving some of the equalities.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

from google.cloud.firestore_v1 import types

from infra.catalog import ROOT

INDEXES = ROOT / "infra" / "firestore.indexes.json"

Field = tuple[str, str]
"""A field path, and ASCENDING, DESCENDING or CONTAINS."""

_ASCENDING = "ASCENDING"
_CONTAINS = "CONTAINS"
_NAME = "__name__"
_GROUP = "COLLECTION_GROUP"
_Filter = types.StructuredQuery.pb().FieldFilter
_Unary = types.StructuredQuery.pb().UnaryFilter
_Composite = types.StructuredQuery.pb().CompositeFilter
# What merges in any order and in any direction of the field: one value, or one of several.
_EQUAL = frozenset({_Filter.EQUAL, _Filter.IN})
_EQUAL_UNARY = frozenset({_Unary.IS_NULL, _Unary.IS_NAN})
_CONTAINING = frozenset({_Filter.ARRAY_CONTAINS, _Filter.ARRAY_CONTAINS_ANY})


@dataclass(frozen=True)
class Shape:
    """What one conjunction of a query demands: equalities in any order, then `tail` in this one.

    `group` tells that the query goes over all collections of this id, wherever they are.
    """

    collection: str
    equal: frozenset[Field]
    tail: tuple[Field, ...]
    group: bool = False

    def __str__(self) -> str:
        return _shown(self.collection, (*sorted(self.equal), *self.tail), self.group)


@dataclass(frozen=True)
class Index:
    """An index, composite when it has more than one field."""

    collection: str
    fields: tuple[Field, ...]
    group: bool = False

    def __str__(self) -> str:
        return _shown(self.collection, self.fields, self.group)


def _shown(collection: str, fields: Iterable[Field], group: bool) -> str:
    scope = "all " if group else ""
    return f"{scope}{collection}: {', '.join(f'{path} {order}' for path, order in fields)}"


@lru_cache
def held() -> tuple[Index, ...]:
    """The composite indexes that are deployed."""
    return tuple(
        Index(
            one["collectionGroup"],
            tuple((field["fieldPath"], field.get("order") or field["arrayConfig"]) for field in one["fields"]),
            one["queryScope"] == _GROUP,
        )
        for one in json.loads(INDEXES.read_text())["indexes"]
    )


@lru_cache
def exempt() -> frozenset[tuple[str, str]]:
    """Collections and fields without built-in indexes."""
    overrides = json.loads(INDEXES.read_text())["fieldOverrides"]
    return frozenset((one["collectionGroup"], one["fieldPath"]) for one in overrides if not one["indexes"])


def serving(
    shape: Shape, indexes: Iterable[Index], exempted: Collection[tuple[str, str]] = frozenset()
) -> list[Index] | None:
    """The composite indexes that serve a shape, the widest first; empty for a built-in one, None when there are none.

    `exempted` are those (collection, field) that have no built-in index.
    """
    candidates = [*indexes, *_built_in(shape, exempted)]
    fitting = {index: given for index in candidates if (given := _given(shape, index)) is not None}
    chosen: list[Index] = []
    missing = set(shape.equal)
    while missing or not chosen:
        best = max(fitting, key=lambda index: len(fitting[index] & missing), default=None)
        if best is None or (missing and not fitting[best] & missing):
            return None if shape.equal or shape.tail else []
        chosen.append(best)
        missing -= fitting[best]
    return [index for index in chosen if len(index.fields) > 1]


def _built_in(shape: Shape, exempted: Collection[tuple[str, str]]) -> list[Index]:
    """Of one field each; Firestore keeps none over the collections of an id."""
    return [
        Index(shape.collection, (field,))
        for field in (*sorted(shape.equal), *shape.tail)
        if not shape.group and not any((shape.collection, path) in exempted for path in _with_parents(field[0]))
    ]


def _with_parents(path: str) -> Iterator[str]:
    """The field and the maps that it stands in: what holds for a map holds for all in it."""
    parts = path.split(".")
    return (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _given(shape: Shape, index: Index) -> frozenset[Field] | None:
    """The equalities that an index gives, if it ends as the shape demands and begins with nothing else."""
    length = len(index.fields) - len(shape.tail)
    if (index.collection, index.group) != (shape.collection, shape.group) or index.fields[
        max(length, 0) :
    ] != shape.tail:
        return None
    # An equality does not care in which direction its field is sorted.
    head = frozenset((path, order if order == _CONTAINS else _ASCENDING) for path, order in index.fields[:length])
    return head if head <= shape.equal else None


# --- the shapes of a query


def shapes(query: Any, aggregated: Sequence[str] = ()) -> list[Shape]:
    """One shape for each conjunction of a StructuredQuery; `aggregated` are fields that are summed or averaged."""
    (source,) = query.from_
    ordered = [
        (order.field.field_path, str(types.StructuredQuery.Direction(order.direction).name)) for order in query.order_by
    ]
    found = []
    for conjunction in _conjunctions(query.where) if query.HasField("where") else [()]:
        equal = frozenset((path, kind) for path, kind in conjunction if kind)
        bounded = {path for path, kind in conjunction if not kind}
        tail = _tail({path for path, kind in equal if kind == _ASCENDING}, bounded, ordered, aggregated)
        found.append(Shape(source.collection_id, equal, tail, source.all_descendants))
    return found


def added_up(aggregation: Any) -> list[str]:
    """The fields that a StructuredAggregationQuery sums or averages."""
    kinds = ((one, one.WhichOneof("operator")) for one in aggregation.aggregations)
    return [getattr(one, kind).field.field_path for one, kind in kinds if kind in ("sum", "avg")]


def _tail(
    fixed: set[str], bounded: Iterable[str], ordered: Sequence[Field], aggregated: Sequence[str]
) -> tuple[Field, ...]:
    """What the index has to end with: the order, what is bounded but not ordered, what is added up.

    What is bounded follows the order by name and in the last direction, as Firestore itself does (`order_by` in
    https://cloud.google.com/firestore/docs/reference/rest/v1/StructuredQuery).
    """
    tail = [(path, direction) for path, direction in ordered if path not in fixed]
    last = tail[-1][1] if tail else _ASCENDING
    implied = [(path, last) for path in sorted(bounded)] + [(path, _ASCENDING) for path in aggregated]
    for path, direction in implied:
        if path not in fixed | {known for known, _ in tail}:
            tail.append((path, direction))
    return tuple(_without_id(tail))


def _without_id(tail: Sequence[Field]) -> Sequence[Field]:
    """The id ends every index in the direction of the field before it: an order by it there needs nothing."""
    *before, last = tail or [("", "")]
    direction = before[-1][1] if before else _ASCENDING
    return before if last == (_NAME, direction) else tail


def _conjunctions(where: Any) -> Iterator[tuple[Field, ...]]:
    """The filter as alternatives, each a list of (field, kind) that all hold; the kind is empty for a bound."""
    kind = where.WhichOneof("filter_type")
    if kind == "field_filter":
        yield ((where.field_filter.field.field_path, _kind(where.field_filter.op)),)
    elif kind == "unary_filter":
        yield ((where.unary_filter.field.field_path, _ASCENDING if where.unary_filter.op in _EQUAL_UNARY else ""),)
    elif where.composite_filter.op == _Composite.OR:
        for inner in where.composite_filter.filters:
            yield from _conjunctions(inner)
    else:
        for parts in product(*(list(_conjunctions(inner)) for inner in where.composite_filter.filters)):
            yield tuple(condition for part in parts for condition in part)


def _kind(op: int) -> str:
    if op in _CONTAINING:
        return _CONTAINS
    return _ASCENDING if op in _EQUAL else ""
