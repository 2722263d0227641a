"""Members of projects and invitations."""

import asyncio

import httpx

from emulators.parts import FUNCTIONS
from shared.models.identity import Role
from shared.models.records import now
from shared.services.tokens import hashed
from shared.store import firestore, invitations
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.letters import letter_to
from tests.people import PASSWORD, Person, join


async def _project(admin: Person, **more: object) -> str:
    asked = {"name": "Survey", "default_role": None, **more}
    made = await admin.http.post("/api/projects", json=asked)
    return str(made.json()["id"])


async def _invite(admin: Person, project_id: str, email: str, role: str = "contributor") -> httpx.Response:
    return await admin.http.post(f"/api/projects/{project_id}/invite", json={"email": email, "role": role})


async def _accept(person: Person, token: str) -> httpx.Response:
    return await person.http.post("/api/projects/invitations/accept", json={"token": token})


async def test_an_invited_guest_sees_that_project_and_nothing_else(cloud: Cloud, staff: Staff) -> None:
    project_id, other = await _project(staff.admin), await _project(staff.admin)
    invited = await _invite(staff.admin, project_id, staff.stranger.user.email, "reviewer")
    assert invited.status_code == 201
    token = (await letter_to(cloud, staff.stranger.user.email, "Invitation to Survey")).token
    assert token not in invited.text
    accepted = await _accept(staff.stranger, token)
    assert (accepted.status_code, accepted.json()["role"]) == (200, "reviewer")
    seen = (await staff.stranger.http.get("/api/projects")).json()["items"]
    assert [project["id"] for project in seen] == [project_id]
    assert (await staff.stranger.http.get(f"/api/projects/{other}")).status_code == 404
    members = (await staff.stranger.http.get(f"/api/projects/{project_id}/members")).json()["items"]
    assert {(one["user_id"], one["role"], one["guest"]) for one in members} == {
        (staff.admin.user.id, "admin", False),
        (staff.stranger.user.id, "reviewer", True),
    }


async def test_somebody_new_registers_with_the_invitation_and_needs_no_other_mail(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    project_id = await _project(staff.admin)
    await _invite(staff.admin, project_id, address)
    token = (await letter_to(cloud, address, "Invitation")).token
    preview = (await http.post("/api/projects/invitations/preview", json={"token": token})).json()
    assert (preview["project_name"], preview["email"], preview["role"]) == ("Survey", address, "contributor")
    asked = {"email": address, "password": PASSWORD, "name": "Grace", "invitation_token": token}
    assert (await http.post("/api/auth/register", json={**asked, "email": f"x.{address}"})).status_code == 404
    assert (await http.post("/api/auth/register", json=asked)).status_code == 202
    tokens = (await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    me = (await http.get("/api/auth/me", headers=headers)).json()
    assert (me["company_id"], me["role"]) == (None, "user")
    assert (await http.get(f"/api/projects/{project_id}", headers=headers)).json()["role"] == "contributor"
    assert (await http.post("/api/auth/register", json=asked)).status_code == 404


async def test_an_invitation_is_good_once_for_its_address_and_stored_as_a_hash(cloud: Cloud, staff: Staff) -> None:
    project_id = await _project(staff.admin)
    await _invite(staff.admin, project_id, staff.user.user.email)
    token = (await letter_to(cloud, staff.user.user.email, "Invitation")).token
    assert await invitations.with_token(token) is None
    assert await invitations.with_token(hashed(token)) is not None
    assert (await _accept(staff.stranger, token)).status_code == 404
    assert [(await _accept(staff.user, token)).status_code for _ in range(2)] == [200, 404]


async def test_of_two_who_accept_one_invitation_at_once_the_second_finds_it_used(cloud: Cloud, staff: Staff) -> None:
    project_id = await _project(staff.admin)
    await _invite(staff.admin, project_id, staff.user.user.email)
    token = (await letter_to(cloud, staff.user.user.email, "Invitation")).token
    answers = await asyncio.gather(_accept(staff.user, token), _accept(staff.user, token))
    assert sorted(answer.status_code for answer in answers) in ([200, 404], [200, 409])


async def test_many_who_join_a_project_at_once_all_become_members(cloud: Cloud, staff: Staff) -> None:
    project_id = await _project(staff.admin)
    people = [await join(cloud, staff.company, Role.USER) for _ in range(3)]
    for person in people:
        await _invite(staff.admin, project_id, person.user.email)
    tokens = [(await letter_to(cloud, person.user.email, "Invitation")).token for person in people]
    answers = await asyncio.gather(*(_accept(*one) for one in zip(people, tokens, strict=True)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    members = (await staff.admin.http.get(f"/api/projects/{project_id}/members")).json()["items"]
    assert len(members) == 4
    for person in people:
        await person.http.aclose()


async def test_a_withdrawn_an_expired_and_a_replaced_invitation_are_refused(cloud: Cloud, staff: Staff) -> None:
    email = staff.user.user.email
    project_id = await _project(staff.admin)
    first = (await _invite(staff.admin, project_id, email)).json()
    replaced = (await letter_to(cloud, email, "Invitation")).token
    again = (await _invite(staff.admin, project_id, email)).json()
    assert again["id"] == first["id"]
    withdrawn = (await letter_to(cloud, email, "Invitation", number=2)).token
    assert (await _accept(staff.user, replaced)).status_code == 404
    path = f"/api/projects/{project_id}/invitations"
    assert (await staff.admin.http.delete(f"{path}/{first['id']}")).status_code == 204
    assert (await _accept(staff.user, withdrawn)).status_code == 404
    assert (await staff.admin.http.get(path)).json()["items"] == []

    await _invite(staff.admin, project_id, email)
    expired = (await letter_to(cloud, email, "Invitation", number=3)).token
    past = firestore.Write(f"invitations/{first['id']}", {"expires_at": now()}, mask=("expires_at",), exists=True)
    await firestore.commit(past)
    assert (await _accept(staff.user, expired)).status_code == 404


async def test_only_who_manages_a_project_invites_and_sees_invitations(staff: Staff, address: str) -> None:
    project_id = await _project(staff.admin, default_role="contributor")
    for person, status in ((staff.user, 403), (staff.stranger, 404)):
        assert (await _invite(person, project_id, address)).status_code == status
        assert (await person.http.get(f"/api/projects/{project_id}/invitations")).status_code == status


async def test_a_member_is_not_invited_again(staff: Staff) -> None:
    project_id = await _project(staff.admin)
    answer = await _invite(staff.admin, project_id, staff.admin.user.email)
    assert answer.json()["error"]["code"] == "state_conflict"


async def _member(cloud: Cloud, staff: Staff, role: str) -> str:
    project_id = await _project(staff.admin)
    await _invite(staff.admin, project_id, staff.user.user.email, role)
    await _accept(staff.user, (await letter_to(cloud, staff.user.user.email, "Invitation")).token)
    return project_id


async def test_a_members_role_changes_and_so_what_they_may_do(cloud: Cloud, staff: Staff, address: str) -> None:
    project_id = await _member(cloud, staff, "reviewer")
    assert (await _invite(staff.user, project_id, address)).status_code == 403
    path = f"/api/projects/{project_id}/members/{staff.user.user.id}"
    assert (await staff.user.http.patch(path, json={"role": "admin"})).status_code == 403
    assert (await staff.admin.http.patch(path, json={"role": "admin"})).json()["role"] == "admin"
    assert (await _invite(staff.user, project_id, address)).status_code == 201
    assert (await staff.admin.http.patch(f"{path}x", json={"role": "admin"})).status_code == 404


async def test_a_removed_member_is_out_and_an_old_invitation_does_not_let_them_in_again(
    cloud: Cloud, staff: Staff
) -> None:
    project_id = await _member(cloud, staff, "contributor")
    path = f"/api/projects/{project_id}/members/{staff.user.user.id}"
    assert (await staff.admin.http.delete(path)).status_code == 204
    assert (await staff.user.http.get(f"/api/projects/{project_id}")).status_code == 404
    assert (await staff.admin.http.delete(path)).status_code == 404


async def test_a_member_leaves_by_themselves(cloud: Cloud, staff: Staff) -> None:
    project_id = await _member(cloud, staff, "contributor")
    path = f"/api/projects/{project_id}/members"
    assert (await staff.user.http.delete(f"{path}/{staff.admin.user.id}")).status_code == 403
    assert (await staff.user.http.delete(f"{path}/{staff.user.user.id}")).status_code == 204


async def test_nobody_gains_by_leaving(cloud: Cloud, staff: Staff) -> None:
    # Open to the company: whoever is no member has its default role.
    project_id = await _member(cloud, staff, "reviewer")
    project, me = f"/api/projects/{project_id}", f"/api/projects/{project_id}/members/{staff.user.user.id}"
    await staff.admin.http.patch(project, json={"default_role": "admin"})
    assert (await staff.user.http.delete(me)).status_code == 403
    assert (await staff.user.http.get(project)).json()["role"] == "reviewer"
    await staff.admin.http.patch(project, json={"default_role": "reviewer"})
    assert (await staff.user.http.delete(me)).status_code == 204


async def test_the_token_of_an_invitation_is_in_no_log(cloud: Cloud, http: httpx.AsyncClient, staff: Staff) -> None:
    project_id = await _project(staff.admin)
    await _invite(staff.admin, project_id, staff.stranger.user.email)
    token = (await letter_to(cloud, staff.stranger.user.email, "Invitation to Survey")).token
    asked = await http.get(f"/api/projects/invitations/{token}")
    assert (asked.status_code, asked.json()["email"]) == (200, staff.stranger.user.email)
    accepted = await staff.stranger.http.post(f"/api/projects/invitations/{token}/accept")
    assert accepted.status_code == 200
    lines = cloud.state.log(FUNCTIONS).read_text()
    assert "/api/projects/invitations/[redacted]/accept" in lines
    assert token not in lines


async def test_members_are_listed_in_pages(cloud: Cloud, staff: Staff) -> None:
    project_id = await _member(cloud, staff, "contributor")
    path = f"/api/projects/{project_id}/members"
    first = (await staff.admin.http.get(path, params={"page_size": 1})).json()
    second = (await staff.admin.http.get(path, params={"page_size": 1, "page_token": first["next_page_token"]})).json()
    seen = [one["user_id"] for one in (*first["items"], *second["items"])]
    assert seen == sorted([staff.admin.user.id, staff.user.user.id])
