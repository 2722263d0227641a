"""Passkeys, with an authenticator in software."""

import base64
from typing import Any

import httpx
import pytest

from shared.models.records import now
from shared.services.passkeys import relying_party
from shared.services.tokens import hashed
from shared.store import firestore
from tests.authenticator import USER_PRESENT, USER_VERIFIED, Authenticator
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.people import Person


@pytest.fixture
def authenticator(cloud: Cloud) -> Authenticator:
    """An authenticator in a browser that shows our page."""
    return Authenticator(relying_party().origins[0])


async def _options(http: httpx.AsyncClient, step: str) -> dict[str, Any]:
    answer = await http.post(f"/api/auth/passkeys/{step}")
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["publicKey"]
    return options


async def _register(person: Person, authenticator: Authenticator) -> httpx.Response:
    credential = authenticator.create(await _options(person.http, "register"))
    return await person.http.post(
        "/api/auth/passkeys/register/verify", json={"credential": credential, "name": "My key"}
    )


async def _login(http: httpx.AsyncClient, authenticator: Authenticator) -> httpx.Response:
    credential = authenticator.get(await _options(http, "login"))
    return await http.post("/api/auth/passkeys/login/verify", json={"credential": credential})


async def test_a_registered_passkey_signs_its_owner_in_without_a_name(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    assert (await _register(staff.user, authenticator)).status_code == 201
    for _ in range(2):
        answer = await _login(http, authenticator)
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        assert (await http.get("/api/auth/me", headers=headers)).json()["id"] == staff.user.user.id


async def test_the_options_ask_for_a_discoverable_credential_and_a_verified_user(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    await _register(staff.user, authenticator)
    options = await _options(staff.user.http, "register")
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["rp"]["id"] == "localhost"
    assert len(options["excludeCredentials"]) == 1
    login = await _options(http, "login")
    assert (login["userVerification"], login.get("allowCredentials", [])) == ("required", [])
    assert len(base64.urlsafe_b64decode(login["challenge"] + "==")) == 32


async def test_a_challenge_is_good_once(http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator) -> None:
    await _register(staff.user, authenticator)
    options = await _options(http, "login")
    proofs = [{"credential": authenticator.get(options)} for _ in range(2)]
    answers = [await http.post("/api/auth/passkeys/login/verify", json=proof) for proof in proofs]
    assert [answer.status_code for answer in answers] == [200, 400]
    assert answers[1].json()["error"]["code"] == "token_refused"


async def test_a_failed_attempt_uses_the_challenge_up(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    await _register(staff.user, authenticator)
    options = await _options(http, "login")
    good = authenticator.get(options)
    bad = {**good, "response": {**good["response"], "signature": "AAAA"}}
    answers = [await http.post("/api/auth/passkeys/login/verify", json={"credential": one}) for one in (bad, good)]
    assert [answer.status_code for answer in answers] == [401, 400]


async def test_a_challenge_is_good_for_five_minutes_and_stored_as_a_hash(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    from shared.store import tokens

    await _register(staff.user, authenticator)
    options = await _options(http, "login")
    stored = await tokens.get(hashed(options["challenge"]))
    assert stored is not None
    assert 295 < (stored.expires_at - now()).total_seconds() <= 300
    await firestore.commit(
        firestore.Write(f"tokens/{stored.id}", {"expires_at": now()}, mask=("expires_at",), exists=True)
    )
    proof = {"credential": authenticator.get(options)}
    assert (await http.post("/api/auth/passkeys/login/verify", json=proof)).status_code == 400


async def test_the_challenge_of_another_person_registers_nothing(staff: Staff, authenticator: Authenticator) -> None:
    credential = authenticator.create(await _options(staff.admin.http, "register"))
    answer = await staff.user.http.post("/api/auth/passkeys/register/verify", json={"credential": credential})
    assert answer.json()["error"]["code"] == "token_refused"


async def test_a_challenge_for_signing_in_registers_nothing(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    options = await _options(staff.user.http, "register")
    challenge = (await _options(http, "login"))["challenge"]
    credential = authenticator.create(options, challenge=challenge)
    answer = await staff.user.http.post("/api/auth/passkeys/register/verify", json={"credential": credential})
    assert answer.json()["error"]["code"] == "token_refused"


async def test_a_counter_that_does_not_go_on_is_a_copy_and_refused(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    await _register(staff.user, authenticator)
    authenticator.count = 10
    assert (await _login(http, authenticator)).status_code == 200
    authenticator.count = 5
    assert (await _login(http, authenticator)).status_code == 401


async def test_an_authenticator_that_does_not_count_signs_in_again_and_again(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    authenticator.counts = False
    await _register(staff.user, authenticator)
    assert [(await _login(http, authenticator)).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "change",
    [
        {"origin": "https://evil.example"},
        {"cross_origin": True},
        {"flags": USER_PRESENT},
        {"flags": USER_VERIFIED},
        {"user_handle": b"usr_somebody_else"},
        {"credential_id": b"never registered"},
    ],
)
async def test_a_proof_that_is_not_as_it_must_be_is_refused(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator, change: dict[str, Any]
) -> None:
    await _register(staff.user, authenticator)
    for name, value in change.items():
        setattr(authenticator, name, value)
    answer = await _login(http, authenticator)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    "change", [{"origin": "https://evil.example"}, {"cross_origin": True}, {"flags": USER_PRESENT}, {"flags": 0}]
)
async def test_a_credential_that_is_not_made_as_it_must_be_is_refused(
    staff: Staff, authenticator: Authenticator, change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(authenticator, name, value)
    assert (await _register(staff.user, authenticator)).json()["error"]["code"] == "validation_failed"


@pytest.mark.parametrize(
    "credential",
    [{}, {"response": {}}, {"response": None}, {"response": {"clientDataJSON": "W10"}}, {"rawId": 1, "response": []}],
)
async def test_garbage_is_no_credential(http: httpx.AsyncClient, staff: Staff, credential: dict[str, Any]) -> None:
    login = await http.post("/api/auth/passkeys/login/verify", json={"credential": credential})
    register = await staff.user.http.post("/api/auth/passkeys/register/verify", json={"credential": credential})
    assert [login.status_code, register.status_code] == [400, 400]


async def test_a_credential_is_registered_once_whoever_comes(staff: Staff, authenticator: Authenticator) -> None:
    assert (await _register(staff.user, authenticator)).status_code == 201
    assert (await _register(staff.admin, authenticator)).json()["error"]["code"] == "already_exists"


async def test_passkeys_are_listed_renamed_and_removed_by_their_owner_alone(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    made = (await _register(staff.user, authenticator)).json()
    path = f"/api/auth/passkeys/{made['id']}"
    assert (await staff.admin.http.patch(path, json={"name": "Mine"})).status_code == 404
    assert (await staff.admin.http.delete(path)).status_code == 404
    assert (await staff.user.http.patch(path, json={"name": "Blue key"})).json()["name"] == "Blue key"
    listed = (await staff.user.http.get("/api/auth/passkeys")).json()["items"]
    assert [(one["id"], one["name"]) for one in listed] == [(made["id"], "Blue key")]
    assert (await staff.user.http.delete(path)).status_code == 204
    assert (await _login(http, authenticator)).status_code == 401


async def test_a_passkey_does_not_let_a_suspended_user_in(
    http: httpx.AsyncClient, staff: Staff, authenticator: Authenticator
) -> None:
    await _register(staff.user, authenticator)
    await staff.admin.http.post(f"/api/users/{staff.user.user.id}/suspend")
    assert (await _login(http, authenticator)).json()["error"]["code"] == "account_suspended"
