"""Upload sessions as clients use them."""

from typing import Any

import httpx

from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made, walked

FILE = {"path": "a.csv", "size": 3, "content_type": "text/csv"}


async def _project(http: httpx.AsyncClient) -> str:
    project: str = (await made(http, "/api/projects", name="River"))["id"]
    return project


async def _start(http: httpx.AsyncClient, session: dict[str, Any]) -> None:
    await made(http, "/api/uploads/start", session_id=session["id"], files=[FILE])


async def test_a_session_is_made_changed_deleted_and_brought_back(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _project(http)
    cycle = await made(http, "/api/cycles", project_id=project_id, name="Spring")
    session = await made(http, "/api/sessions", project_id=project_id, name="Monday")
    path = f"/api/sessions/{session['id']}"
    assert (session["status"], session["stats"]["files_total"]) == ("pending", 0)

    changed = (await http.put(path, json={"name": "Tuesday", "cycle_id": cycle["id"]})).json()
    assert (changed["name"], changed["cycle_id"]) == ("Tuesday", cycle["id"])
    assert (await http.patch(path, json={"cycle_id": None})).json()["cycle_id"] is None

    assert (await http.delete(path)).status_code == 204
    assert (await http.get(path)).status_code == 404
    assert (await http.get(f"/api/uploads/status/{session['id']}")).status_code == 404
    assert await ids(http, "/api/sessions", project_id=project_id, deleted="true") == [session["id"]]
    assert (await http.post(f"{path}/restore")).json()["name"] == "Tuesday"
    assert (await http.get(path)).status_code == 200


async def test_a_session_in_progress_is_cancelled_before_it_is_deleted(staff: Staff) -> None:
    http = staff.user.http
    session = await made(http, "/api/sessions", project_id=await _project(http), name="Monday")
    path = f"/api/sessions/{session['id']}"
    await _start(http, session)
    refused = await http.delete(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "state_conflict")
    assert refused.json()["error"]["details"] == {"state": "in_progress"}
    assert (await http.post(f"/api/uploads/{session['id']}/cancel")).json()["status"] == "cancelled"
    assert (await http.delete(path)).status_code == 204


async def test_the_cycle_of_a_session_is_fixed_once_files_were_announced(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _project(http)
    cycle = await made(http, "/api/cycles", project_id=project_id, name="Spring")
    session = await made(http, "/api/sessions", project_id=project_id, name="Monday")
    await _start(http, session)
    moved = await http.patch(f"/api/sessions/{session['id']}", json={"cycle_id": cycle["id"]})
    assert (moved.status_code, moved.json()["error"]["code"]) == (409, "state_conflict")
    assert (await http.patch(f"/api/sessions/{session['id']}", json={"name": "Tuesday"})).status_code == 200


async def test_a_session_belongs_to_a_cycle_of_its_own_project(staff: Staff) -> None:
    http = staff.user.http
    project_id, other = await _project(http), await _project(http)
    foreign = await made(http, "/api/cycles", project_id=other, name="Spring")
    body = {"project_id": project_id, "cycle_id": foreign["id"], "name": "Monday"}
    assert (await http.post("/api/sessions", json=body)).status_code == 404
    session = await made(http, "/api/sessions", project_id=project_id, name="Monday")
    path = f"/api/sessions/{session['id']}"
    assert (await http.patch(path, json={"cycle_id": foreign["id"]})).status_code == 404


async def test_sessions_are_found_by_cycle_status_maker_and_name(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _project(http)
    cycle = await made(http, "/api/cycles", project_id=project_id, name="Spring")
    monday = await made(http, "/api/sessions", project_id=project_id, name="Monday", cycle_id=cycle["id"])
    tuesday = await made(http, "/api/sessions", project_id=project_id, name="Tuesday")
    theirs = await made(staff.admin.http, "/api/sessions", project_id=project_id, name="Monsoon")
    await _start(http, tuesday)

    async def found(**asked: str) -> list[str]:
        return [one["name"] for one in await walked(http, "/api/sessions", page_size="1", **asked)]

    assert await found(project_id=project_id) == ["Monsoon", "Tuesday", "Monday"]
    assert await found(cycle_id=cycle["id"]) == [monday["name"]]
    assert await found(project_id=project_id, status="in_progress") == ["Tuesday"]
    assert await found(project_id=project_id, status="pending", order_by="created_at") == ["Monday", "Monsoon"]
    assert await found(project_id=project_id, created_by=staff.admin.user.id) == [theirs["name"]]
    assert await found(project_id=project_id, name_prefix="mon") == ["Monday", "Monsoon"]
    assert await found(project_id=project_id, cycle_id=cycle["id"], status="pending", name_prefix="m") == ["Monday"]
    nowhere = await http.get("/api/sessions")
    assert (nowhere.status_code, nowhere.json()["error"]["details"][0]["field"]) == (422, "project_id")


async def test_the_statistics_add_up_what_the_filters_leave(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _project(http)
    cycle = await made(http, "/api/cycles", project_id=project_id, name="Spring")
    await made(http, "/api/sessions", project_id=project_id, name="Waiting", cycle_id=cycle["id"])
    cancelled = await made(http, "/api/sessions", project_id=project_id, name="Cancelled")
    gone = await made(http, "/api/sessions", project_id=project_id, name="Gone")
    await http.post(f"/api/uploads/{cancelled['id']}/cancel")
    await http.delete(f"/api/sessions/{gone['id']}")

    async def stats(**asked: str) -> dict[str, Any]:
        answer = await http.get("/api/sessions/stats", params=asked)
        assert answer.status_code == 200, answer.text
        totals: dict[str, Any] = answer.json()
        return totals

    every = await stats(project_id=project_id)
    assert every["by_status"] == {"pending": 1, "in_progress": 0, "completed": 0, "failed": 0, "cancelled": 1}
    assert (every["sessions"], every["files_total"], every["average_duration_seconds"]) == (2, 0, None)
    assert (await stats(cycle_id=cycle["id"]))["sessions"] == 1
    assert (await stats(project_id=project_id, created_before="2020-01-01T00:00:00Z"))["sessions"] == 0
    assert (await http.get("/api/sessions/stats")).status_code == 422
    foreign = await staff.stranger.http.get("/api/sessions/stats", params={"project_id": project_id})
    assert foreign.status_code == 404
