"""Signing in with Google. The Auth emulator takes unsigned ID tokens, given as JSON."""

import json

import httpx

from shared.models.records import new_id
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.letters import letter_to
from tests.people import PASSWORD


def _google(address: str, *, verified: bool = True, subject: str | None = None) -> str:
    claims = {"sub": subject or new_id("g"), "email": address, "email_verified": verified, "name": "Ada Lovelace"}
    return json.dumps(claims)


async def test_a_known_verified_address_signs_in_and_keeps_its_password(http: httpx.AsyncClient, staff: Staff) -> None:
    answer = await http.post("/api/auth/google", json={"id_token": _google(staff.user.user.email)})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await http.get("/api/auth/me", headers=headers)).json()["id"] == staff.user.user.id
    password = await http.post("/api/auth/login", json={"email": staff.user.user.email, "password": PASSWORD})
    assert password.status_code == 200


async def test_somebody_new_says_what_they_join_or_found_and_then_has_an_account_with_our_id(
    http: httpx.AsyncClient, address: str
) -> None:
    token = _google(address)
    refused = await http.post("/api/auth/google", json={"id_token": token})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "registration_required")
    answer = await http.post("/api/auth/google", json={"id_token": token, "company_name": "Engines"})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    me = (await http.get("/api/auth/me", headers=headers)).json()
    assert (me["email"], me["role"], me["name"], me["id"][:4]) == (address, "admin", "Ada Lovelace", "usr_")
    assert (await http.post("/api/auth/google", json={"id_token": token})).status_code == 200


async def test_the_password_of_who_registered_somebody_elses_address_dies_when_the_owner_comes_with_google(
    http: httpx.AsyncClient, address: str
) -> None:
    asked = {"email": address, "password": PASSWORD, "name": "Mallory", "company_name": "Engines"}
    await http.post("/api/auth/register", json=asked)
    assert (await http.post("/api/auth/google", json={"id_token": _google(address)})).status_code == 200
    mallory = await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})
    assert mallory.json()["error"]["code"] == "invalid_credentials"


async def test_an_address_that_google_does_not_vouch_for_opens_nothing(
    http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    for email in (staff.user.user.email, address):
        asked = {"id_token": _google(email, verified=False), "company_name": "Engines"}
        answer = await http.post("/api/auth/google", json=asked)
        assert answer.json()["error"]["code"] == "invalid_credentials"


async def test_garbage_is_no_google_token(http: httpx.AsyncClient) -> None:
    for token in ("x", "{}", "a.b.c", "[]"):
        answer = await http.post("/api/auth/google", json={"id_token": token, "company_name": "Engines"})
        assert answer.status_code == 401


async def test_another_google_account_is_linked_by_who_is_signed_in_and_belongs_to_one_person(
    http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    token = _google(address)
    assert (await staff.user.http.post("/api/auth/google/link", json={"id_token": token})).status_code == 200
    answer = await http.post("/api/auth/google", json={"id_token": token})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await http.get("/api/auth/me", headers=headers)).json()["id"] == staff.user.user.id
    other = await staff.admin.http.post("/api/auth/google/link", json={"id_token": token})
    assert other.json()["error"]["code"] == "already_exists"


async def test_a_suspended_user_does_not_come_in_by_google(http: httpx.AsyncClient, staff: Staff) -> None:
    await staff.admin.http.post(f"/api/users/{staff.user.user.id}/suspend")
    answer = await http.post("/api/auth/google", json={"id_token": _google(staff.user.user.email)})
    assert answer.json()["error"]["code"] == "account_suspended"


async def test_an_invited_person_joins_with_google(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    project = (await staff.admin.http.post("/api/projects", json={"name": "Survey"})).json()
    await staff.admin.http.post(f"/api/projects/{project['id']}/invite", json={"email": address, "role": "reviewer"})
    invitation = (await letter_to(cloud, address, "Invitation")).token
    answer = await http.post("/api/auth/google", json={"id_token": _google(address), "invitation_token": invitation})
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    seen = (await http.get("/api/projects", headers=headers)).json()["items"]
    assert [(one["id"], one["role"]) for one in seen] == [(project["id"], "reviewer")]
