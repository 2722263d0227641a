"""The door of the tests' cloud refuses what Google would, and remembers what was asked."""

from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import FailedPrecondition
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.base_query import FieldFilter

from infra.indexes import Shape
from shared.models.records import new_id
from tests.conftest import Cloud
from tests.firestore.door import door
from tests.firestore.recording import Record, Recording, lacking, recorded, unused


async def test_a_query_without_its_index_is_refused_and_written_down(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, name = tmp_path / "queries.jsonl", new_id("things")
    record = Record(file)
    async with door(cloud.ports.address("firestore"), lambda method: Recording(method, record)) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        things = AsyncClient(project="alta-recording").collection(name)
        await things.document("a").set({"a": 1, "b": 2})
        alone = things.where(filter=FieldFilter("a", "==", 1))
        summed: Any = alone.sum("b")  # published as a class, and is an instance

        assert [one.id async for one in alone.stream()] == ["a"]
        with pytest.raises(FailedPrecondition, match=f"requires an index: {name}: a ASCENDING, b DESCENDING"):
            await alone.order_by("b", direction="DESCENDING").get()
        with pytest.raises(FailedPrecondition, match=f"requires an index: {name}: a ASCENDING, b ASCENDING"):
            await summed.get()

    equal = frozenset({("a", "ASCENDING")})
    refused = {Shape(name, equal, (("b", direction),)) for direction in ("ASCENDING", "DESCENDING")}
    assert recorded(file) == {Shape(name, equal, ()), *refused}
    assert lacking(recorded(file)) == sorted(map(str, refused))


def test_an_index_that_nothing_uses_is_named() -> None:
    used = Shape("reviews", frozenset({("asset_id", "ASCENDING")}), (("created_at", "DESCENDING"),))
    named = unused({used})
    assert "reviews: asset_id ASCENDING, created_at DESCENDING" not in named
    assert "passkeys: user_id ASCENDING, created_at DESCENDING" in named
