"""The rules of the database, in an emulator of their own, asked as a client with a Firebase SDK asks."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulators import java
from emulators.ports import HOST, free_ports
from emulators.processes import Part, Process, answers
from infra.catalog import ROOT
from tests import loopback

PROJECT = "alta-rules"
MOMENT = {"timestampValue": "2026-01-01T00:00:00Z"}
NULL: dict[str, Any] = {"nullValue": None}


def _text(value: str | None) -> dict[str, Any]:
    return NULL if value is None else {"stringValue": value}


class Database:
    """The emulator over REST: `write` as the functions do, `read` and the rest as a client does."""

    def __init__(self, port: int) -> None:
        self._root = f"http://{HOST}:{port}/v1/projects/{PROJECT}/databases/(default)/documents"
        self._http = loopback.blocking(self._root)

    def close(self) -> None:
        self._http.close()

    def write(self, path: str, **fields: Any) -> None:
        body = {"fields": {"deleted_at": NULL, **fields}}
        self._http.patch(path, json=body, headers={"Authorization": "Bearer owner"}).raise_for_status()

    def get(self, path: str, user: str | None, *, signed_in_at: int | None = None) -> int:
        return self._http.get(path, headers=_bearer(user, signed_in_at)).status_code

    def set(self, path: str, user: str | None) -> int:
        return self._http.patch(path, json={"fields": {}}, headers=_bearer(user)).status_code

    def delete(self, path: str, user: str | None) -> int:
        return self._http.delete(path, headers=_bearer(user)).status_code

    def list_of(self, collection: str, project: str, user: str) -> int:
        conditions = [
            {"fieldFilter": {"field": {"fieldPath": "project_id"}, "op": "EQUAL", "value": _text(project)}},
            {"unaryFilter": {"field": {"fieldPath": "deleted_at"}, "op": "IS_NULL"}},
        ]
        query = {
            "from": [{"collectionId": collection}],
            "where": {"compositeFilter": {"op": "AND", "filters": conditions}},
        }
        return self._http.post(
            f"{self._root}:runQuery", json={"structuredQuery": query}, headers=_bearer(user)
        ).status_code

    def list_all(self, collection: str, user: str) -> int:
        return self._http.get(f"/{collection}", headers=_bearer(user)).status_code


def _bearer(user: str | None, signed_in_at: int | None = None) -> dict[str, str]:
    if user is None:
        return {}
    now = int(time.time())
    claims = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": user,
        "user_id": user,
        "auth_time": signed_in_at or now,
        "iat": now,
        "exp": now + 3600,
        "firebase": {"identities": {}, "sign_in_provider": "password"},
    }
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return {"Authorization": f"Bearer {'.'.join(encoded)}."}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database under the rules, with two companies, their people, projects, and what is in them."""
    (port,) = free_ports(1)
    jar = java.jar(java.FIRESTORE, print)
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    rules = ROOT / "infra" / "firestore.rules"
    command = (
        java.java(), "-Xmx512m", "-cp", str(jar), main, "start",
        "--host", HOST, "--port", str(port), "--rules", str(rules),
    )  # fmt: skip
    log: Path = tmp_path_factory.mktemp("rules") / "firestore.log"
    process = Process(Part("firestore", command, answers(port)), log, print, lambda _: None)
    process.start()
    try:
        process.wait_until_ready()
        made = Database(port)
        _fill(made)
        yield made
        made.close()
    finally:
        process.stop()


def _user(database: Database, name: str, company: str | None, role: str = "user", **more: Any) -> None:
    fields = {
        "company_id": _text(company),
        "role": _text(role),
        "email_verified": {"booleanValue": True},
        "suspended_at": NULL,
        "tokens_valid_after": NULL,
        **more,
    }
    database.write(f"/users/{name}", **fields)


def _project(database: Database, name: str, default_role: str | None, company: str = "ours", /, **members: str) -> None:
    roles = {"mapValue": {"fields": {user: _text(role) for user, role in members.items()}}}
    database.write(f"/projects/{name}", company_id=_text(company), default_role=_text(default_role), members=roles)
    for collection in ("sessions", "assets"):
        database.write(f"/{collection}/in_{name}", company_id=_text(company), project_id=_text(name))


def _fill(database: Database) -> None:
    database.write("/companies/ours", suspended_at=NULL)
    database.write("/companies/theirs", suspended_at=NULL)
    database.write("/companies/suspended", suspended_at=MOMENT)
    _user(database, "admin", "ours", "admin")
    _user(database, "user", "ours")
    _user(database, "member", "ours")
    _user(database, "stranger", "theirs", "admin")
    _user(database, "guest", None)
    _user(database, "super", None, "super_admin")
    _user(database, "suspended", "ours", "admin", suspended_at=MOMENT)
    _user(database, "deleted", "ours", "admin", deleted_at=MOMENT)
    _user(database, "unverified", "ours", "admin", email_verified={"booleanValue": False})
    _user(database, "signed_out", "ours", "admin", tokens_valid_after=MOMENT)
    _user(database, "of_suspended", "suspended")
    _project(database, "open", "contributor")
    _project(database, "closed", None, member="reviewer", guest="contributor", of_suspended="admin")
    _project(database, "shut", "admin", "suspended", guest="admin", member="admin")
    database.write("/sessions/gone", project_id=_text("open"), deleted_at=MOMENT)


SEES_CLOSED = {"admin", "member", "guest", "super"}
SEES_OPEN = {"admin", "user", "member", "super"}
EVERYBODY = [
    "admin", "user", "member", "stranger", "guest", "super", "suspended", "deleted", "unverified", "of_suspended",
    "nobody",
]  # fmt: skip


@pytest.mark.parametrize("user", EVERYBODY)
@pytest.mark.parametrize("path", ["/sessions/in_{}", "/assets/in_{}"])
def test_who_has_a_role_in_a_project_reads_its_sessions_and_assets_and_nobody_else(
    database: Database, user: str, path: str
) -> None:
    assert database.get(path.format("open"), user) == (200 if user in SEES_OPEN else 403)
    assert database.get(path.format("closed"), user) == (200 if user in SEES_CLOSED else 403)


@pytest.mark.parametrize("user", EVERYBODY)
def test_the_projects_of_a_suspended_company_are_read_by_super_admins_alone(database: Database, user: str) -> None:
    assert database.get("/sessions/in_shut", user) == (200 if user == "super" else 403)
    assert database.list_of("assets", "shut", user) == (200 if user == "super" else 403)


@pytest.mark.parametrize("user", EVERYBODY)
@pytest.mark.parametrize("collection", ["sessions", "assets"])
def test_what_is_in_a_project_is_listed_by_who_has_a_role_in_it(database: Database, user: str, collection: str) -> None:
    assert database.list_of(collection, "open", user) == (200 if user in SEES_OPEN else 403)
    assert database.list_of(collection, "closed", user) == (200 if user in SEES_CLOSED else 403)


def test_a_list_that_names_no_project_is_refused(database: Database) -> None:
    for collection in ("assets", "sessions", "users", "projects", "companies"):
        assert database.list_all(collection, "admin") == 403, collection


def test_without_a_token_nothing_is_read(database: Database) -> None:
    assert database.get("/sessions/in_open", None) == 403


def test_a_deleted_session_is_not_read(database: Database) -> None:
    assert database.get("/sessions/gone", "admin") == 403


def test_a_sign_in_that_was_ended_reads_nothing_and_a_later_one_does(database: Database) -> None:
    ended = 1_767_225_600  # 2026-01-01T00:00:00Z
    assert database.get("/sessions/in_open", "signed_out", signed_in_at=ended - 1) == 403
    assert database.get("/sessions/in_open", "signed_out", signed_in_at=ended) == 200


@pytest.mark.parametrize(
    "path",
    [
        "/users/admin", "/companies/ours", "/projects/open", "/audit/x", "/tokens/x", "/passkeys/x", "/invitations/x",
        "/rate_limits/x", "/idempotency/x", "/usernames/admin", "/addresses/x", "/assets/in_open/revisions/x",
    ],
)  # fmt: skip
def test_nothing_else_is_read(database: Database, path: str) -> None:
    for user in ("admin", "super"):
        assert database.get(path, user) == 403


@pytest.mark.parametrize("path", ["/sessions/in_open", "/assets/in_open", "/users/admin", "/projects/open", "/new/x"])
def test_nothing_is_written(database: Database, path: str) -> None:
    for user in ("admin", "super"):
        assert database.set(path, user) == 403
        assert database.delete(path, user) == 403
