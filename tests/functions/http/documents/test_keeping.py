"""Documents, recordings and plain files as people keep them: renamed, deleted, brought back."""

from typing import Any

import httpx
import pytest

from tests import loopback, material
from tests.conftest import Cloud
from tests.e2e.journey import described, ended, new_session, send, start, take
from tests.emulators.waiting import until
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made, walked
from tests.people import join

KINDS = {"documents": "image/png", "voice": "audio/wav", "files": "text/plain"}


async def _announced(http: httpx.AsyncClient, path: str, **more: Any) -> dict[str, Any]:
    """One asset in a project of its own."""
    project = await made(http, "/api/projects", name="Archive")
    body = {"project_id": project["id"], "name": "a", "size": 1, "content_type": KINDS[path]}
    return await made(http, f"/api/{path}", **body | more)


@pytest.mark.parametrize("path", KINDS)
async def test_an_asset_is_deleted_listed_among_the_deleted_and_restored(staff: Staff, path: str) -> None:
    http = staff.user.http
    asset = await _announced(http, path)
    one, scope = f"/api/{path}/{asset['id']}", {"project_id": asset["project_id"]}

    assert (await http.delete(one)).status_code == 204

    assert [(await http.get(f"{one}{rest}")).status_code for rest in ("", "/content")] == [404, 404]
    assert (await http.delete(one)).status_code == 404
    assert await ids(http, f"/api/{path}", **scope) == []
    (listed,) = await walked(http, f"/api/{path}", **scope, deleted="true")
    assert (listed["id"], listed["deleted_at"] is not None) == (asset["id"], True)

    restored = await http.post(f"{one}/restore")

    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert (await http.get(one)).json() == restored.json()
    assert (await http.get(one)).headers["ETag"] == restored.headers["ETag"]
    assert await ids(http, f"/api/{path}", **scope) == [asset["id"]]
    assert await ids(http, f"/api/{path}", **scope, deleted="true") == []
    assert (await http.post(f"{one}/restore")).status_code == 404


async def test_deleted_ones_are_listed_latest_first_page_by_page(staff: Staff) -> None:
    http = staff.user.http
    project = await made(http, "/api/projects", name="Archive")
    body = {"project_id": project["id"], "size": 1, "content_type": "text/plain"}
    made_ = [(await made(http, "/api/files", name=f"{n}", **body))["id"] for n in range(5)]
    for one in made_[1:4]:
        await http.delete(f"/api/files/{one}")
    listed = await ids(http, "/api/files", project_id=project["id"], deleted="true", page_size="2")
    assert listed == made_[3:0:-1]
    assert await ids(http, "/api/files", project_id=project["id"], page_size="1") == [made_[4], made_[0]]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_what_is_not_sent_stays(staff: Staff, method: str) -> None:
    http = staff.user.http
    asset = await _announced(http, "documents", languages=["de"])
    cycle = await made(http, "/api/cycles", project_id=asset["project_id"], name="Spring")
    one = f"/api/documents/{asset['id']}"

    renamed = await http.request(method, one, json={"name": "Letter to Ada.png"})
    moved = await http.request(method, one, json={"cycle_id": cycle["id"]})

    before = {**asset, "name": "Letter to Ada.png", "updated_at": renamed.json()["updated_at"]}
    del before["upload"]
    assert renamed.json() == before
    assert moved.json() == {**before, "cycle_id": cycle["id"], "updated_at": moved.json()["updated_at"]}
    assert (await http.get(one)).json() == moved.json()
    assert (await http.request(method, one, json={"cycle_id": None})).json()["cycle_id"] is None
    nowhere = await http.request(method, one, json={"cycle_id": "cyc_nobodys"})
    assert nowhere.status_code == 404
    wrong = await http.request(method, one, json={"path": "elsewhere"})
    assert (wrong.status_code, wrong.json()["error"]["details"][0]["field"]) == (422, "path")


async def test_a_stale_version_changes_and_deletes_nothing(staff: Staff) -> None:
    http = staff.user.http
    asset = await _announced(http, "documents")
    one = f"/api/documents/{asset['id']}"
    stale = {"If-Match": (await http.get(one)).headers["ETag"]}
    (await http.patch(one, json={"name": "b"}, headers=stale)).raise_for_status()

    assert (await http.patch(one, json={"name": "c"}, headers=stale)).status_code == 412
    assert (await http.delete(one, headers=stale)).status_code == 412
    current = {"If-Match": (await http.get(one)).headers["ETag"]}
    assert (await http.delete(one, headers=current)).status_code == 204
    assert (await http.post(f"{one}/restore", headers=current)).status_code == 412


async def test_who_uploaded_it_and_who_manages_the_project_may_and_nobody_else(staff: Staff, cloud: Cloud) -> None:
    project = await made(staff.admin.http, "/api/projects", name="Archive", default_role="contributor")
    body = {"project_id": project["id"], "name": "a", "size": 1, "content_type": "image/png"}
    asset = await made(staff.user.http, "/api/documents", **body)
    one = f"/api/documents/{asset['id']}"
    other = await join(cloud, staff.company, staff.user.user.role)
    for http, status in ((other.http, 403), (staff.stranger.http, 404)):
        answers = [await http.patch(one, json={"name": "b"}), await http.delete(one)]
        assert [answer.status_code for answer in answers] == [status, status]
    for http in (staff.user.http, staff.admin.http):
        assert (await http.delete(one)).status_code == 204
        assert (await other.http.post(f"{one}/restore")).status_code == 403
        assert (await http.post(f"{one}/restore")).status_code == 200
    (
        await staff.admin.http.patch(f"/api/projects/{project['id']}", json={"default_role": "reviewer"})
    ).raise_for_status()
    assert (await staff.user.http.delete(one)).status_code == 403
    listed = await staff.user.http.get("/api/documents", params={"project_id": project["id"], "deleted": "true"})
    assert listed.status_code == 403
    await other.http.aclose()


async def test_what_was_deleted_by_itself_has_its_file_and_text_when_it_comes_back(staff: Staff) -> None:
    http = staff.user.http
    page = material.picture("png", "Kept for thirty days.")
    asset = await _announced(http, "documents", name="page.png", size=len(page))
    (await send(asset["upload"], page)).raise_for_status()
    one = f"/api/documents/{asset['id']}"
    await _is(http, one, state="processed")
    await http.delete(one)
    await http.post(f"{one}/restore")
    assert (await http.get(one)).json()["text"] == "Kept for thirty days."
    for link in ("content", "result"):
        found = (await http.get(f"{one}/{link}")).json()
        async with loopback.client() as anyone:
            assert (await anyone.get(found["url"])).status_code == 200


async def _is(http: httpx.AsyncClient, path: str, **fields: Any) -> None:
    async def so() -> bool:
        found = (await http.get(path)).raise_for_status().json()
        return {name: found[name] for name in fields} == fields

    await until(so, 60)


# --- in a session


async def _totals(http: httpx.AsyncClient, session_id: str) -> tuple[int, int, int]:
    stats = (await http.get(f"/api/uploads/status/{session_id}")).json()["stats"]
    return stats["files_total"], stats["files_processed"], stats["bytes_total"]


async def _has(http: httpx.AsyncClient, session_id: str, totals: tuple[int, int, int]) -> None:
    async def so() -> bool:
        return await _totals(http, session_id) == totals

    await until(so, 30)


async def test_a_session_completes_without_a_file_that_was_withdrawn(staff: Staff) -> None:
    http = staff.user.http
    session = await new_session(http)
    job = await start(http, session["id"], [described("here.txt", b"here"), described("gone.txt", b"vanished")])
    here, gone = job["files"]
    (await send(here["upload"], b"here")).raise_for_status()

    assert (await http.delete(f"/api/files/{gone['asset_id']}")).status_code == 204

    status = await ended(http, session["id"])
    assert status["status"] == "completed"
    assert await _totals(http, session["id"]) == (1, 1, 4)
    assert status["stats"]["percent"] == 100
    back = await http.post(f"/api/files/{gone['asset_id']}/restore")
    assert (back.status_code, back.json()["error"]["details"]) == (409, {"state": "completed"})
    urls = await http.post(f"/api/uploads/{session['id']}/urls", json={"asset_ids": [gone["asset_id"]]})
    assert urls.status_code == 409


async def test_a_session_of_which_every_file_was_withdrawn_completes(staff: Staff) -> None:
    http = staff.user.http
    session = await new_session(http)
    job = await start(http, session["id"], [described("gone.txt", b"vanished")])
    await http.delete(f"/api/files/{job['files'][0]['asset_id']}")
    assert (await ended(http, session["id"]))["status"] == "completed"
    assert await _totals(http, session["id"]) == (0, 0, 0)


async def test_a_file_that_was_withdrawn_is_awaited_again_when_it_is_announced_again(staff: Staff) -> None:
    http = staff.user.http
    session = await new_session(http)
    files = [described("a.txt", b"a"), described("b.txt", b"b")]
    job = await start(http, session["id"], files)
    withdrawn = job["files"][1]
    await http.delete(f"/api/files/{withdrawn['asset_id']}")
    urls = await http.post(f"/api/uploads/{session['id']}/urls", json={"asset_ids": [withdrawn["asset_id"]]})
    assert urls.status_code == 404

    again = await start(http, session["id"], files)

    assert [file["asset_id"] for file in again["files"]] == [file["asset_id"] for file in job["files"]]
    for file, content in zip(again["files"], (b"a", b"b"), strict=True):
        (await send(file["upload"], content)).raise_for_status()
    assert (await ended(http, session["id"]))["stats"]["files_processed"] == 2


async def test_the_numbers_of_a_session_that_has_ended_follow_its_files(staff: Staff) -> None:
    http = staff.user.http
    status = await take(http, {"a.txt": b"one", "b.txt": b"three"})
    session_id = status["session_id"]
    listed = await walked(http, "/api/files", session_id=session_id)
    one = next(item for item in listed if item["path"] == "b.txt")
    await http.delete(f"/api/files/{one['id']}")
    await _has(http, session_id, (1, 1, 3))
    stats = (await http.get("/api/sessions/stats", params={"project_id": one["project_id"]})).json()
    assert (stats["files_total"], stats["bytes_uploaded"], stats["by_status"]["completed"]) == (1, 3, 1)
    await http.post(f"/api/files/{one['id']}/restore")
    await _has(http, session_id, (2, 2, 8))


async def test_files_are_deleted_and_restored_with_their_session(staff: Staff) -> None:
    http = staff.user.http
    contents = {f"{n}.txt": b"x" for n in range(4)}
    session_id = (await take(http, contents))["session_id"]
    items = await walked(http, "/api/files", session_id=session_id)
    scope = {"project_id": items[0]["project_id"]}
    mine, *others = sorted(item["id"] for item in items)
    await http.delete(f"/api/files/{mine}")

    assert (await http.delete(f"/api/sessions/{session_id}")).status_code == 204

    await _lists(http, scope, [])
    assert (await http.get("/api/files", params={"session_id": session_id})).status_code == 404
    assert (await http.get(f"/api/files/{others[0]}")).status_code == 404
    assert await ids(http, "/api/files", **scope, deleted="true") == [mine]
    for one in (mine, others[0]):
        alone = await http.post(f"/api/files/{one}/restore")
        assert (alone.status_code, alone.json()["error"]["details"]) == (409, {"session_id": session_id})

    assert (await http.post(f"/api/sessions/{session_id}/restore")).status_code == 200

    await _lists(http, scope, others)
    await _has(http, session_id, (3, 3, 3))
    assert (await http.post(f"/api/files/{mine}/restore")).status_code == 200
    await _lists(http, scope, sorted([mine, *others]))
    await _has(http, session_id, (4, 4, 4))


async def _lists(http: httpx.AsyncClient, scope: dict[str, str], expected: list[str]) -> None:
    async def so() -> bool:
        return sorted(await ids(http, "/api/files", **scope)) == expected

    await until(so, 30)


async def test_a_session_that_is_deleted_and_restored_at_once_keeps_all_of_its_files(staff: Staff) -> None:
    http = staff.user.http
    session_id = (await take(http, {f"{n}.txt": b"x" for n in range(30)}))["session_id"]
    (item, *_) = await walked(http, "/api/files", session_id=session_id)
    for _ in range(5):
        (await http.delete(f"/api/sessions/{session_id}")).raise_for_status()
        (await http.post(f"/api/sessions/{session_id}/restore")).raise_for_status()
    found: list[str] = []

    async def all_there() -> bool:
        found[:] = await ids(http, "/api/files", project_id=item["project_id"])
        return len(found) == 30

    await until(all_there, 30)
    (await http.delete(f"/api/sessions/{session_id}")).raise_for_status()
    await _lists(http, {"project_id": item["project_id"]}, [])


async def test_a_plain_file_is_no_image_and_a_document_is_found_under_its_own_path_only(staff: Staff) -> None:
    http = staff.user.http
    asset = await _announced(http, "files")
    refused = await http.post(
        "/api/files",
        json={"project_id": asset["project_id"], "name": "a", "size": 1, "content_type": "image/png"},
    )
    assert (refused.status_code, refused.json()["error"]["code"]) == (415, "unsupported_content_type")
    for path in ("documents", "voice"):
        answers = [await http.get(f"/api/{path}/{asset['id']}"), await http.delete(f"/api/{path}/{asset['id']}")]
        assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_plain_file_is_kept_as_it_came(staff: Staff) -> None:
    http = staff.user.http
    asset = await _announced(http, "files", name="notes.txt", size=5)
    one = f"/api/files/{asset['id']}"
    assert (await http.get(f"{one}/content")).status_code == 409
    (await send(asset["upload"], b"notes")).raise_for_status()
    await _is(http, one, state="uploaded")
    link = (await http.get(f"{one}/content")).json()
    async with loopback.client() as anyone:
        assert (await anyone.get(link["url"])).content == b"notes"
