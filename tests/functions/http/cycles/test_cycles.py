"""Cycles as clients use them."""

from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made


async def test_a_cycle_is_made_changed_deleted_and_brought_back(staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    cycle = await made(http, "/api/cycles", project_id=project["id"], name="Spring", starts_on="2026-03-01")
    path = f"/api/cycles/{cycle['id']}"
    assert (cycle["starts_on"], cycle["ends_on"]) == ("2026-03-01", None)

    changed = await http.patch(path, json={"ends_on": "2026-05-31"})
    assert (changed.json()["starts_on"], changed.json()["ends_on"]) == ("2026-03-01", "2026-05-31")
    assert (await http.put(path, json={"starts_on": None})).json()["starts_on"] is None

    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).status_code == 404
    assert await ids(http, "/api/cycles", project_id=project["id"]) == []
    assert await ids(http, "/api/cycles", project_id=project["id"], deleted="true") == [cycle["id"]]
    assert (await http.post(f"{path}/restore")).json()["name"] == "Spring"
    assert await ids(http, "/api/cycles", project_id=project["id"]) == [cycle["id"]]


async def test_a_cycle_never_ends_before_it_starts(staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    wrong = {"project_id": project["id"], "name": "Spring", "starts_on": "2026-03-02", "ends_on": "2026-03-01"}
    assert (await http.post("/api/cycles", json=wrong)).status_code == 422
    cycle = await made(http, "/api/cycles", project_id=project["id"], name="Spring", starts_on="2026-03-01")
    answer = await http.patch(f"/api/cycles/{cycle['id']}", json={"ends_on": "2026-02-01"})
    assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "ends_on")


async def test_sessions_of_a_deleted_cycle_stay_and_no_new_ones_come(staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="River")
    cycle = await made(http, "/api/cycles", project_id=project["id"], name="Spring")
    session = await made(http, "/api/sessions", project_id=project["id"], cycle_id=cycle["id"], name="Monday")
    await http.delete(f"/api/cycles/{cycle['id']}")
    assert (await http.get(f"/api/sessions/{session['id']}")).status_code == 200
    body = {"project_id": project["id"], "cycle_id": cycle["id"], "name": "Tuesday"}
    assert (await http.post("/api/sessions", json=body)).status_code == 404


async def test_a_reviewer_reads_cycles_and_changes_none(staff: Staff) -> None:
    project = await made(staff.admin.http, "/api/projects", name="River", default_role="reviewer")
    cycle = await made(staff.admin.http, "/api/cycles", project_id=project["id"], name="Spring")
    path = f"/api/cycles/{cycle['id']}"
    assert (await staff.user.http.get(path)).status_code == 200
    assert (await staff.user.http.patch(path, json={"name": "Mine"})).status_code == 403
    assert (await staff.user.http.delete(path)).status_code == 403
    in_bin = {"project_id": project["id"], "deleted": "true"}
    assert (await staff.user.http.get("/api/cycles", params=in_bin)).status_code == 403
    assert (await staff.stranger.http.get(path)).status_code == 404
    assert (await staff.stranger.http.get("/api/cycles", params=in_bin)).status_code == 404
