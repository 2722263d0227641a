"""What happened is told, even when the instance dies before it has told anybody."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.cloud import tasks
from shared.models.assets import Asset, AssetState
from shared.models.events import ObjectFinalized
from shared.models.records import now
from shared.models.review import Decision, NewDecision
from shared.models.webhooks import Delivery, Event
from shared.services import callers, deadletters, decisions, reconcile
from shared.store import assets, firestore, webhooks
from tests.emulators.waiting import until
from tests.functions.http.desk import Desk, decided, desk
from tests.functions.http.walking import made, walked
from tests.functions.http.webhooks.receiver import Receiver, receiving
from tests.people import Person

__all__ = ["desk"]


class Killed(BaseException):
    """The process ends here: nothing catches it."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with receiving() as receiver:
        yield receiver


async def _hook(desk: Desk, receiver: Receiver) -> dict[str, Any]:
    events = [str(event) for event in Event]
    return await made(desk.admin.http, "/api/webhooks", project_id=desk.project_id, url=receiver.url, events=events)


async def _log(desk: Desk, hook: dict[str, Any]) -> list[dict[str, Any]]:
    return await walked(desk.admin.http, f"/api/webhooks/{hook['id']}/deliveries")


async def _kill_the_enqueue(*_: Any, **__: Any) -> None:
    raise Killed


async def _decide_and_die(by: Person, document_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    caller = await callers.caller(by.http.headers["Authorization"].removeprefix("Bearer "))
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "enqueue", _kill_the_enqueue)
        with pytest.raises(Killed):
            await decisions.decide(caller, document_id, NewDecision(decision=Decision.APPROVE), None)


async def test_every_decision_is_told_once_it_is_one(desk: Desk, receiver: Receiver) -> None:
    assert (await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})).status_code == 200
    hook = await _hook(desk, receiver)
    approved, rejected = await desk.submitted(0.5, 0.6)

    await decided(desk.one, approved)  # the first of two approvals decides nothing
    await decided(desk.one, rejected, "reject", reason="unreadable", comment="Blurred.")
    await decided(desk.other, approved)

    async def told() -> bool:
        return [one["state"] for one in await _log(desk, hook)] == ["delivered", "delivered"]

    await until(told)
    data = {one["data"]["id"]: one for one in map(_payload, receiver.messages)}
    assert {one["type"] for one in data.values()} == {"review.decided"}
    assert data[approved]["data"]["review"]["approved_by"] == [desk.one.user.id, desk.other.user.id]
    said = data[rejected]["data"]["review"]
    assert (said["state"], said["reason"], said["comment"]) == ("rejected", "unreadable", "Blurred.")
    assert said["decided_by"] == desk.one.user.id


def _payload(message: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(message[1])
    return payload


async def test_a_decision_whose_instance_died_before_it_told_is_told_by_the_sweep(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await _hook(desk, receiver)
    (document_id,) = await desk.submitted(0.5)

    await _decide_and_die(desk.one, document_id, monkeypatch)

    asset, (message,) = await assets.get(document_id), await _log(desk, hook)
    kept = await webhooks.delivery(message["id"])
    assert asset is not None
    assert kept is not None
    assert (asset.review.state, message["state"], message["attempts"]) == ("approved", "pending", [])
    assert kept.version == asset.version  # one commit
    await _late(kept)
    for _ in range(2):
        await reconcile.run()

    async def told() -> bool:
        return [one["state"] for one in await _log(desk, hook)] == ["delivered"]

    await until(told)
    assert [headers["webhook-id"] for headers, _ in receiver.messages] == [message["id"]]


async def test_a_decision_has_its_project_counted_and_its_message_sent(
    desk: Desk, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _hook(desk, receiver)
    (document_id,) = await desk.submitted(0.5)
    queues: list[str] = []

    async def enqueue(queue: str, *_: Any, **__: Any) -> None:
        queues.append(queue)

    monkeypatch.setattr(tasks, "enqueue", enqueue)
    caller = await callers.caller(desk.one.http.headers["Authorization"].removeprefix("Bearer "))
    await decisions.decide(caller, document_id, NewDecision(decision=Decision.REJECT), None)

    assert queues == ["rollups", "deliveries"]


async def _late(message: Delivery) -> None:
    """As if its attempt had been due some minutes ago."""
    due = now() - 2 * reconcile.GRACE
    await firestore.commit(webhooks.change_delivery(message, {"next_attempt_at": due}))


async def test_what_was_given_up_on_is_told_as_failed(desk: Desk, receiver: Receiver) -> None:
    hook = await _hook(desk, receiver)
    (asset_id,) = await desk.documents(None, state=AssetState.PROCESSING, settled=False, generation=7)
    asset = await assets.get(asset_id)
    assert asset is not None
    for _ in range(2):
        await deadletters.bury(_finalized(asset))

    async def told() -> bool:
        return [(one["event"], one["state"]) for one in await _log(desk, hook)] == [("asset.failed", "delivered")]

    await until(told)
    (message,) = receiver.messages
    assert _payload(message)["data"]["error"]["code"] == "gave_up"


def _finalized(asset: Asset) -> ObjectFinalized:
    described = {"bucket": "alta-local", "name": asset.object_name, "generation": 7, "size": asset.size}
    return ObjectFinalized.model_validate({**described, "contentType": asset.content_type, "crc32c": "AAAAAA=="})
