"""An event that was given up on is on its asset, in the list, and comes back when an admin replays it."""

import base64
import json
from typing import Any

import httpx

from shared.models.assets import Asset
from shared.store import assets, firestore
from tests import loopback, material
from tests.conftest import Cloud
from tests.e2e.journey import assets_of, read_again, take
from tests.emulators.waiting import until
from tests.people import found_company, join


async def _given_up(cloud: Cloud, http: httpx.AsyncClient) -> str:
    """The id of an asset whose object came, whose function never got to its end, and whose event Pub/Sub gave up on."""
    status = await take(http, {"page.png": material.picture("png", "Found again.")})
    asset_id = (await assets_of(http, status["session_id"]))["page.png"]["id"]
    done = await assets.get(asset_id)
    assert done is not None
    unfinished = {"state": "processing", "settled": False, "text": "", "result_object": None}
    await firestore.commit(assets.change(done, unfinished))
    async with loopback.client(cloud.ports.url("internal")) as pubsub:
        for _ in range(2):
            (await pubsub.post("/deadletter", json=_pushed(done))).raise_for_status()
    return str(asset_id)


def _pushed(asset: Asset) -> dict[str, Any]:
    """The message as Pub/Sub pushes it."""
    resource = {
        "bucket": "alta-local",
        "name": asset.object_name,
        "generation": str(asset.generation),
        "size": str(asset.size),
        "contentType": asset.content_type,
        "crc32c": asset.crc32c,
    }
    data = base64.b64encode(json.dumps(resource).encode()).decode()
    attributes = {"eventType": "OBJECT_FINALIZE", "CloudPubSubDeadLetterSourceSubscription": "ocr"}
    return {"message": {"data": data, "attributes": attributes, "messageId": "1"}, "subscription": "deadletter"}


async def test_a_dead_letter_is_on_its_asset_and_is_listed_once(cloud: Cloud, http: httpx.AsyncClient) -> None:
    asset_id = await _given_up(cloud, http)

    listed = (await http.get("/api/admin/dead-letters")).json()["items"]

    asset = (await http.get(f"/api/documents/{asset_id}")).json()
    assert [letter["asset_id"] for letter in listed] == [asset_id]
    assert (asset["state"], asset["error"]["code"]) == ("failed", "gave_up")


async def test_a_replayed_dead_letter_is_processed(cloud: Cloud, http: httpx.AsyncClient) -> None:
    asset_id = await _given_up(cloud, http)
    letter = (await http.get("/api/admin/dead-letters")).json()["items"][0]

    answer = await http.post(f"/api/admin/dead-letters/{letter['id']}/replay")

    assert answer.raise_for_status().json()["replayed_at"] is not None

    async def processed() -> bool:
        asset = (await http.get(f"/api/documents/{asset_id}")).json()
        return bool(asset["state"] == "processed" and asset["text"] == "Found again.")

    await until(processed, 60)


async def test_what_is_under_review_is_not_read_again_by_a_replay(cloud: Cloud, http: httpx.AsyncClient) -> None:
    asset_id = await _given_up(cloud, http)
    letter = (await http.get("/api/admin/dead-letters")).json()["items"][0]
    replay = f"/api/admin/dead-letters/{letter['id']}/replay"
    failed = (await http.get(f"/api/documents/{asset_id}")).json()
    (await http.post(replay)).raise_for_status()
    read = await read_again(http, failed)
    body = {"document_ids": [asset_id]}
    (await http.post(f"/api/projects/{read['project_id']}/review", json=body)).raise_for_status()
    submitted = (await http.get(f"/api/documents/{asset_id}")).json()

    answer = await http.post(replay)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "state_conflict")
    assert (await http.get(f"/api/documents/{asset_id}")).json() == submitted


async def test_an_admin_of_another_company_neither_sees_nor_replays_it(cloud: Cloud, http: httpx.AsyncClient) -> None:
    await _given_up(cloud, http)
    letter = (await http.get("/api/admin/dead-letters")).json()["items"][0]
    stranger = (await join(cloud, await found_company())).http

    seen = (await stranger.get("/api/admin/dead-letters")).json()["items"]
    replayed = await stranger.post(f"/api/admin/dead-letters/{letter['id']}/replay")
    await stranger.aclose()

    assert (seen, replayed.status_code) == ([], 404)


async def test_a_dead_letter_that_nobody_can_read_is_acknowledged(cloud: Cloud) -> None:
    async with loopback.client(cloud.ports.url("internal")) as pubsub:
        answers = [await pubsub.post("/deadletter", content=body) for body in (b"nonsense", b"{}", b'{"message": 1}')]

    assert [answer.status_code for answer in answers] == [204, 204, 204]
