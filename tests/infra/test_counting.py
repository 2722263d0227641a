"""What the bench counts is what Firestore bills."""

from collections import Counter
from collections.abc import AsyncIterator

import pytest
from google.cloud.firestore import AsyncClient
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.models.records import new_id
from tests.conftest import Cloud
from tests.firestore.counting import Count, counted


@pytest.fixture
def count() -> Count:
    """What was counted."""
    return Counter()


@pytest.fixture
async def firestore(cloud: Cloud, count: Count, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    """A client of Google's that goes through the counting door."""
    async with counted(cloud.ports.address("firestore"), count) as address:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
        client = AsyncClient(project="alta-counting")
        yield client
        await client._firestore_api.transport.close()


async def test_writes_deletes_and_reads_are_counted_as_they_are_billed(firestore: AsyncClient, count: Count) -> None:
    things = firestore.collection(new_id("things"))
    batch = firestore.batch()
    for name in ("a", "b", "c"):
        batch.set(things.document(name), {"kind": "x"})
    batch.delete(things.document("d"))
    await batch.commit()
    assert count == Counter({"firestore.writes": 3, "firestore.deletes": 1, "commits": 1})

    count.clear()
    await things.document("a").get()
    await things.document("missing").get()  # what is not there is billed as well
    assert count == Counter({"firestore.reads": 2})

    count.clear()
    assert len([found async for found in things.where(filter=FieldFilter("kind", "==", "x")).stream()]) == 3
    assert count == Counter({"firestore.reads": 3})

    count.clear()
    assert not [found async for found in things.where(filter=FieldFilter("kind", "==", "y")).stream()]
    assert count == Counter({"firestore.reads": 1})  # the least that a query costs


async def test_an_aggregation_costs_one_read_for_a_thousand_entries(firestore: AsyncClient, count: Count) -> None:
    things = firestore.collection(new_id("things"))
    await things.document("a").set({"size": 5_000_000})
    count.clear()
    totals = things.count(alias="count")  # type: ignore[no-untyped-call]  # Google's client leaves it without types
    answer = await totals.sum("size", alias="size").get()
    assert {one.alias: one.value for one in answer[0]} == {"count": 1, "size": 5_000_000}
    assert count == Counter({"firestore.reads": 1})
