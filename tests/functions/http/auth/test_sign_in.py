"""Signing in and out, with a password, and what ends a sign-in."""

import asyncio

import httpx
import pytest

from shared.cloud import identity
from shared.errors import Unavailable
from shared.models.identity import Caller, MeChange, PasswordChange, Role
from shared.models.records import new_id
from shared.services import accounts
from shared.store import firestore, users
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.letters import letter_to
from tests.people import PASSWORD, Person


async def _login(http: httpx.AsyncClient, **credentials: str) -> httpx.Response:
    return await http.post("/api/auth/login", json=credentials)


def _bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_the_default_admin_signs_in_by_user_name_or_email(http: httpx.AsyncClient) -> None:
    for credentials in ({"username": "Admin"}, {"email": "ADMIN@alta.local"}, {"username": "admin@alta.local"}):
        answer = await _login(http, **credentials, password="admin123")
        assert answer.status_code == 200
        assert answer.json()["token_type"] == "bearer"
        assert answer.json()["expires_in"] == 3600


@pytest.mark.parametrize("account", [{"email": "nobody@example.org"}, {"username": "no-body"}, {"username": "a/b"}])
async def test_an_unknown_account_is_answered_like_a_wrong_password(
    http: httpx.AsyncClient, staff: Staff, account: dict[str, str]
) -> None:
    wrong = await _login(http, email=staff.user.user.email, password="wrong password")
    unknown = await _login(http, **account, password="wrong password")
    assert (unknown.status_code, unknown.json()["error"]["message"]) == (401, wrong.json()["error"]["message"])


async def test_a_fresh_access_token_is_had_for_a_refresh_token(http: httpx.AsyncClient, staff: Staff) -> None:
    tokens = (await _login(http, email=staff.user.user.email, password=PASSWORD)).json()
    fresh = await http.post("/api/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert (await http.get("/api/auth/me", headers=_bearer(fresh))).json()["id"] == staff.user.user.id


async def test_a_logout_ends_access_and_refresh_tokens_at_once_and_a_new_sign_in_works_at_once(
    http: httpx.AsyncClient, staff: Staff
) -> None:
    first = await _login(http, email=staff.user.user.email, password=PASSWORD)
    assert (await http.post("/api/auth/logout", headers=_bearer(first))).status_code == 204
    assert (await http.get("/api/auth/me", headers=_bearer(first))).status_code == 401
    refreshed = await http.post("/api/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})
    assert refreshed.status_code == 401
    second = await _login(http, email=staff.user.user.email, password=PASSWORD)
    assert (await http.get("/api/auth/me", headers=_bearer(second))).status_code == 200


@pytest.mark.parametrize("token", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_a_broken_token_opens_nothing(http: httpx.AsyncClient, token: str) -> None:
    answer = await http.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_sign_in_past_us_at_the_provider_opens_nothing_before_the_address_is_verified(
    cloud: Cloud, http: httpx.AsyncClient, address: str
) -> None:
    asked = {"email": address, "password": PASSWORD, "name": "Ada", "company_name": "Engines"}
    await http.post("/api/auth/register", json=asked)
    provider = f"{cloud.ports.url('auth')}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=any"
    signed_in = await http.post(provider, json={"email": address, "password": PASSWORD, "returnSecureToken": True})
    headers = {"Authorization": f"Bearer {signed_in.json()['idToken']}"}
    assert (await http.get("/api/auth/me", headers=headers)).json()["error"]["code"] == "email_not_verified"


async def test_a_forgotten_password_is_replaced_by_a_letter_which_ends_every_sign_in(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff
) -> None:
    email = staff.user.user.email
    await http.post("/api/auth/password-reset", json={"email": email})
    token = (await letter_to(cloud, email, "Choose a new")).token
    chosen = {"token": token, "password": "an even better horse"}
    assert (await http.post("/api/auth/password-reset/confirm", json=chosen)).status_code == 204

    assert (await staff.user.http.get("/api/auth/me")).status_code == 401
    assert (await _login(http, email=email, password=PASSWORD)).status_code == 401
    assert (await _login(http, email=email, password="an even better horse")).status_code == 200


async def test_a_reset_token_is_good_once_and_dies_with_every_other_change_of_the_password(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff
) -> None:
    email = staff.user.user.email
    for _ in range(2):
        await http.post("/api/auth/password-reset", json={"email": email})
    first, second = [(await letter_to(cloud, email, "Choose a new", number=n)).token for n in (1, 2)]
    answers = [
        await http.post("/api/auth/password-reset/confirm", json={"token": token, "password": f"a new one {n}"})
        for n, token in enumerate((second, second, first))
    ]
    assert [answer.status_code for answer in answers] == [204, 400, 400]


async def test_of_two_who_use_one_reset_token_at_once_one_is_refused(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff
) -> None:
    email = staff.user.user.email
    await http.post("/api/auth/password-reset", json={"email": email})
    token = (await letter_to(cloud, email, "Choose a new")).token
    answers = await asyncio.gather(
        *(
            http.post("/api/auth/password-reset/confirm", json={"token": token, "password": f"a new one {n}"})
            for n in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) in ([204, 400], [204, 409])


async def test_a_token_for_one_purpose_does_nothing_for_another(
    cloud: Cloud, http: httpx.AsyncClient, address: str, staff: Staff
) -> None:
    await http.post("/api/auth/password-reset", json={"email": staff.user.user.email})
    token = (await letter_to(cloud, staff.user.user.email, "Choose a new")).token
    assert (await http.post("/api/auth/verify-email", json={"token": token})).status_code == 400


async def test_an_expired_token_is_refused(cloud: Cloud, http: httpx.AsyncClient, staff: Staff) -> None:
    from shared.models.records import now
    from shared.services.tokens import hashed

    await http.post("/api/auth/password-reset", json={"email": staff.user.user.email})
    token = (await letter_to(cloud, staff.user.user.email, "Choose a new")).token
    expired = firestore.Write(f"tokens/{hashed(token)}", {"expires_at": now()}, mask=("expires_at",), exists=True)
    await firestore.commit(expired)
    chosen = {"token": token, "password": "an even better horse"}
    assert (await http.post("/api/auth/password-reset/confirm", json=chosen)).status_code == 400


async def test_a_lost_account_at_the_provider_comes_back_with_a_new_password(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff
) -> None:
    from shared.cloud import identity

    email = staff.user.user.email
    await identity.delete_user(staff.user.user.id)
    await http.post("/api/auth/password-reset", json={"email": email})
    token = (await letter_to(cloud, email, "Choose a new")).token
    await http.post("/api/auth/password-reset/confirm", json={"token": token, "password": PASSWORD})
    assert (await _login(http, email=email, password=PASSWORD)).status_code == 200


# --- one's own account


async def test_people_change_their_name_and_user_name(http: httpx.AsyncClient, staff: Staff) -> None:
    username = new_id("u").replace("_", "-")
    changed = await staff.user.http.patch("/api/auth/me", json={"name": "Grace", "username": username})
    assert (changed.json()["name"], changed.json()["username"]) == ("Grace", username)
    assert (await _login(http, username=username, password=PASSWORD)).status_code == 200
    other = await staff.user.http.patch("/api/auth/me", json={"username": f"{username}-2"})
    assert other.status_code == 200
    assert (await _login(http, username=username, password=PASSWORD)).status_code == 401


async def test_a_user_name_that_somebody_has_is_refused(staff: Staff) -> None:
    username = new_id("u").replace("_", "-")
    assert (await staff.admin.http.patch("/api/auth/me", json={"username": username})).status_code == 200
    assert (await staff.user.http.patch("/api/auth/me", json={"username": username})).status_code == 409


async def test_a_new_password_needs_the_current_one_and_signs_out_everywhere(
    http: httpx.AsyncClient, staff: Staff
) -> None:
    asked = {"password": "an even better horse"}
    assert (await staff.user.http.patch("/api/auth/me", json=asked)).status_code == 422
    wrong = await staff.user.http.patch("/api/auth/me", json={**asked, "current_password": "wrong"})
    assert wrong.json()["error"]["code"] == "invalid_credentials"
    changed = await staff.user.http.patch("/api/auth/me", json={**asked, "current_password": PASSWORD})
    assert changed.status_code == 200
    assert (await staff.user.http.get("/api/auth/me")).status_code == 401
    assert (await _login(http, email=staff.user.user.email, password=asked["password"])).status_code == 200


async def test_a_password_stays_when_what_is_changed_with_it_is_refused(http: httpx.AsyncClient, staff: Staff) -> None:
    username = new_id("u").replace("_", "-")
    await staff.admin.http.patch("/api/auth/me", json={"username": username})
    asked = {"password": "an even better horse", "current_password": PASSWORD, "username": username}
    assert (await staff.user.http.patch("/api/auth/me", json=asked)).status_code == 409
    assert (await _login(http, email=staff.user.user.email, password=PASSWORD)).status_code == 200


async def test_a_password_is_what_it_was_when_its_change_can_not_be_recorded(
    http: httpx.AsyncClient, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> int:
        raise Unavailable("The database does not answer.")

    monkeypatch.setattr(firestore, "commit", away)
    user = staff.user.user
    caller = Caller(user_id=user.id, company_id=user.company_id, role=Role.USER, email=user.email, name=user.name)
    asked = MeChange(password="an even better horse", current_password=PASSWORD)
    with pytest.raises(Unavailable):
        await accounts.change_me(caller, asked, None)
    monkeypatch.undo()
    assert (await _login(http, email=staff.user.user.email, password=PASSWORD)).status_code == 200


async def test_a_reset_token_is_good_again_when_the_password_could_not_be_set(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("Sign-in does not answer.")

    email = staff.user.user.email
    await http.post("/api/auth/password-reset", json={"email": email})
    token = (await letter_to(cloud, email, "Choose a new")).token
    chosen = PasswordChange(token=token, password="an even better horse")
    monkeypatch.setattr(identity, "set_password", away)
    with pytest.raises(Unavailable):
        await accounts.reset_password(chosen)
    answer = await http.post("/api/auth/password-reset/confirm", json=chosen.model_dump())
    assert answer.status_code == 204
    assert (await _login(http, email=email, password=chosen.password)).status_code == 200


async def test_a_change_of_what_was_changed_meanwhile_is_refused(staff: Staff) -> None:
    etag = (await staff.user.http.get("/api/auth/me")).headers["etag"]
    changes = [
        await staff.user.http.patch("/api/auth/me", json={"name": name}, headers={"If-Match": etag})
        for name in ("Grace", "Ada")
    ]
    assert [change.status_code for change in changes] == [200, 412]


# --- who is kept out


async def _record(person: Person) -> None:
    user = await users.get(person.user.id)
    assert user is not None
    assert user.tokens_valid_after is not None


async def test_a_suspended_user_is_out_at_once_on_the_instance_that_did_it_and_told_so_at_sign_in(
    http: httpx.AsyncClient, staff: Staff
) -> None:
    suspended = await staff.admin.http.post(f"/api/users/{staff.user.user.id}/suspend")
    assert suspended.json()["suspended_at"] is not None
    await _record(staff.user)
    assert (await staff.user.http.get("/api/auth/me")).json()["error"]["code"] == "account_suspended"
    answer = await _login(http, email=staff.user.user.email, password=PASSWORD)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_suspended")
    wrong = await _login(http, email=staff.user.user.email, password="wrong password")
    assert wrong.json()["error"]["code"] == "invalid_credentials"

    restored = await staff.admin.http.post(f"/api/users/{staff.user.user.id}/restore")
    assert restored.json()["suspended_at"] is None
    assert (await staff.user.http.get("/api/auth/me")).status_code == 401
    assert (await _login(http, email=staff.user.user.email, password=PASSWORD)).status_code == 200


async def test_a_deleted_user_does_not_exist_until_restored(http: httpx.AsyncClient, staff: Staff) -> None:
    path = f"/api/users/{staff.user.user.id}"
    assert (await staff.admin.http.delete(path)).status_code == 204
    assert (await staff.user.http.get("/api/auth/me")).status_code == 401
    answer = await _login(http, email=staff.user.user.email, password=PASSWORD)
    assert answer.json()["error"]["code"] == "invalid_credentials"
    assert (await staff.admin.http.get(path)).status_code == 404
    assert (await staff.admin.http.delete(path)).status_code == 404
    assert (await staff.admin.http.post(f"{path}/restore")).status_code == 200
    assert (await _login(http, email=staff.user.user.email, password=PASSWORD)).status_code == 200
