"""The nightly purge: what was deleted long ago goes with all that hangs on it, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.models.identity import Company, Role
from shared.models.passkeys import Passkey
from shared.models.records import now
from shared.services import accounts
from shared.store import erasures, firestore, passkeys
from tests import loopback, material
from tests.access.world import Target, things
from tests.conftest import Cloud
from tests.e2e.journey import assets_of, described, ended, send, start
from tests.emulators.waiting import until
from tests.functions.http.walking import made
from tests.functions.schedules.looking import Inside
from tests.people import Person, found_company, join

LONG_AGO = (now() - timedelta(days=40)).isoformat()
LATELY = (now() - timedelta(hours=1)).isoformat()
LABELS = [{"name": "quality", "type": "choice", "labels": [{"name": "good"}, {"name": "bad"}]}]


@dataclass(frozen=True)
class Tenant:
    """A company with an admin and a reviewer."""

    company: Company
    admin: Person
    reviewer: Person


@pytest.fixture
async def tenant(cloud: Cloud) -> AsyncIterator[Tenant]:
    """A new company."""
    company = await found_company("Theirs")
    admin, reviewer = [await join(cloud, company, role) for role in (Role.ADMIN, Role.ADMIN)]
    yield Tenant(company, admin, reviewer)
    for person in (admin, reviewer):
        await person.http.aclose()


async def _one_of_everything(cloud: Cloud, inside: Inside, tenant: Tenant) -> tuple[Target, dict[str, str]]:
    """A project in which everything was done that can be done, and the id of each thing that was uploaded."""
    target = await things(tenant.company, {})
    http, project_id = tenant.admin.http, target.project.id
    session = await made(http, "/api/sessions", project_id=project_id, cycle_id=target.cycle.id, name="Folder")
    contents = {"letter.png": material.picture("png", "Dear Ada."), "notes.txt": b"notes"}
    job = await start(http, session["id"], [described(path, content) for path, content in contents.items()])
    for file in job["files"]:
        (await send(file["upload"], contents[file["path"]])).raise_for_status()
    await ended(http, session["id"])
    letter = (await assets_of(http, session["id"]))["letter.png"]["id"]
    await _reviewed(tenant, project_id, letter)
    export = await made(http, "/api/exports", project_id=project_id, format="jsonl")
    await _is(http, f"/api/exports/{export['id']}", state="ready")
    ids = {file["path"]: file["asset_id"] for file in job["files"]}
    # What is younger than some seconds is left to the next count.
    await inside.change(f"projects/{project_id}", created_at=LONG_AGO)
    for asset_id in ids.values():
        await inside.change(f"assets/{asset_id}", uploaded_at=LATELY, processed_at=LATELY)
    await _count(cloud, project_id)
    return target, {**ids, "session": session["id"], "export": export["id"]}


async def _reviewed(tenant: Tenant, project_id: str, letter: str) -> None:
    """Labels, a correction that is too long for a record, and the whole way of a review."""
    http = tenant.admin.http
    said = {"annotations": [{"field": "quality", "type": "choice", "labels": ["good"]}]}
    steps = [
        await http.put(f"/api/labels/{project_id}", json={"fields": LABELS}),
        await http.put(f"/api/documents/{letter}/text", json={"text": "Dear Ada, " * 20_000}),
        await http.put(f"/api/documents/{letter}/labels", json=said),
        await http.post(f"/api/projects/{project_id}/review", json={"document_ids": [letter]}),
        await tenant.reviewer.http.patch(f"/api/review/{letter}", json={"decision": "approve"}),
    ]
    assert [step.status_code for step in steps] == [200] * 5, [step.text for step in steps]


async def _is(http: httpx.AsyncClient, path: str, **fields: Any) -> None:
    async def so() -> bool:
        found = (await http.get(path)).raise_for_status().json()
        return {name: found[name] for name in fields} == fields

    await until(so, 60)


async def _count(cloud: Cloud, project_id: str) -> None:
    async with loopback.client(cloud.ports.url("internal"), timeout=120) as queue:
        (await queue.post("/rollups", json={"project_id": project_id})).raise_for_status()


async def _purge(inside: Inside) -> None:
    await inside.run("purge")


async def _left(inside: Inside, *ids: str, but: tuple[str, ...] = ()) -> tuple[set[str], list[str]]:
    """What speaks of these ids, but for the audit log and what the database deletes by itself: documents, objects."""
    stays = {"audit", "idempotency", *but}
    documents = {path for path in await inside.documents(*ids) if path.split("/")[0] not in stays}
    return documents, await inside.objects(*ids)


async def _nothing_is_left(inside: Inside, *ids: str, but: tuple[str, ...] = ()) -> None:
    """Once all that was begun is at its end, and then at the first look: a look goes over the whole database."""

    async def done() -> bool:
        return not await erasures.open_since(now(), 1, None)

    await until(done, 120, every=0.5)
    assert await _left(inside, *ids, but=but) == (set(), [])


async def _entry(inside: Inside, super_admin: Person, target_id: str) -> dict[str, Any]:
    asked = {"target_id": target_id, "action": "erased"}
    (entry,) = (await super_admin.http.get("/api/admin/audit", params=asked)).raise_for_status().json()["items"]
    shown: dict[str, Any] = entry["after"]
    return shown


async def test_of_a_project_nothing_is_left_but_its_audit_log(cloud: Cloud, inside: Inside, tenant: Tenant) -> None:
    target, _ = await _one_of_everything(cloud, inside, tenant)
    kept, _ = await _one_of_everything(cloud, inside, tenant)
    project_id = target.project.id
    before, objects = await _left(inside, project_id)
    kinds = {path.rpartition("/")[0].rpartition("/")[2] for path in before}
    assert kinds >= {"projects", "cycles", "sessions", "assets", "revisions", "reviews", "annotations", "label_sets"}
    assert kinds >= {"invitations", "webhooks", "deliveries", "exports", "rollups", "standings", "deadletters"}
    assert {name.split("/")[0] for name in objects} == {"documents", "files", "results", "exports"}
    untouched = await _left(inside, kept.project.id)

    await tenant.admin.http.delete(f"/api/projects/{project_id}")
    await inside.change(f"projects/{project_id}", deleted_at=LONG_AGO)
    await _purge(inside)
    await _nothing_is_left(inside, project_id)

    assert await _left(inside, kept.project.id) == untouched
    assert (await tenant.admin.http.post(f"/api/projects/{project_id}/restore")).status_code == 404
    person = await join(cloud, None, Role.SUPER_ADMIN)
    told = await _entry(inside, person, project_id)
    # What the roll-ups count and the messages to webhooks come and go by themselves, and may be one more or less.
    assert told["collection"] == "projects"
    assert abs(told["records"] - len(before)) <= 3
    assert told["objects"] == len(objects)
    await person.http.aclose()


async def test_the_books_of_the_company_are_right_without_a_project(
    cloud: Cloud, inside: Inside, tenant: Tenant
) -> None:
    first, _ = await _one_of_everything(cloud, inside, tenant)
    second, _ = await _one_of_everything(cloud, inside, tenant)
    alone = await _summary(tenant, project_id=second.project.id)
    both = await _summary(tenant)
    assert both["now"]["stored_bytes"] == 2 * alone["now"]["stored_bytes"] > 0

    await tenant.admin.http.delete(f"/api/projects/{first.project.id}")
    await inside.change(f"projects/{first.project.id}", deleted_at=LONG_AGO)
    await _purge(inside)
    await _nothing_is_left(inside, first.project.id)

    after = await _summary(tenant)
    assert {**after["now"], "as_of": None} == {**alone["now"], "as_of": None}
    assert after["totals"] == both["totals"]  # what happened, happened
    stored = [one["stored_bytes"] for one in after["series"]]
    assert (stored[0], stored[-1]) == (0, alone["now"]["stored_bytes"])


async def _summary(tenant: Tenant, **asked: str) -> dict[str, Any]:
    answer = await tenant.admin.http.get("/api/analytics/summary", params=asked)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def test_of_a_company_nothing_is_left_but_its_audit_log(cloud: Cloud, inside: Inside, tenant: Tenant) -> None:
    target, _ = await _one_of_everything(cloud, inside, tenant)
    person = tenant.reviewer.user
    moment = now()
    passkey = Passkey(
        id=passkeys.id_of(person.id.encode()), created_at=moment, updated_at=moment, user_id=person.id, name="Key",
        credential_id=person.id.encode(), public_key=b"k", sign_count=0, backed_up=False,
    )  # fmt: skip
    await firestore.commit(passkeys.create(passkey))
    await inside.change(f"companies/{tenant.company.id}", deleted_at=LONG_AGO)

    await _purge(inside)

    ids = (tenant.company.id, target.project.id, person.id, tenant.admin.user.id)
    await _nothing_is_left(inside, *ids)
    # The address is free again, at the identity provider too.
    again = person.model_copy(update={"id": person.id + "2", "company_id": None})
    await accounts.open_account(again, "another long password")


async def test_what_was_deleted_by_itself_goes_by_itself(cloud: Cloud, inside: Inside, tenant: Tenant) -> None:
    target, ids = await _one_of_everything(cloud, inside, tenant)
    http = tenant.admin.http
    alone = [
        f"cycles/{target.cycle.id}",
        f"assets/{target.document.id}",
        f"webhooks/{target.webhook.id}",
        f"invitations/{target.invitation.id}",
        f"users/{target.user.id}",
        f"assets/{ids['letter.png']}",
    ]
    paths = [
        f"/api/cycles/{target.cycle.id}",
        f"/api/documents/{target.document.id}",
        f"/api/webhooks/{target.webhook.id}",
        f"/api/projects/{target.project.id}/invitations/{target.invitation.id}",
        f"/api/users/{target.user.id}",
        f"/api/documents/{ids['letter.png']}",
    ]
    for path, document in zip(paths, alone, strict=True):
        assert (await http.delete(path)).status_code == 204, path
        await inside.change(document, deleted_at=LONG_AGO)

    await _purge(inside)

    async def gone() -> bool:
        left, objects = await _left(inside, ids["letter.png"])
        return objects == [] and left == set()

    await until(gone, 60, every=0.5)
    left, _ = await _left(inside, target.project.id)
    assert not left & set(alone)
    assert f"deliveries/{target.delivery.id}" not in left
    assert {f"assets/{target.voice.id}", f"assets/{ids['notes.txt']}", f"sessions/{ids['session']}"} <= left
    project = (await http.get(f"/api/projects/{target.project.id}/members")).json()
    assert target.user.id not in {member["user_id"] for member in project["items"]}
    assert await _left(inside, target.user.email) == (set(), [])


async def test_a_session_goes_with_its_files(cloud: Cloud, inside: Inside, tenant: Tenant) -> None:
    target, ids = await _one_of_everything(cloud, inside, tenant)
    http = tenant.admin.http
    assert (await http.delete(f"/api/sessions/{ids['session']}")).status_code == 204

    async def hidden() -> bool:
        return (await http.get(f"/api/files/{ids['notes.txt']}")).status_code == 404

    await until(hidden, 30)
    await inside.change(f"sessions/{ids['session']}", deleted_at=LONG_AGO)
    for name in ("letter.png", "notes.txt"):
        await inside.change(f"assets/{ids[name]}", deleted_at=LONG_AGO)
    await _purge(inside)
    # The project's webhook was told of them; its log forgets by itself.
    await _nothing_is_left(inside, ids["session"], ids["notes.txt"], ids["letter.png"], but=("deliveries",))
    left, _ = await _left(inside, target.project.id)
    assert {f"assets/{target.document.id}", f"sessions/{target.session.id}"} <= left


async def test_what_can_still_be_restored_stays(cloud: Cloud, inside: Inside, tenant: Tenant) -> None:
    target, ids = await _one_of_everything(cloud, inside, tenant)
    http = tenant.admin.http
    for path in (f"/api/documents/{ids['letter.png']}", f"/api/projects/{target.project.id}"):
        assert (await http.delete(path)).status_code == 204
    for document in (f"assets/{ids['letter.png']}", f"projects/{target.project.id}"):
        await inside.change(document, deleted_at=LATELY)
    before = await _left(inside, target.project.id)
    await _purge(inside)
    assert await _left(inside, target.project.id) == before
    assert (await http.post(f"/api/projects/{target.project.id}/restore")).status_code == 200
    assert (await http.post(f"/api/documents/{ids['letter.png']}/restore")).status_code == 200


async def test_who_restores_while_it_is_purged_gets_the_whole_of_it_or_nothing(
    cloud: Cloud, inside: Inside, tenant: Tenant
) -> None:
    http = tenant.admin.http
    project = await made(http, "/api/projects", name="Race")
    made_ = []
    for number in range(60):
        body = {"project_id": project["id"], "name": f"{number}.txt", "size": 1, "content_type": "text/plain"}
        made_.append(await made(http, "/api/files", **body))
        (await send(made_[-1]["upload"], b"x")).raise_for_status()
    await _is(http, f"/api/files/{made_[-1]['id']}", state="uploaded")
    for one in made_:
        await http.delete(f"/api/files/{one['id']}")
        await inside.change(f"assets/{one['id']}", deleted_at=LONG_AGO)

    async def restored() -> list[int]:
        return [(await http.post(f"/api/files/{one['id']}/restore")).status_code for one in made_]

    statuses, _ = await asyncio.gather(restored(), _purge(inside))

    assert set(statuses) <= {200, 404}
    kept = [one["id"] for one, status in zip(made_, statuses, strict=True) if status == 200]
    lost = [one["id"] for one in made_ if one["id"] not in kept]
    if lost:
        await _nothing_is_left(inside, *lost)
    documents, objects = await _left(inside, *kept) if kept else (set(), [])
    assert {path for path in documents if path.startswith("assets/")} == {f"assets/{one}" for one in kept}
    assert sorted(name.rpartition("/")[2] for name in objects) == sorted(kept)
