"""Companies."""

import httpx

from shared.models.identity import ProjectRole
from shared.services import tokens
from shared.store import firestore, invitations
from tests.access.world import things
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids
from tests.letters import letter_to
from tests.people import PASSWORD, Person, found_company


async def test_everybody_sees_their_own_company_and_no_other(staff: Staff) -> None:
    listed = (await staff.user.http.get("/api/companies")).json()["items"]
    assert [company["id"] for company in listed] == [staff.company.id]
    assert (await staff.user.http.get(f"/api/companies/{staff.company.id}")).status_code == 200
    assert (await staff.stranger.http.get(f"/api/companies/{staff.company.id}")).status_code == 404


async def test_its_admin_renames_a_company_and_a_user_does_not(staff: Staff) -> None:
    path = f"/api/companies/{staff.company.id}"
    assert (await staff.user.http.patch(path, json={"name": "Mine"})).status_code == 403
    assert (await staff.stranger.http.patch(path, json={"name": "Mine"})).status_code == 404
    etag = (await staff.admin.http.get(path)).headers["etag"]
    changes = [
        await staff.admin.http.patch(path, json={"name": "Renamed"}, headers={"If-Match": etag}) for _ in range(2)
    ]
    assert [change.status_code for change in changes] == [200, 412]


async def test_a_super_admin_makes_a_company_whose_first_admin_is_welcomed_by_mail(
    cloud: Cloud, http: httpx.AsyncClient, super_admin: Person, address: str
) -> None:
    asked = {"name": "Zuse KG", "admin_email": address, "admin_name": "Konrad"}
    made = await super_admin.http.post("/api/companies", json=asked)
    assert made.status_code == 201
    token = (await letter_to(cloud, address, "Welcome to Zuse KG")).token
    await http.post("/api/auth/password-reset/confirm", json={"token": token, "password": PASSWORD})
    tokens = (await http.post("/api/auth/login", json={"email": address, "password": PASSWORD})).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    listed = (await http.get("/api/companies", headers=headers)).json()["items"]
    assert [company["id"] for company in listed] == [made.json()["id"]]
    again = await super_admin.http.post("/api/companies", json=asked)
    assert again.json()["error"]["code"] == "already_exists"


async def test_only_a_super_admin_makes_suspends_and_restores_companies(staff: Staff, address: str) -> None:
    path = f"/api/companies/{staff.company.id}"
    answers = [
        await staff.admin.http.post("/api/companies", json={"name": "X", "admin_email": address, "admin_name": "X"}),
        await staff.admin.http.post(f"{path}/suspend"),
        await staff.admin.http.post(f"{path}/restore"),
    ]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert (await staff.stranger.http.post(f"{path}/suspend")).status_code == 404


async def test_the_people_of_a_suspended_company_are_out_until_it_is_restored(
    http: httpx.AsyncClient, staff: Staff, super_admin: Person
) -> None:
    path = f"/api/companies/{staff.company.id}"
    assert (await super_admin.http.post(f"{path}/suspend")).json()["suspended_at"] is not None
    assert (await super_admin.http.post(f"{path}/suspend")).status_code == 409
    credentials = {"email": staff.user.user.email, "password": PASSWORD}
    assert (await http.post("/api/auth/login", json=credentials)).json()["error"]["code"] == "account_suspended"
    assert (await super_admin.http.post(f"{path}/restore")).json()["suspended_at"] is None
    assert (await http.post("/api/auth/login", json=credentials)).status_code == 200
    assert (await super_admin.http.post(f"{path}/restore")).status_code == 409


async def test_the_projects_of_a_suspended_company_are_gone_for_guests_and_stay_for_super_admins(
    cloud: Cloud, http: httpx.AsyncClient, staff: Staff, super_admin: Person
) -> None:
    guest = staff.stranger
    target = await things(staff.company, {guest.user.id: ProjectRole.ADMIN})
    other = await things(await found_company(), {guest.user.id: ProjectRole.ADMIN})
    project_id, company = target.project.id, f"/api/companies/{staff.company.id}"
    token = await _token_of(target.invitation.id)
    body = {"project_id": project_id}
    assert (await guest.http.get(f"/api/projects/{project_id}")).status_code == 200

    assert (await super_admin.http.post(f"{company}/suspend")).status_code == 200

    answers = [
        await guest.http.get(f"/api/projects/{project_id}"),
        await guest.http.get(f"/api/documents/{target.document.id}"),
        await guest.http.post("/api/sessions", json={**body, "name": "Monday"}),
        await guest.http.post("/api/exports", json={**body, "format": "jsonl"}),
        await guest.http.post(f"/api/projects/{project_id}/invite", json={"email": "a@example.org"}),
        await guest.http.delete(f"/api/projects/{project_id}"),
        await http.post("/api/projects/invitations/preview", json={"token": token}),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    # A page is full of what is seen: the one that is not is passed over.
    page = await guest.http.get("/api/projects", params={"page_size": 1, "order_by": "created_at"})
    assert [one["id"] for one in page.json()["items"]] == [other.project.id]
    assert await ids(guest.http, "/api/projects", page_size="1") == [other.project.id]
    assert (await super_admin.http.get(f"/api/projects/{project_id}")).status_code == 200
    assert (await super_admin.http.get(f"/api/documents/{target.document.id}")).status_code == 200

    assert (await super_admin.http.post(f"{company}/restore")).status_code == 200
    assert (await guest.http.get(f"/api/projects/{project_id}")).status_code == 200
    assert (await http.post("/api/projects/invitations/preview", json={"token": token})).status_code == 200


async def _token_of(invitation_id: str) -> str:
    """The token of an invitation, as its mail would hold it."""
    found = await invitations.get(invitation_id)
    assert found is not None
    token = f"token-of-{found.id}"
    await firestore.commit(invitations.change(found, {"token_hash": tokens.hashed(token)}))
    return token


async def test_a_super_admin_sets_the_monthly_budget_that_holds_for_all_of_a_company(
    staff: Staff, super_admin: Person
) -> None:
    path, limits = f"/api/companies/{staff.company.id}", {"monthly_pages": 100, "monthly_minutes": None}
    assert (await staff.admin.http.patch(path, json={"limits": limits})).status_code == 403
    assert (await super_admin.http.patch(path, json={"limits": {"monthly_pages": -1}})).status_code == 422
    assert (await super_admin.http.patch(path, json={"limits": limits})).json()["limits"] == limits
    renamed = await staff.admin.http.patch(path, json={"name": "Renamed"})
    assert renamed.json()["limits"] == limits
