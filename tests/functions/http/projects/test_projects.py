"""Projects as clients use them: made, found, changed, deleted, brought back."""

import asyncio

import httpx
import pytest

from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made, walked
from tests.people import Person


async def test_a_project_is_made_read_and_tagged(staff: Staff) -> None:
    answer = await staff.user.http.post("/api/projects", json={"name": " River ", "description": "Water"})
    assert answer.status_code == 201
    project = answer.json()
    assert (project["name"], project["role"], project["company_id"]) == ("River", "admin", staff.company.id)
    read = await staff.user.http.get(f"/api/projects/{project['id']}/")
    assert read.json() == project
    assert read.headers["ETag"] == answer.headers["ETag"]


async def test_a_super_admin_makes_projects_in_companies_that_exist(staff: Staff, super_admin: Person) -> None:
    async def answered(**asked: str) -> tuple[int, str | None]:
        answer = await super_admin.http.post("/api/projects", json={"name": "River", **asked})
        return answer.status_code, answer.json().get("company_id") or answer.json()["error"]["code"]

    assert await answered() == (422, "validation_failed")
    assert await answered(company_id="cmp_nobodys") == (404, "not_found")
    assert await ids(super_admin.http, "/api/projects", company_id="cmp_nobodys") == []
    assert await answered(company_id=staff.company.id) == (201, staff.company.id)


async def test_a_client_that_has_the_current_version_gets_no_body(staff: Staff) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    path = f"/api/projects/{project['id']}"
    etag = (await staff.user.http.get(path)).headers["ETag"]
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await staff.user.http.get(path, headers={"If-None-Match": held})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)
    assert (await staff.user.http.get(path, headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_is_not_sent_stays(staff: Staff, method: str) -> None:
    project = await made(staff.user.http, "/api/projects", name="River", description="Water", languages=["de"])
    path = f"/api/projects/{project['id']}"
    changed = await staff.user.http.request(method, path, json={"description": "Wasser"})
    assert changed.status_code == 200
    expected = {**project, "description": "Wasser", "updated_at": changed.json()["updated_at"]}
    assert changed.json() == expected
    assert (await staff.user.http.get(path)).json() == expected


async def test_a_null_closes_the_project_and_is_refused_where_it_means_nothing(staff: Staff) -> None:
    project = await made(staff.admin.http, "/api/projects", name="River")
    path = f"/api/projects/{project['id']}"
    assert (await staff.user.http.get(path)).status_code == 200
    assert (await staff.admin.http.patch(path, json={"default_role": None})).json()["default_role"] is None
    assert await ids(staff.user.http, "/api/projects") == []
    refused = await staff.admin.http.patch(path, json={"name": None})
    assert refused.status_code == 422
    assert refused.json()["error"]["details"][0]["field"] == "name"


async def test_an_unknown_field_is_named(staff: Staff) -> None:
    answer = await staff.user.http.post("/api/projects", json={"name": "River", "colour": "blue"})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"] == [
        {"field": "colour", "message": "Extra inputs are not permitted"},
    ]


async def test_of_many_who_demand_the_same_version_exactly_one_wins(staff: Staff) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    path = f"/api/projects/{project['id']}"
    for turn in range(3):
        etag = (await staff.user.http.get(path)).headers["ETag"]
        answers = await asyncio.gather(
            *(
                staff.user.http.patch(path, json={"name": f"River {turn}.{n}"}, headers={"If-Match": etag})
                for n in range(40)
            )
        )
        won = [answer for answer in answers if answer.status_code == 200]
        lost = {(answer.status_code, answer.json()["error"]["code"]) for answer in answers if answer not in won}
        assert (len(won), lost) == (1, {(412, "precondition_failed")})
        assert (await staff.user.http.get(path)).json() == won[0].json()


async def test_changes_of_different_fields_at_once_are_all_kept(staff: Staff) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    path = f"/api/projects/{project['id']}"
    changes = ({"name": "Lake"}, {"description": "Water"}, {"languages": ["fr"]}, {"default_role": "reviewer"})
    answers = await asyncio.gather(*(staff.user.http.patch(path, json=change) for change in changes))
    assert {answer.status_code for answer in answers} == {200}
    now = (await staff.admin.http.get(path)).json()
    assert (now["name"], now["description"], now["languages"], now["default_role"]) == (
        "Lake", "Water", ["fr"], "reviewer",
    )  # fmt: skip


async def test_a_tag_that_was_never_ours_matches_nothing(staff: Staff) -> None:
    project = await made(staff.user.http, "/api/projects", name="River")
    path = f"/api/projects/{project['id']}"
    assert (await staff.user.http.patch(path, json={}, headers={"If-Match": '"nonsense"'})).status_code == 412
    assert (await staff.user.http.delete(path, headers={"If-Match": '"1"'})).status_code == 412
    assert (await staff.user.http.delete(path, headers={"If-Match": "*"})).status_code == 204


async def test_deleting_a_project_hides_what_is_below_it_and_restoring_brings_it_back(staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    cycle = await made(http, "/api/cycles", project_id=project["id"], name="Spring")
    session = await made(http, "/api/sessions", project_id=project["id"], cycle_id=cycle["id"], name="Monday")
    below = [
        f"/api/projects/{project['id']}",
        f"/api/cycles/{cycle['id']}",
        f"/api/sessions/{session['id']}",
        f"/api/sessions?project_id={project['id']}",
        f"/api/sessions/stats?cycle_id={cycle['id']}",
    ]
    assert [(await http.get(path)).status_code for path in below] == [200] * 5

    assert (await http.delete(below[0])).status_code == 204
    assert [(await http.get(path)).status_code for path in below] == [404] * 5
    assert (await http.delete(below[0])).status_code == 404
    assert await ids(http, "/api/projects") == []
    assert await ids(http, "/api/projects", deleted="true") == [project["id"]]

    restored = await http.post(f"{below[0]}/restore")
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert [(await http.get(path)).status_code for path in below] == [200] * 5
    assert (await http.post(f"{below[0]}/restore")).status_code == 404


async def test_who_does_not_manage_a_project_neither_changes_nor_deletes_it(staff: Staff) -> None:
    project = await made(staff.admin.http, "/api/projects", name="River", default_role="contributor")
    path = f"/api/projects/{project['id']}"
    for http, status in ((staff.user.http, 403), (staff.stranger.http, 404)):
        assert (await http.patch(path, json={"name": "Mine"})).status_code == status
        assert (await http.delete(path)).status_code == status
    assert (await staff.admin.http.delete(path)).status_code == 204
    assert (await staff.user.http.post(f"{path}/restore")).status_code == 403
    assert (await staff.stranger.http.post(f"{path}/restore")).status_code == 404


async def test_lists_are_found_by_name_maker_and_time_in_the_order_asked_for(staff: Staff) -> None:
    http = staff.user.http
    names = ["River", "ribbon", "Lake", "RIVER delta", "Äpfel"]
    first, *_, last = [await made(http, "/api/projects", name=name) for name in names]
    theirs = await made(staff.admin.http, "/api/projects", name="Rift")

    async def found(**asked: str) -> list[str]:
        return [project["name"] for project in await walked(http, "/api/projects", page_size="2", **asked)]

    assert await found(order_by="name") == ["Lake", "ribbon", "Rift", "River", "RIVER delta", "Äpfel"]
    assert await found(order_by="-name") == ["Äpfel", "RIVER delta", "River", "Rift", "ribbon", "Lake"]
    assert await found(order_by="created_at") == [*names, "Rift"]
    assert await found() == ["Rift", *reversed(names)]
    assert await found(name_prefix="ri") == ["ribbon", "Rift", "River", "RIVER delta"]
    assert await found(name_prefix="RIVER", order_by="-name") == ["RIVER delta", "River"]
    assert await found(created_by=staff.admin.user.id) == [theirs["name"]]
    assert await found(created_after=first["created_at"], created_before=last["created_at"]) == names[3::-1]


@pytest.mark.parametrize(
    "asked",
    [
        {"name_prefix": "a", "order_by": "created_at"},
        {"name_prefix": "a", "created_after": "2026-01-01T00:00:00Z"},
        {"created_before": "2026-01-01T00:00:00Z", "order_by": "name"},
        {"deleted": "true", "order_by": "name"},
        {"order_by": "size"},
        {"page_size": "0"},
        {"created_after": "yesterday"},
    ],
)
async def test_what_a_list_cannot_answer_is_refused_by_name(staff: Staff, asked: dict[str, str]) -> None:
    answer = await staff.user.http.get("/api/projects", params=asked)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_failed")
    assert answer.json()["error"]["details"][0]["field"] in {*asked, "order_by"}


async def test_a_page_token_is_bound_to_its_list_filters_and_signature(staff: Staff) -> None:
    for n in range(3):
        await made(staff.user.http, "/api/projects", name=f"P{n}")
    first = (await staff.user.http.get("/api/projects", params={"page_size": 2})).json()
    token = first["next_page_token"]
    wrong: list[dict[str, str]] = [
        {"page_token": token, "order_by": "name"},
        {"page_token": token, "created_by": staff.user.user.id},
        {"page_token": token[:-2] + "AA"},
        {"page_token": "nonsense"},
        {"page_token": "ä"},
    ]
    for asked in wrong:
        answer: httpx.Response = await staff.user.http.get("/api/projects", params={"page_size": 2, **asked})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed_request")
    second = (await staff.user.http.get("/api/projects", params={"page_size": 1, "page_token": token})).json()
    assert len(second["items"]) == 1


async def test_nothing_is_missed_or_shown_twice_while_records_come_and_go(staff: Staff) -> None:
    projects = [await made(staff.user.http, "/api/projects", name=f"P{n}") for n in range(5)]
    first = (await staff.user.http.get("/api/projects", params={"page_size": 2})).json()
    await made(staff.user.http, "/api/projects", name="New")
    await staff.user.http.delete(f"/api/projects/{projects[4]['id']}")
    rest = await walked(staff.user.http, "/api/projects", page_size="2", page_token=first["next_page_token"])
    assert [project["name"] for project in (*first["items"], *rest)] == ["P4", "P3", "P2", "P1", "P0"]


@pytest.mark.parametrize("path", ["/api/cycles", "/api/exports", "/api/review", "/api/sessions", "/api/documents"])
async def test_an_id_with_a_slash_names_nothing(staff: Staff, path: str) -> None:
    answer = await staff.admin.http.get(path, params={"project_id": "prj_a/members"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("project_id", ["prj_nobody", "%2E%2E", "%2E", "__all__", "a" * 2000, "%00", "é"])
async def test_an_id_that_cannot_be_is_not_found(staff: Staff, project_id: str) -> None:
    answer = await staff.user.http.get(f"/api/projects/{project_id}")
    assert answer.status_code == 404


@pytest.mark.parametrize("project_id", ["a/b", "a/b/c", "a//b", "/", "__a__"])
async def test_what_can_be_no_id_belongs_to_no_project(staff: Staff, project_id: str) -> None:
    for path in ("/api/exports", "/api/cycles", "/api/analytics/summary"):
        answer = await staff.admin.http.get(path, params={"project_id": project_id})
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found"), path
