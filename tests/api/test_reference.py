"""The reference: complete, valid, up to date, and served without anything from elsewhere."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema_rs
import pytest

from infra import openapi
from infra.breaking import breaks
from shared import errors

Document = dict[str, Any]


@pytest.fixture(scope="module")
def reference() -> Document:
    return openapi.document()


def test_the_committed_reference_is_what_the_routes_say(reference: Document) -> None:
    assert openapi.REFERENCE.read_text() == openapi.text(reference), "run `make openapi`"


def test_every_operation_is_described_and_says_how_it_fails(reference: Document) -> None:
    lacking = [
        f"{method} {path}"
        for path, method, operation in openapi.operations(reference)
        if not operation.get("description") or not {"500", "503"} <= set(operation["responses"])
    ]
    assert lacking == []


def test_every_request_and_answer_has_an_example_that_its_schema_allows(reference: Document) -> None:
    checked = 0
    for path, method, operation in openapi.operations(reference):
        for media in openapi._media(operation):
            schema = {**media["schema"], "components": reference["components"]}
            for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(media["example"]):
                pytest.fail(f"{method} {path}: {error.instance_path}: {error.message}")
            checked += 1
    assert checked > 50


def test_every_parameter_and_error_has_an_example_that_its_schema_allows(reference: Document) -> None:
    examples = [
        (f"{method} {path} {one['name']}", one["schema"], one["example"])
        for path, method, operation in openapi.operations(reference)
        for one in operation["parameters"]
    ]
    examples += [
        (f"{name} as {kind}", media["schema"], one["value"])
        for name, response in reference["components"]["responses"].items()
        for kind, media in response.get("content", {}).items()
        for one in media["examples"].values()
    ]
    assert len(examples) > 300
    for name, schema, value in examples:
        validator = jsonschema_rs.Draft202012Validator({**schema, "components": reference["components"]})
        assert validator.is_valid(value), f"{name}: {value}"


def test_every_answer_that_has_a_body_says_what_it_is(reference: Document) -> None:
    silent = [
        f"{method} {path} {status}"
        for path, method, operation in openapi.operations(reference)
        for status, response in operation["responses"].items()
        if "$ref" not in response and status != "204" and not response.get("content")
    ]
    assert silent == []


def test_only_what_anybody_may_do_needs_no_token(reference: Document) -> None:
    public = {path for path, _, operation in openapi.operations(reference) if not operation.get("security")}
    assert {path for path in public if not path.startswith(("/api/auth/", "/health"))} == {
        "/api/projects/invitations/preview",
        "/api/projects/invitations/{token}",
    }
    assert reference["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_every_error_of_the_catalogue_is_in_the_reference(reference: Document) -> None:
    described = json.dumps(reference["components"]["responses"])
    assert [error.code for error in errors.catalogue() if f'"{error.code}"' not in described] == []


async def test_the_pages_load_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    for page in ("/docs", "/redoc", "/docs/errors"):
        answer = await http.get(page)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy.partition("style-src")[0]
        assert re.findall(r"<script(?![^>]*src=)", answer.text) == []
        links: list[str] = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
        assert all(link.startswith("/") for link in links)
        for link in links:
            assert (await http.get(link)).status_code == 200
    assert (await http.get("/docs/assets/../openapi.json")).status_code == 404


async def test_the_document_is_served_as_committed_and_not_twice(http: httpx.AsyncClient) -> None:
    answer = await http.get("/openapi.json")
    assert answer.json() == json.loads(openapi.REFERENCE.read_text())
    assert answer.headers["Content-Encoding"] == "gzip"
    again = await http.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_type_of_a_problem_leads_to_what_to_do(http: httpx.AsyncClient) -> None:
    problem = await http.get("/api/projects", headers={"Accept": "application/problem+json"})
    assert problem.headers["Content-Type"] == "application/problem+json"
    page, _, anchor = problem.json()["type"].partition("#")
    assert f'id="{anchor}"' in (await http.get(page)).text


# --- what breaks clients


def _project(reference: Document) -> Document:
    schema: Document = reference["components"]["schemas"]["ProjectView"]
    return schema


def _new_project(reference: Document) -> Document:
    schema: Document = reference["components"]["schemas"]["NewProject"]
    return schema


def _list(reference: Document) -> Document:
    operation: Document = reference["paths"]["/api/projects"]["get"]
    return operation


BREAKING: dict[str, Callable[[Document], object]] = {
    "a path that is gone": lambda new: new["paths"].pop("/api/cycles"),
    "a method that is gone": lambda new: new["paths"]["/api/cycles"].pop("post"),
    "another operation id": lambda new: _list(new).update(operationId="projects"),
    "a field of an answer that is gone": lambda new: _project(new)["properties"].pop("name"),
    "a field of an answer of another type": lambda new: _project(new)["properties"]["name"].update(type="integer"),
    "a field of an answer that may be missing": lambda new: _project(new)["required"].remove("name"),
    "a field of an answer that may be null": lambda new: _project(new)["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "a field of a request that is demanded": lambda new: _new_project(new)["required"].append("description"),
    "a field of a request that is gone": lambda new: _new_project(new)["properties"].pop("description"),
    "a tighter bound": lambda new: _new_project(new)["properties"]["name"].update(maxLength=20),
    "a pattern": lambda new: _new_project(new)["properties"]["name"].update(pattern="^[a-z]+$"),
    "a value that is not taken any more": lambda new: new["components"]["schemas"]["Order"]["enum"].pop(),
    "a value that clients do not know": lambda new: new["components"]["schemas"]["SessionStatus"]["enum"].append("x"),
    "a parameter that is gone": lambda new: _list(new)["parameters"].pop(),
    "a parameter that is demanded": lambda new: _list(new)["parameters"].append(
        {"name": "x", "in": "query", "required": True, "schema": {"type": "string"}}
    ),
    "another status": lambda new: new["paths"]["/api/projects"]["post"]["responses"].update(
        {"200": new["paths"]["/api/projects"]["post"]["responses"].pop("201")}
    ),
}
HARMLESS: dict[str, Callable[[Document], object]] = {
    "nothing": lambda new: None,
    "a new path": lambda new: new["paths"].update({"/api/new": {"get": {"operationId": "new", "responses": {}}}}),
    "a new field of an answer": lambda new: _project(new)["properties"].update(size={"type": "integer"}),
    "a new field that need not be sent": lambda new: _new_project(new)["properties"].update(size={"type": "integer"}),
    "a wider bound": lambda new: _new_project(new)["properties"]["name"].update(maxLength=500),
    "a new parameter that need not be sent": lambda new: _list(new)["parameters"].append(
        {"name": "x", "in": "query", "schema": {"type": "string"}}
    ),
    "a new value that is taken": lambda new: new["components"]["schemas"]["Order"]["enum"].append("size"),
    "other words": lambda new: _list(new).update(description="Otherwise."),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING.keys())
def test_a_change_that_breaks_clients_is_seen(reference: Document, change: Callable[[Document], object]) -> None:
    new = copy.deepcopy(reference)
    change(new)
    assert breaks(reference, new)


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS.keys())
def test_a_change_that_no_client_notices_passes(reference: Document, change: Callable[[Document], object]) -> None:
    new = copy.deepcopy(reference)
    change(new)
    assert breaks(reference, new) == []
