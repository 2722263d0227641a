"""Composite indexes: what a query needs, by Google's rules.

Whether every query has what it needs is judged where queries are sent (tests/firestore/judging.py).
"""

import re
from typing import Any

import pytest

from infra import indexes
from infra.indexes import Index, serving, shapes
from infra.pages.data_model import COLLECTIONS
from infra.pages.markdown import model_in, type_of
from shared.store import wire
from shared.store.firestore import AnyOf, Condition, Query

LIMIT = 200
"""Composite indexes of a database without billing (https://cloud.google.com/firestore/quotas#indexes)."""

ROOT = "projects/p/databases/(default)/documents"


def _index(*fields: str, collection: str = "things") -> Index:
    """`a` ascending, `-a` descending, `a[]` an array."""
    directions = {True: "DESCENDING", False: "ASCENDING"}
    return Index(
        collection,
        tuple(
            (field[:-2], "CONTAINS") if field.endswith("[]") else (field.lstrip("-"), directions[field[0] == "-"])
            for field in fields
        ),
    )


def _query(*where: Condition | AnyOf, order: tuple[str, ...] = ()) -> Any:
    _, message = wire.query(ROOT, Query("things", where=where, order=order))
    return message


A: Condition = ("a", "==", 1)
B: Condition = ("b", "==", None)
ARRAY: Condition = ("a", "array-contains", 1)
BOUND: Condition = ("b", ">", 1)
RULES: dict[str, tuple[Any, list[Index], bool]] = {
    "equalities alone need none": (_query(A, B), [], True),
    "one field alone needs none": (_query(BOUND, order=("b",)), [], True),
    "an equality with an order needs one": (_query(A, order=("-c",)), [], False),
    "its order has a direction": (_query(A, order=("-c",)), [_index("a", "c")], False),
    "equalities come in any order": (_query(A, B, order=("-c",)), [_index("b", "a", "-c")], True),
    "those that end alike are merged": (_query(A, B, order=("-c",)), [_index("a", "-c"), _index("b", "-c")], True),
    "no other field may begin it": (_query(A, order=("-c",)), [_index("a", "b", "-c")], False),
    "another collection's does not serve": (_query(A, order=("c",)), [_index("a", "c", collection="others")], False),
    "an array is its own kind": (_query(ARRAY, order=("c",)), [_index("a", "c")], False),
    "an array has its index": (_query(ARRAY, order=("c",)), [_index("a[]", "c")], True),
    "each alternative needs one": (_query(AnyOf((A, B)), order=("c",)), [_index("a", "c")], False),
    "each alternative has one": (_query(AnyOf((A, B)), order=("c",)), [_index("a", "c"), _index("b", "c")], True),
    "a bound without an order ascends": (_query(A, BOUND), [_index("a", "b")], True),
    "a bound that is not ordered by follows, in the order's direction": (
        wire.query(ROOT, Query("things", where=(BOUND,), order=("-c",)), by_id=False)[1],
        [_index("-c", "-b")],
        True,
    ),
    "two bounds need one, by name": (_query(BOUND, ("a", "<", 1)), [_index("a", "b")], True),
    "what something is not bounds it": (_query(A, ("b", "!=", 1)), [], False),
    "one of several is an equality": (_query(("a", "in", [1, 2]), B), [], True),
    "one of several is merged as one value is": (_query(("a", "in", [1, 2]), order=("c",)), [_index("a", "c")], True),
    "what is null is an equality": (_query(B, order=("c",)), [_index("b", "c")], True),
    "what is not null is a bound": (_query(A, ("b", "!=", None)), [], False),
    "an order by what is equal needs none": (_query(A, order=("a",)), [], True),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_the_rules_of_indexes(rule: tuple[Any, list[Index], bool]) -> None:
    query, held, served = rule
    assert all(serving(shape, held) is not None for shape in shapes(query)) is served


def test_what_is_added_up_stands_in_the_index() -> None:
    (shape,) = shapes(_query(A), aggregated=["n"])
    assert serving(shape, []) is None
    assert serving(shape, [_index("a", "n")]) == [_index("a", "n")]


def test_an_index_as_wide_as_the_equalities_is_used_before_built_in_ones_are_merged() -> None:
    (shape,) = shapes(_query(A, B))
    assert serving(shape, [_index("a", "b")]) == [_index("a", "b")]
    assert serving(shape, [_index("a", "b", "c")]) == []


def test_a_field_without_built_in_indexes_needs_a_composite_one() -> None:
    (alone,) = shapes(_query(A))
    (ordered,) = shapes(_query(order=("c",)))
    exempted = {("things", "a"), ("things", "c")}
    assert serving(alone, [], exempted) is None
    assert serving(ordered, [], exempted) is None
    assert serving(alone, [], {("others", "a")}) == []


def test_what_goes_over_all_collections_of_an_id_needs_an_index_of_that_scope() -> None:
    query = _query(A)
    query.from_[0].all_descendants = True
    (shape,) = shapes(query)
    assert serving(shape, [_index("a", "b")]) is None
    wide = Index("things", (("a", "ASCENDING"), ("b", "ASCENDING")), group=True)
    query = _query(A, order=("b",))
    query.from_[0].all_descendants = True
    assert serving(shapes(query)[0], [wide]) == [wide]


def test_what_holds_for_a_map_holds_for_what_is_in_it() -> None:
    (shape,) = shapes(_query(("a.b", "==", 1)))
    assert serving(shape, [], {("things", "a")}) is None
    assert serving(shape, [], {("things", "a.c")}) == []


KEPT = {
    ("projects", "member_ids"): "searched",
    ("assets", "review"): "searched by its fields",
    ("sessions", "stats"): "eight numbers",
    ("companies", "limits"): "two numbers",
    ("projects", "limits"): "two numbers",
    ("assets", "lease"): "two values",
    ("projects", "languages"): "ten at the most",
    ("assets", "languages"): "ten at the most",
    ("assets", "flags"): "four at the most",
    ("webhooks", "events"): "five at the most",
    ("passkeys", "transports"): "a few",
    ("sweeps", "after"): "of one document",
}
"""Lists and maps that have built-in indexes all the same, and why."""
LONG = ("text", "excerpt", "description", "comment", "payload", "url", "path", "traceparent", "sealed_secret")
"""Fields of text that is long or never asked for."""


def test_what_is_long_or_holds_much_has_no_built_in_indexes() -> None:
    # Each value in a list or map is an index entry, of which a document has 40,000 at the most and pays for all.
    many = {
        (one.name, name)
        for one in COLLECTIONS
        for name, field in one.model.model_fields.items()
        if name in LONG or model_in(field.annotation) or re.search("list of|map of|bytes", type_of(field.annotation))
    }
    assert sorted(many - indexes.exempt() - KEPT.keys()) == []
    assert sorted(KEPT.keys() - many) == []


def test_there_are_no_more_indexes_than_a_database_may_have() -> None:
    assert len(indexes.held()) <= LIMIT


def test_no_index_is_there_twice() -> None:
    assert len(set(indexes.held())) == len(indexes.held())
