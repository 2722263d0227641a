"""The users of a company."""

import asyncio
import re

import httpx
import pytest

from shared.models.identity import Role
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.letters import letter_to
from tests.people import PASSWORD, Person, join


async def _create(admin: Person, address: str, **more: str) -> httpx.Response:
    return await admin.http.post("/api/users", json={"email": address, "name": "Grace Hopper", **more})


async def test_a_new_user_chooses_a_password_by_mail_and_signs_in(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    made = await _create(staff.admin, address)
    assert made.status_code == 201
    assert (made.json()["role"], made.json()["company_id"]) == ("user", staff.company.id)
    letter = await letter_to(cloud, address, "Welcome to Ours")
    chosen = {"token": letter.token, "password": PASSWORD}
    assert (await http.post("/api/auth/password-reset/confirm", json=chosen)).status_code == 204
    assert (await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})).status_code == 200


async def test_a_new_user_with_a_given_password_still_confirms_the_address(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    await _create(staff.admin, address, password=PASSWORD, role="admin")
    credentials = {"email": address, "password": PASSWORD}
    assert (await http.post("/api/auth/login", json=credentials)).json()["error"]["code"] == "email_not_verified"
    token = (await letter_to(cloud, address, "Confirm")).token
    await http.post("/api/auth/verify-email", json={"token": token})
    assert (await http.post("/api/auth/login", json=credentials)).status_code == 200


async def test_an_address_that_is_taken_is_told_to_the_admin_and_nothing_is_written(staff: Staff, address: str) -> None:
    assert (await _create(staff.admin, address)).status_code == 201
    assert (await _create(staff.admin, address)).json()["error"]["code"] == "already_exists"
    found = (await staff.admin.http.get("/api/users", params={"q": "grace"})).json()["items"]
    assert [user["email"] for user in found] == [address]


async def test_to_how_many_people_an_admin_has_mail_sent_is_bounded(staff: Staff, address: str) -> None:
    project = (await staff.admin.http.post("/api/projects", json={"name": "Survey"})).json()
    asked = {"email": f"2.{address}", "role": "reviewer"}
    answers = [
        await _create(staff.admin, address),
        await staff.admin.http.post(f"/api/projects/{project['id']}/invite", json=asked),
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    left = [re.search(r'"invite-account";r=(\d+)', answer.headers["ratelimit"]) for answer in answers]
    assert [int(one[1]) for one in left if one] in ([199, 198], [199, 199])  # the window may end between the two


async def test_only_admins_of_the_company_make_and_change_users(staff: Staff, address: str) -> None:
    path = f"/api/users/{staff.admin.user.id}"
    asked = [
        await _create(staff.user, address),
        await staff.user.http.patch(path, json={"name": "X"}),
        await staff.user.http.post(f"{path}/suspend"),
        await staff.user.http.delete(path),
    ]
    assert {answer.status_code for answer in asked} == {403}
    foreign = await staff.stranger.http.post(
        "/api/users", json={"email": address, "name": "X", "company_id": staff.company.id}
    )
    assert foreign.status_code == 404


async def test_nobody_is_made_a_super_admin_over_http(staff: Staff, super_admin: Person, address: str) -> None:
    for admin in (staff.admin, super_admin):
        made = await _create(admin, address, role="super_admin", company_id=staff.company.id)
        changed = await admin.http.patch(f"/api/users/{staff.user.user.id}", json={"role": "super_admin"})
        assert [made.status_code, changed.status_code] == [422, 422]


async def test_the_last_admin_is_neither_demoted_nor_suspended_nor_deleted(staff: Staff) -> None:
    path = f"/api/users/{staff.admin.user.id}"
    answers = [
        await staff.admin.http.patch(path, json={"role": "user"}),
        await staff.admin.http.post(f"{path}/suspend"),
        await staff.admin.http.delete(path),
    ]
    assert [answer.json()["error"]["code"] for answer in answers] == ["last_admin"] * 3


async def test_two_admins_who_demote_each_other_at_once_leave_one(cloud: Cloud, staff: Staff) -> None:
    other = await join(cloud, staff.company, Role.ADMIN)
    answers = await asyncio.gather(
        staff.admin.http.patch(f"/api/users/{other.user.id}", json={"role": "user"}),
        other.http.patch(f"/api/users/{staff.admin.user.id}", json={"role": "user"}),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    await other.http.aclose()


async def test_a_promoted_user_administers_and_a_demoted_one_does_not(staff: Staff, address: str) -> None:
    path = f"/api/users/{staff.user.user.id}"
    assert (await staff.admin.http.patch(path, json={"role": "admin"})).json()["role"] == "admin"
    assert (await _create(staff.user, address)).status_code == 201
    assert (await staff.admin.http.patch(path, json={"role": "user"})).json()["role"] == "user"
    assert (await _create(staff.user, f"2.{address}")).status_code == 403


async def test_a_change_of_a_version_that_is_not_current_is_refused(staff: Staff) -> None:
    path = f"/api/users/{staff.user.user.id}"
    etag = (await staff.admin.http.get(path)).headers["etag"]
    changes = [
        await staff.admin.http.patch(path, json={"name": name}, headers={"If-Match": etag}) for name in ("A", "B")
    ]
    assert [change.status_code for change in changes] == [200, 412]


async def test_users_are_listed_in_pages_and_found_by_the_beginnings_of_words(staff: Staff, address: str) -> None:
    await _create(staff.admin, address, username=address.partition("@")[0].replace("_", "-"))
    first = (await staff.user.http.get("/api/users", params={"page_size": 2})).json()
    second = await staff.user.http.get("/api/users", params={"page_size": 2, "page_token": first["next_page_token"]})
    seen = [user["id"] for user in (*first["items"], *second.json()["items"])]
    assert len(seen) == len(set(seen)) == 3
    for q in ("hop", "Gráce", address):
        found = (await staff.user.http.get("/api/users", params={"q": q})).json()["items"]
        assert [user["email"] for user in found] == [address], q
    admins = (await staff.user.http.get("/api/users", params={"role": "admin"})).json()["items"]
    assert [user["id"] for user in admins] == [staff.admin.user.id]


@pytest.mark.parametrize("path", ["", "/suspend", "/restore"])
async def test_a_user_of_another_company_does_not_exist(staff: Staff, path: str) -> None:
    def shown(answer: httpx.Response) -> tuple[int, dict[str, object]]:
        error = {**answer.json()["error"], "requestId": ""}
        return answer.status_code, error

    method = "GET" if path == "" else "POST"
    foreign = await staff.stranger.http.request(method, f"/api/users/{staff.user.user.id}{path}")
    missing = await staff.stranger.http.request(method, f"/api/users/usr_nobody{path}")
    assert shown(foreign) == shown(missing)
    assert foreign.status_code == 404


async def test_a_guest_sees_no_users(cloud: Cloud) -> None:
    guest = await join(cloud, None, Role.USER)
    assert (await guest.http.get("/api/users")).json()["items"] == []
    assert (await guest.http.get("/api/companies")).json()["items"] == []
    await guest.http.aclose()


async def test_a_super_admin_makes_users_in_any_company_and_is_out_of_reach_of_all(
    staff: Staff, super_admin: Person, address: str
) -> None:
    assert (await _create(super_admin, address)).status_code == 422
    made = await _create(super_admin, address, company_id=staff.company.id)
    assert made.json()["company_id"] == staff.company.id
    assert (await _create(super_admin, f"2.{address}", company_id="cmp_none")).status_code == 404
    path = f"/api/users/{super_admin.user.id}"
    assert (await staff.admin.http.get(path)).status_code == 404
    assert (await super_admin.http.delete(path)).status_code == 403
