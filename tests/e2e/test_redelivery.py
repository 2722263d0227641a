"""Events come twice, late and in any order; the records do not change for it."""

import asyncio
import random
from typing import Any

import httpx

from shared.models.assets import Asset
from shared.store import assets, objects
from tests import loopback, material
from tests.conftest import Cloud
from tests.e2e.journey import assets_of, take
from tests.emulators.waiting import until

FUNCTION = {"document": "ocr", "voice": "transcribe", "file": "receive"}


async def test_every_event_three_times_in_any_order_gives_the_same_records(
    cloud: Cloud, http: httpx.AsyncClient
) -> None:
    folder = {f"{number}.png": material.picture("png", f"Letter number {number}.") for number in range(3)}
    status = await take(http, {**folder, "table.csv": b"a,b\n"})
    before = await assets_of(http, status["session_id"])
    records = [await assets.get(asset["id"]) for asset in before.values()]
    events = [(FUNCTION[record.kind], _event(record)) for record in records if record] * 3
    random.Random(7).shuffle(events)

    async with loopback.client(cloud.ports.url("internal")) as pubsub:
        answers = await asyncio.gather(*(pubsub.post(f"/{name}", json=event) for name, event in events))

    assert {answer.status_code for answer in answers} == {204}
    assert await assets_of(http, status["session_id"]) == before


async def test_an_event_of_an_older_generation_or_of_an_unknown_object_is_acknowledged(
    cloud: Cloud, http: httpx.AsyncClient
) -> None:
    status = await take(http, {"a.png": material.picture("png", "One letter.")})
    before = await assets_of(http, status["session_id"])
    record = await assets.get(before["a.png"]["id"])
    assert record is not None
    assert record.generation is not None
    older = _event(record.model_copy(update={"generation": record.generation - 1}))
    unknown = _event(record.model_copy(update={"id": "ast_nobodys"}))

    async with loopback.client(cloud.ports.url("internal")) as pubsub:
        answers = [await pubsub.post("/ocr", json=event) for event in (older, unknown)]

    assert [answer.status_code for answer in answers] == [204, 204]
    assert await assets_of(http, status["session_id"]) == before


async def test_an_object_that_is_brought_back_is_known_again_and_not_read_again(http: httpx.AsyncClient) -> None:
    status = await take(http, {"a.png": material.picture("png", "One letter."), "table.csv": b"a,b\n"})
    before = await assets_of(http, status["session_id"])
    known = {asset["id"]: await assets.get(asset["id"]) for asset in before.values()}

    for record in known.values():
        assert record is not None
        await objects.copy(record.object_name, record.object_name)

    async def taken_down() -> bool:
        return all([record and await _generation(record) > (record.generation or 0) for record in known.values()])

    await until(taken_down)
    after = await assets_of(http, status["session_id"])
    unchanged = {"state", "text", "attempts", "processed_at", "error"}
    assert [{key: one.get(key) for key in unchanged} for one in after.values()] == [
        {key: one.get(key) for key in unchanged} for one in before.values()
    ]


async def _generation(asset: Asset) -> int:
    found = await assets.get(asset.id)
    return found.generation or 0 if found else 0


def _event(asset: Any) -> dict[str, Any]:
    """A CloudEvent in structured mode, as Eventarc sends it: the other shape on the wire."""
    return {
        "specversion": "1.0",
        "id": "1",
        "type": "google.cloud.storage.object.v1.finalized",
        "source": "//storage.googleapis.com/projects/_/buckets/alta-local",
        "datacontenttype": "application/json",
        "data": {
            "bucket": "alta-local",
            "name": asset.object_name,
            "generation": str(asset.generation),
            "size": str(asset.size),
            "contentType": asset.content_type,
            "crc32c": asset.crc32c,
        },
    }
