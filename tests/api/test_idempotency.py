"""Idempotency-Key: done once, answered alike."""

import asyncio
import json
import secrets
from typing import Any

import httpx
import pytest

from shared.errors import RequestInFlight
from shared.models.idempotency import Answer, KeyedRequest
from shared.models.records import now
from shared.services import idempotency as service
from shared.services.idempotency import Key
from shared.store import firestore, idempotency
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made
from tests.letters import letter_to
from tests.people import PASSWORD

BODY = b'{"name": "River"}'


def _keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key, "Content-Type": "application/json"}


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


async def test_a_storm_of_equal_requests_makes_one_record_and_equal_answers(staff: Staff, key: str) -> None:
    http = staff.user.http
    answers = await asyncio.gather(*(http.post("/api/projects", content=BODY, headers=_keyed(key)) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.content, answer.headers["ETag"]) for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 49
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 50
    assert await ids(http, "/api/projects") == [answers[0].json()["id"]]


async def test_a_replay_is_the_answer_of_then_whatever_happened_since(staff: Staff, key: str) -> None:
    http = staff.user.http
    first = await http.post("/api/projects", content=BODY, headers=_keyed(key))
    await http.delete(f"/api/projects/{first.json()['id']}")
    again = await http.post("/api/projects", content=BODY, headers=_keyed(key))
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_key_belongs_to_its_payload_and_path(staff: Staff, key: str) -> None:
    http = staff.user.http
    project = (await http.post("/api/projects", content=BODY, headers=_keyed(key))).json()
    other = await http.post("/api/projects", content=BODY.replace(b"River", b"Lake"), headers=_keyed(key))
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_mismatch")
    elsewhere = await http.post(f"/api/projects/{project['id']}/restore", headers=_keyed(key))
    assert (elsewhere.status_code, elsewhere.json()["error"]["code"]) == (422, "idempotency_mismatch")


async def test_a_key_belongs_to_its_sender(staff: Staff, key: str) -> None:
    mine = await staff.user.http.post("/api/projects", content=BODY, headers=_keyed(key))
    theirs = await staff.stranger.http.post("/api/projects", content=BODY, headers=_keyed(key))
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]


async def test_a_refused_request_may_be_corrected_under_the_same_key(staff: Staff, key: str) -> None:
    http = staff.user.http
    storm = await asyncio.gather(*(http.post("/api/projects", content=b"{}", headers=_keyed(key)) for _ in range(10)))
    assert {answer.status_code for answer in storm} == {422}
    assert len({answer.json()["error"]["message"] for answer in storm}) == 1
    assert (await http.post("/api/projects", content=BODY, headers=_keyed(key))).status_code == 201


async def test_without_a_valid_token_no_key_is_looked_at(http: httpx.AsyncClient, staff: Staff, key: str) -> None:
    await staff.user.http.post("/api/projects", content=BODY, headers=_keyed(key))
    for token in ("", "nonsense"):
        headers = {**_keyed(key), **({"Authorization": f"Bearer {token}"} if token else {})}
        assert (await http.post("/api/projects", content=BODY, headers=headers)).status_code == 401


@pytest.mark.parametrize("wrong", ["", "a" * 256, "with space"])
async def test_a_key_that_is_none_is_refused(staff: Staff, wrong: str) -> None:
    answer = await staff.user.http.post("/api/projects", content=BODY, headers=_keyed(wrong))
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_request")


async def test_work_whose_end_nobody_saw_is_done_again_and_meets_its_own_record(staff: Staff, key: str) -> None:
    http = staff.user.http
    first, again = await _posted_and_lost(staff, key, "/api/projects", BODY)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert len(await ids(http, "/api/projects")) == 1


@pytest.mark.parametrize(("path", "content_type"), [("/api/documents", "image/png"), ("/api/voice", "audio/wav")])
async def test_a_document_whose_answer_was_lost_is_answered_with_its_address(
    staff: Staff, key: str, path: str, content_type: str
) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    body = {"project_id": project["id"], "name": "one", "size": 3, "content_type": content_type}
    first, again = await _posted_and_lost(staff, key, path, json.dumps(body).encode())
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert again.json()["upload"]["url"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert await ids(http, path, project_id=project["id"]) == [first.json()["id"]]


async def test_an_invitation_whose_answer_was_lost_is_mailed_once_more(
    cloud: Cloud, staff: Staff, key: str, address: str
) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    body = json.dumps({"email": address, "role": "reviewer"}).encode()
    first, again = await _posted_and_lost(staff, key, f"/api/projects/{project['id']}/invite", body)
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    await letter_to(cloud, address, "", number=2)


async def test_a_registration_whose_answer_was_lost_does_not_find_its_own_user_name_taken(
    staff: Staff, key: str, address: str
) -> None:
    asked = {"email": address, "password": PASSWORD, "name": "Ada", "username": f"ada-{key}", "company_name": "River"}
    _, again = await _posted_and_lost(staff, key, "/api/auth/register", json.dumps(asked).encode())
    assert again.status_code == 202, again.text
    other = {**asked, "email": f"other-{address}"}
    taken = await staff.user.http.post("/api/auth/register", json=other)
    assert (taken.status_code, taken.json()["error"]["code"]) == (409, "already_exists")


async def _posted_and_lost(staff: Staff, key: str, path: str, body: bytes) -> list[httpx.Response]:
    """The answers to a POST, and to its repetition after nobody got the first one."""
    first = await staff.user.http.post(path, content=body, headers=_keyed(key))
    assert first.is_success, first.text
    held = await _held(staff, key, f"{path}?", body)
    # As if the instance had died between the commit of the record and that of the answer.
    lost: dict[str, Any] = {"status": None, "answer": None, "leased_until": now()}
    await firestore.commit(idempotency.change(held, lost))
    return [first, await staff.user.http.post(path, content=body, headers=_keyed(key))]


async def test_while_the_first_is_worked_on_for_long_the_next_is_told_to_wait(
    staff: Staff, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "PATIENCE", 0.2)
    asked = Key(key, staff.user.user.id, "/somewhere?", BODY)
    began, done = asyncio.Event(), asyncio.Event()

    async def work() -> Answer:
        began.set()
        await done.wait()
        return Answer(status=200, headers={}, body=b"done")

    first = asyncio.create_task(service.answered(asked, work))
    await began.wait()
    with pytest.raises(RequestInFlight):
        await service.answered(asked, work)
    done.set()
    assert (await first)[1] is False
    assert (await service.answered(asked, work)) == (Answer(status=200, headers={}, body=b"done"), True)


async def test_what_is_kept_can_be_read_with_the_request_only(staff: Staff, key: str) -> None:
    credentials = b'{"email": "%s", "password": "correct horse battery"}' % staff.user.user.email.encode()
    answer = await staff.user.http.post(
        "/api/auth/login", content=credentials, headers={**_keyed(key), "Authorization": ""}
    )
    assert answer.status_code == 200
    held = await idempotency.get(Key(key, "address 127.0.0.1", "/api/auth/login?", credentials).request_id)
    assert held is not None
    assert held.answer is not None
    assert answer.json()["access_token"].encode() not in held.answer


async def test_an_answer_is_kept_for_a_day(staff: Staff, key: str) -> None:
    http = staff.user.http
    first = await http.post("/api/projects", content=BODY, headers=_keyed(key))
    held = await _held(staff, key, "/api/projects?", BODY)
    assert 23.9 < (held.expires_at - held.created_at).total_seconds() / 3600 <= 24
    await firestore.commit(idempotency.change(held, {"expires_at": now()}))
    again = await http.post("/api/projects", content=BODY, headers=_keyed(key))
    assert again.status_code == 201
    assert again.json()["id"] != first.json()["id"]


@pytest.mark.crowd
async def test_a_page_of_a_thousand_signed_addresses_is_replayed(staff: Staff, key: str) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    session = await made(http, "/api/sessions", project_id=project["id"], name="Monday")
    files = [{"path": f"{n}.csv", "size": n + 1, "content_type": "text/csv"} for n in range(1000)]
    body = {"session_id": session["id"], "files": files}
    answers = [await http.post("/api/uploads/start", json=body, headers={"Idempotency-Key": key}) for _ in range(2)]
    assert answers[0].status_code == 201
    assert answers[0].content == answers[1].content
    assert answers[1].headers["Idempotency-Replayed"] == "true"


async def _held(staff: Staff, key: str, path: str, body: bytes) -> KeyedRequest:
    held = await idempotency.get(Key(key, staff.user.user.id, path, body).request_id)
    assert held is not None
    return held
