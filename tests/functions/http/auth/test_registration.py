"""Registering, and the letters that it takes."""

import asyncio

import httpx

from shared.models.records import now
from shared.services.tokens import hashed
from shared.store import firestore
from shared.store import tokens as stored_tokens
from tests.conftest import Cloud
from tests.letters import letter_to
from tests.people import PASSWORD


def _registration(address: str, **more: str) -> dict[str, str]:
    return {"email": address, "password": PASSWORD, "name": "Ada", "company_name": "Engines", **more}


async def test_who_registers_founds_a_company_and_signs_in_once_the_address_is_verified(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    assert (await http.post("/api/auth/register", json=_registration(address))).status_code == 202
    credentials = {"email": address, "password": PASSWORD}
    early = await http.post("/api/auth/login", json=credentials)
    assert (early.status_code, early.json()["error"]["code"]) == (403, "email_not_verified")

    letter = await letter_to(cloud, address, "Confirm")
    assert (await http.post("/api/auth/verify-email", json={"token": letter.token})).status_code == 204

    tokens = (await http.post("/api/auth/login", json=credentials)).json()
    me = await http.get("/api/auth/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert (me.json()["role"], me.json()["email_verified"]) == ("admin", True)
    companies = await http.get("/api/companies", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert [company["name"] for company in companies.json()["items"]] == ["Engines"]


async def test_a_known_address_is_answered_like_a_new_one_and_hears_of_it_by_mail(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    first = await http.post("/api/auth/register", json=_registration(address))
    again = await http.post("/api/auth/register", json=_registration(address, company_name="Other"))
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert (await letter_to(cloud, address, "You have an account")).link


async def test_of_many_who_register_one_address_at_once_one_has_it(
    http: httpx.AsyncClient, cloud: Cloud, address: str
) -> None:
    asked = [_registration(address, company_name=f"Number {n}") for n in range(4)]
    answers = await asyncio.gather(*(http.post("/api/auth/register", json=one) for one in asked))
    assert {answer.status_code for answer in answers} == {202}
    letter = await letter_to(cloud, address, "Confirm")
    assert (await http.post("/api/auth/verify-email", json={"token": letter.token})).status_code == 204
    assert (await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})).status_code == 200


async def test_a_user_name_belongs_to_one_person_whatever_its_case(http: httpx.AsyncClient, address: str) -> None:
    name = address.partition("@")[0].replace("_", "-")
    assert (await http.post("/api/auth/register", json=_registration(address, username=name))).status_code == 202
    other = _registration(f"other.{address}", username=name.upper())
    assert (await http.post("/api/auth/register", json=other)).json()["error"]["code"] == "already_exists"


async def test_who_registers_says_either_a_company_or_an_invitation(http: httpx.AsyncClient, address: str) -> None:
    neither = {"email": address, "password": PASSWORD, "name": "Ada"}
    both = _registration(address, invitation_token="x")
    for asked in (neither, both):
        assert (await http.post("/api/auth/register", json=asked)).status_code == 422


async def test_an_account_made_past_us_at_the_provider_does_not_hold_the_address(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    sign_up = f"{cloud.ports.url('auth')}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=any"
    squat = await http.post(sign_up, json={"email": address, "password": "the squatter's"})
    assert squat.status_code == 200
    assert (await http.post("/api/auth/register", json=_registration(address))).status_code == 202
    stolen = await http.post("/api/auth/login", json={"email": address, "password": "the squatter's"})
    assert stolen.json()["error"]["code"] == "invalid_credentials"
    own = await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})
    assert own.json()["error"]["code"] == "email_not_verified"


async def test_a_verification_token_is_stored_as_a_hash_and_used_once(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    await http.post("/api/auth/register", json=_registration(address))
    token = (await letter_to(cloud, address, "Confirm")).token
    assert await stored_tokens.get(token) is None
    assert await stored_tokens.get(hashed(token)) is not None
    answers = [await http.post("/api/auth/verify-email", json={"token": token}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [204, 400]
    assert answers[1].json()["error"]["code"] == "token_refused"


async def test_a_verification_token_that_expired_or_is_meant_for_something_else_is_refused(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    await http.post("/api/auth/register", json=_registration(address))
    token = (await letter_to(cloud, address, "Confirm")).token
    chosen = {"token": token, "password": "an even better horse"}
    assert (await http.post("/api/auth/password-reset/confirm", json=chosen)).status_code == 400
    expired = firestore.Write(f"tokens/{hashed(token)}", {"expires_at": now()}, mask=("expires_at",), exists=True)
    await firestore.commit(expired)
    refused = await http.post("/api/auth/verify-email", json={"token": token})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "token_refused")
    login = await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})
    assert login.json()["error"]["code"] == "email_not_verified"


async def test_a_letter_can_be_asked_for_again_and_each_of_them_verifies_only_once(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    await http.post("/api/auth/register", json=_registration(address))
    first = await letter_to(cloud, address, "Confirm")
    assert (await http.post("/api/auth/resend-verification", json={"email": address})).status_code == 202
    second = await letter_to(cloud, address, "Confirm", number=2)
    assert (await http.post("/api/auth/verify-email", json={"token": second.token})).status_code == 204
    assert (await http.post("/api/auth/verify-email", json={"token": first.token})).status_code == 400


async def test_asking_for_a_letter_says_nothing_of_whether_the_address_is_known(
    http: httpx.AsyncClient, address: str
) -> None:
    await http.post("/api/auth/register", json=_registration(address))
    for path in ("/api/auth/resend-verification", "/api/auth/password-reset"):
        answers = [await http.post(path, json={"email": email}) for email in (address, f"un.{address}")]
        assert answers[0].content == answers[1].content
        assert [answer.status_code for answer in answers] == [202, 202]


async def test_the_links_of_letters_lead_to_pages_that_change_nothing_by_being_followed(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    await http.post("/api/auth/register", json=_registration(address))
    letter = await letter_to(cloud, address, "Confirm")
    page = await http.get(letter.link)
    assert page.headers["content-type"].startswith("text/html")
    assert "script-src 'sha256-" in page.headers["content-security-policy"]
    assert letter.token in letter.html
    assert (await http.post("/api/auth/verify-email", json={"token": letter.token})).status_code == 204
