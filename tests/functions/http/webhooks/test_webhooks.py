"""Webhooks as receivers and as who manages a project see them."""

import asyncio
import json
import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from shared.cloud import outside
from shared.models.records import now
from shared.models.webhooks import Delivery, DeliveryState, Event
from shared.services import webhooks as emission
from shared.settings import settings
from shared.store import audit, firestore, projects, webhooks
from tests import material
from tests.conftest import Cloud
from tests.e2e.journey import described, ended, send, start
from tests.emulators.waiting import until
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import made, walked
from tests.functions.http.webhooks.receiver import Receiver, receiving

ALL = [str(event) for event in Event]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Somebody who is told."""
    with receiving() as receiver:
        yield receiver


async def _hook(http: httpx.AsyncClient, url: str, events: list[str] = ALL) -> dict[str, Any]:
    project = await made(http, "/api/projects", name="River")
    return await made(http, "/api/webhooks", project_id=project["id"], url=url, events=events)


async def _deliveries(http: httpx.AsyncClient, hook: dict[str, Any]) -> list[dict[str, Any]]:
    return await walked(http, f"/api/webhooks/{hook['id']}/deliveries")


async def _tell(hook: dict[str, Any], event: Event) -> list[Delivery]:
    """Tells the project's webhooks of an event of the project, as if it had changed."""
    project = await projects.get(hook["project_id"])
    assert project is not None
    told = await emission.messages(project.id, event, project, {"id": project.id})
    await firestore.commit(*emission.writes(told))
    await emission.send(told)
    return told


async def _told(receiver: Receiver, count: int) -> None:
    async def came() -> bool:
        return len(receiver.messages) >= count

    await until(came, 60)


def _data(secret: str, message: tuple[dict[str, str], bytes]) -> dict[str, Any]:
    headers, body = message
    data: dict[str, Any] = Verifier(secret).verify(body, headers)
    return data


async def test_a_finished_session_and_its_files_are_told_and_verify_with_the_standard_library(
    staff: Staff, receiver: Receiver
) -> None:
    http = staff.user.http
    hook = await _hook(http, receiver.url)
    session = await made(http, "/api/sessions", project_id=hook["project_id"], name="Monday")
    files = {"table.csv": b"a,b\n", "empty.pdf": b"", "not-a-picture.png": b"plain text, no picture"}
    job = await start(http, session["id"], [described(path, content) for path, content in files.items()])
    for file in job["files"]:
        if file["upload"]:
            (await send(file["upload"], files[file["path"]])).raise_for_status()
    await ended(http, session["id"])

    await _told(receiver, 3)

    told = [_data(hook["secret"], message) for message in receiver.messages]
    paths = {(one["type"], one["data"].get("path", one["data"].get("name"))) for one in told}
    assert {
        ("asset.processed", "table.csv"),
        ("asset.failed", "not-a-picture.png"),
        ("session.completed", "Monday"),
    } <= paths
    with pytest.raises(WebhookVerificationError):
        _data("whsec_" + "A" * 44, receiver.messages[0])


async def test_a_file_that_shares_the_result_of_another_is_told_as_any_other(staff: Staff, receiver: Receiver) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River", recognise_once=True)
    await made(http, "/api/webhooks", project_id=project["id"], url=receiver.url, events=["asset.processed"])
    page = material.picture("png", "The river rose in the night.")

    for path in ("first.png", "second.png"):
        session = await made(http, "/api/sessions", project_id=project["id"], name=path)
        (file,) = (await start(http, session["id"], [described(path, page)]))["files"]
        (await send(file["upload"], page)).raise_for_status()
        await ended(http, session["id"])
    await _told(receiver, 2)

    assert sorted(json.loads(body)["data"]["path"] for _, body in receiver.messages) == ["first.png", "second.png"]


async def test_what_fails_is_tried_again_later_under_the_same_id(staff: Staff, receiver: Receiver) -> None:
    receiver.status = 500
    hook = await _hook(staff.user.http, receiver.url, ["export.ready"])
    await _tell(hook, Event.EXPORT_READY)
    await _tell(hook, Event.ASSET_FAILED)  # not asked for
    await _told(receiver, 1)
    receiver.status = 204
    await _told(receiver, 2)  # five seconds later

    async def delivered() -> bool:
        return [one["state"] for one in await _deliveries(staff.user.http, hook)] == ["delivered"]

    await until(delivered, 30)
    (delivery,) = await _deliveries(staff.user.http, hook)
    assert [one["status"] for one in delivery["attempts"]] == [500, 204]
    assert {headers["webhook-id"] for headers, _ in receiver.messages} == {delivery["id"]}

    again = f"/api/webhooks/{hook['id']}/deliveries/{delivery['id']}/redeliver"
    assert (await staff.user.http.post(again)).status_code == 200
    await _told(receiver, 3)
    assert receiver.messages[2][0]["webhook-id"] == delivery["id"]


async def test_after_a_rotation_both_secrets_verify(staff: Staff, receiver: Receiver) -> None:
    http = staff.user.http
    hook = await _hook(http, receiver.url)
    rotated = (await http.post(f"/api/webhooks/{hook['id']}/rotate-secret")).json()
    assert rotated["secret"] != hook["secret"]
    await _tell(hook, Event.EXPORT_READY)
    await _told(receiver, 1)
    for secret in (hook["secret"], rotated["secret"]):
        assert _data(secret, receiver.messages[0])["data"] == {"id": hook["project_id"]}
    shown = (await http.get(f"/api/webhooks/{hook['id']}")).json()
    assert "secret" not in shown
    told = json.dumps([entry["after"] for entry in await _audit(hook["id"])])
    assert hook["secret"] not in told
    assert rotated["secret"] not in told


async def _audit(target: str) -> list[dict[str, Any]]:
    return [entry.model_dump(mode="json") for entry in await audit.page((("target_id", "==", target),), 10, None)]


async def test_a_webhook_that_failed_for_days_is_disabled_and_can_be_brought_back(
    staff: Staff, receiver: Receiver
) -> None:
    http = staff.user.http
    receiver.status, receiver.location = 302, "http://127.0.0.1:1/elsewhere"
    hook = await _hook(http, receiver.url)
    record = await webhooks.get(hook["id"])
    assert record is not None
    await firestore.commit(webhooks.change(record, {"failing_since": now() - timedelta(days=4)}))
    await _tell(hook, Event.EXPORT_READY)
    path = f"/api/webhooks/{hook['id']}"

    async def disabled() -> bool:
        return bool((await http.get(path)).json()["state"] == "disabled")

    await until(disabled)
    assert [one["status"] for one in (await _deliveries(http, hook))[0]["attempts"]] == [302]  # never followed
    back = (await http.patch(path, json={"state": "active"})).json()
    assert (back["state"], back["failing_since"]) == ("active", None)
    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).status_code == 404


async def test_a_deleted_project_tells_nothing_and_a_restored_one_nothing_of_before(
    staff: Staff, receiver: Receiver
) -> None:
    http = staff.user.http
    hook = await _hook(http, receiver.url)
    project = f"/api/projects/{hook['project_id']}"
    assert (await http.delete(project)).status_code == 204
    (kept,) = await _tell(hook, Event.EXPORT_READY)

    async def given_up() -> bool:
        found = await webhooks.delivery(kept.id)
        return found is not None and found.state is not DeliveryState.PENDING

    await until(given_up)
    assert (await http.post(f"{project}/restore")).status_code == 200
    assert [(one["state"], one["attempts"]) for one in await _deliveries(http, hook)] == [("failed", [])]
    (later,) = await _tell(hook, Event.EXPORT_READY)
    await _told(receiver, 1)
    assert [headers["webhook-id"] for headers, _ in receiver.messages] == [later.id]


async def test_only_who_manages_a_project_sees_its_webhooks(staff: Staff, receiver: Receiver) -> None:
    hook = await _hook(staff.user.http, receiver.url)
    path = f"/api/webhooks/{hook['id']}"
    assert (await staff.stranger.http.get(path)).status_code == 404
    assert (await staff.stranger.http.get(f"{path}/deliveries")).status_code == 404
    assert [one["id"] for one in await walked(staff.user.http, "/api/webhooks", project_id=hook["project_id"])] == [
        hook["id"]
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://169.254.169.254/computeMetadata/v1/",
        "https://[::1]:1/",
        "https://[fd00::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://[2002:a00:1::]/",
        "https://192.0.0.192/",
        "https://0.0.0.0/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://name:word@93.184.215.14/",
        "http://93.184.215.14/",
        "https://nobody.invalid/",
    ],
)
async def test_nothing_is_sent_to_an_address_that_is_not_public_or_not_https(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("WEBHOOK_LOOPBACK", "false")
    settings.cache_clear()
    try:
        with pytest.raises(outside.AddressRefused):
            await outside.checked(url)
        reply = await outside.post(url, {}, b"{}")
        assert (reply.status, bool(reply.error)) == (None, True)
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def _resolving(monkeypatch: pytest.MonkeyPatch, *answers: str) -> list[str]:
    """Names mean these addresses, one after the other; which names were asked for."""
    asked: list[str] = []

    async def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers[len(asked) - 1], port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    return asked


async def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_means_a_moment_later(
    cloud: Cloud, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = receiver.url.replace("127.0.0.1", "hook.example.org")
    asked = _resolving(monkeypatch, "127.0.0.1", "10.0.0.1")

    reply = await outside.post(url, {}, b"{}")

    assert (reply.status, asked) == (204, ["hook.example.org"])
    assert receiver.messages[0][0]["host"] == url.split("/")[2]


async def test_a_name_that_was_public_when_the_webhook_was_made_and_is_private_now_gets_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _resolving(monkeypatch, "93.184.215.14", "169.254.169.254")
    await outside.checked("https://hook.example.org/")

    reply = await outside.post("https://hook.example.org/", {}, b"{}")

    assert (reply.status, reply.error) == (None, "The host is not on the public internet.")
    assert asked == ["hook.example.org"] * 2


async def test_a_private_address_is_refused_when_a_webhook_is_made(staff: Staff) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    body = {"project_id": project["id"], "url": "https://169.254.169.254/", "events": ["export.ready"]}
    answer = await staff.user.http.post("/api/webhooks", json=body)
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "url")
