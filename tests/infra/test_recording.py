"""A query that Google would refuse is refused in the tests' cloud, and what was asked is remembered."""

from dataclasses import replace
from pathlib import Path

import pytest

from infra.indexes import Shape
from shared.models.records import Record, new_id
from shared.store import connection, firestore
from shared.store.firestore import Query
from tests.firestore.recording import RefusedError, lacking, recorded, unused, watched


@pytest.mark.usefixtures("cloud")
async def test_a_query_without_its_index_is_refused_and_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, things = tmp_path / "queries.jsonl", new_id("things")
    for name, call in watched(file).items():
        monkeypatch.setattr(connection, name, call)
    alone = Query(things, where=(("a", "==", 1),))

    assert await firestore.query(Record, alone) == []
    with pytest.raises(RefusedError, match=f"requires an index: {things}: a ASCENDING, b DESCENDING"):
        await firestore.query(Record, replace(alone, order=("-b",)))
    with pytest.raises(RefusedError, match=f"requires an index: {things}: a ASCENDING, b ASCENDING"):
        await firestore.totals(alone, sums=["b"])

    equal = frozenset({("a", "ASCENDING")})
    refused = {Shape(things, equal, (("b", direction),)) for direction in ("ASCENDING", "DESCENDING")}
    assert recorded(file) == {Shape(things, equal, ()), *refused}
    assert lacking(recorded(file)) == sorted(map(str, refused))


def test_an_index_that_nothing_uses_is_named() -> None:
    used = Shape("reviews", frozenset({("asset_id", "ASCENDING")}), (("created_at", "DESCENDING"),))
    named = unused({used})
    assert "reviews: asset_id ASCENDING, created_at DESCENDING" not in named
    assert "passkeys: user_id ASCENDING, created_at DESCENDING" in named
