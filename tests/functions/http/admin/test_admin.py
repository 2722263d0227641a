"""The platform as super admins see it."""

import csv
import io

import httpx
import pytest

from shared.models.identity import Role
from shared.models.records import now
from shared.services.administration import AuditFilter, audit_csv
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.people import Person, join


@pytest.mark.parametrize("path", ["users", "companies", "audit", "audit.csv"])
async def test_nobody_but_a_super_admin_looks_across_companies(staff: Staff, path: str) -> None:
    assert (await staff.admin.http.get(f"/api/admin/{path}")).status_code == 403


async def test_users_of_all_companies_are_searched_and_filtered(staff: Staff, super_admin: Person) -> None:
    async def found(**filters: str) -> list[str]:
        answer = await super_admin.http.get("/api/admin/users", params={"page_size": 200, **filters})
        assert answer.status_code == 200, answer.text
        return [user["id"] for user in answer.json()["items"]]

    assert set(await found(company_id=staff.company.id)) == {staff.admin.user.id, staff.user.user.id}
    assert await found(q=staff.stranger.user.email) == [staff.stranger.user.id]
    assert await found(company_id=staff.company.id, role="admin") == [staff.admin.user.id]
    await staff.admin.http.post(f"/api/users/{staff.user.user.id}/suspend")
    assert await found(company_id=staff.company.id, state="suspended") == [staff.user.user.id]
    assert await found(company_id=staff.company.id, state="active") == [staff.admin.user.id]
    await staff.admin.http.delete(f"/api/users/{staff.user.user.id}")
    assert await found(company_id=staff.company.id, state="deleted") == [staff.user.user.id]
    assert await found(company_id=staff.company.id, state="unverified") == []


async def test_companies_are_searched_and_filtered(staff: Staff, super_admin: Person) -> None:
    await super_admin.http.patch(f"/api/companies/{staff.company.id}", json={"name": staff.company.id})
    path = "/api/admin/companies"
    found = (await super_admin.http.get(path, params={"q": staff.company.id.removeprefix("cmp_")})).json()["items"]
    assert [company["id"] for company in found] == [staff.company.id]
    await super_admin.http.post(f"/api/companies/{staff.company.id}/suspend")
    suspended = (await super_admin.http.get(path, params={"state": "suspended", "page_size": 200})).json()["items"]
    assert staff.company.id in [company["id"] for company in suspended]
    active = (await super_admin.http.get(path, params={"state": "active", "page_size": 200})).json()["items"]
    assert staff.company.id not in [company["id"] for company in active]


async def test_an_entry_says_who_did_what_to_what_in_which_request_from_where(
    staff: Staff, super_admin: Person
) -> None:
    began = now()
    changed = await staff.admin.http.patch(
        f"/api/users/{staff.user.user.id}",
        json={"role": "admin"},
        headers={"X-Request-ID": "asked-by-a-test", "X-Forwarded-For": "203.0.113.7"},
    )
    assert changed.status_code == 200
    filters = {"company_id": staff.company.id, "action": "user.changed", "since": began.isoformat()}
    (entry,) = (await super_admin.http.get("/api/admin/audit", params=filters)).json()["items"]
    assert entry["actor_id"] == staff.admin.user.id
    assert entry["target_id"] == staff.user.user.id
    assert (entry["before"]["role"], entry["after"]["role"]) == ("user", "admin")
    assert (entry["request_id"], entry["address"]) == ("asked-by-a-test", "203.0.113.7")
    none = await super_admin.http.get("/api/admin/audit", params={**filters, "until": began.isoformat()})
    assert none.json()["items"] == []


async def test_an_entry_is_written_with_the_change_or_not_at_all(staff: Staff, super_admin: Person) -> None:
    refused = await staff.admin.http.patch(f"/api/users/{staff.admin.user.id}", json={"role": "user"})
    assert refused.status_code == 409
    filters = {"company_id": staff.company.id, "action": "user.changed"}
    assert (await super_admin.http.get("/api/admin/audit", params=filters)).json()["items"] == []


async def test_no_entry_holds_a_secret(cloud: Cloud, http: httpx.AsyncClient, super_admin: Person) -> None:
    person = await join(cloud, None, Role.USER)
    asked = {"password": "an even better horse", "current_password": "correct horse battery", "name": "Ada"}
    assert (await person.http.patch("/api/auth/me", json=asked)).status_code == 200
    found = await super_admin.http.get("/api/admin/audit", params={"actor_id": person.user.id})
    assert "user.password_changed" in found.text
    assert "horse" not in found.text
    await person.http.aclose()


async def test_the_audit_log_is_had_as_csv_that_no_spreadsheet_takes_for_formulas(
    staff: Staff, super_admin: Person
) -> None:
    await staff.admin.http.patch(f"/api/users/{staff.user.user.id}", json={"name": "=1+1"})
    answer = await super_admin.http.get("/api/admin/audit.csv", params={"company_id": staff.company.id})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert rows[0]["actor_email"] == staff.admin.user.email
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


@pytest.mark.parametrize("path", ["audit", "audit.csv"])
async def test_a_time_without_a_zone_is_utc(staff: Staff, super_admin: Person, path: str) -> None:
    asked = {"target_id": staff.user.user.id, "since": "2026-01-01T00:00:00", "until": "2100-01-01T00:00:00"}
    answer = await super_admin.http.get(f"/api/admin/{path}", params=asked)
    assert answer.status_code == 200
    assert staff.user.user.id in answer.text


async def test_a_csv_goes_on_over_all_pages(staff: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.services import administration

    for n in range(3):
        await staff.admin.http.patch(f"/api/users/{staff.user.user.id}", json={"name": f"Name {n}"})
    monkeypatch.setattr(administration, "_CSV_PAGE", 2)
    asked = AuditFilter(company_id=staff.company.id, target_id=staff.user.user.id)
    text = "".join([part async for part in audit_csv(asked)])
    # the sign-in of the fixture and three changes
    assert len(list(csv.DictReader(io.StringIO(text)))) >= 3
