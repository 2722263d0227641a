"""Every list with every choice of its filters and orders: answered or refused in words, and served by an index.

The local cloud of the tests refuses a query that no index serves, as Google does (tests/firestore).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from infra.openapi import REFERENCE
from tests.access.world import Target, Who, World, world
from tests.conftest import Cloud

AT_ONCE = 8
_PAGE = {"page_size", "page_token"}
_BY_CALLER = (Who.SUPER_ADMIN, Who.COMPANY_ADMIN, Who.OUTSIDER, Who.GUEST)
"""Where the caller decides what is looked through, they are its kinds."""
CALLERS = {"list_projects": _BY_CALLER, "list_users": _BY_CALLER, "list_dead_letters": _BY_CALLER}
_DOCUMENT = json.loads(REFERENCE.read_text())
LISTS = {
    operation["operationId"]: (path, operation)
    for path, operations in _DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if method == "get" and any(one["in"] == "query" for one in operation.get("parameters", []))
}


@pytest.fixture(scope="module")
async def everybody(cloud: Cloud) -> AsyncIterator[World]:
    async with world(cloud) as made:
        yield made


def _choices(parameter: Mapping[str, Any], target: Target) -> list[Any]:
    """What a parameter is given, in turns; None leaves it out."""
    if parameter["name"] == "order_by":
        return [None, "-created_at", "created_at", "name", "-name"]
    value = _values(target).get(parameter["name"]) or _first(parameter["schema"])
    return [value] if parameter.get("required") else [None, value]


def _values(target: Target) -> dict[str, Any]:
    moment, bounds = "2026-01-01T00:00:00Z", ("created_after", "created_before", "submitted_after", "submitted_before")
    return {
        **target.ids(),
        **dict.fromkeys((*bounds, "since"), moment),
        "until": "2026-01-02T00:00:00Z",
        "created_by": target.user.id,
        "contributor": target.user.id,
        "actor_id": target.user.id,
        "target_id": target.user.id,
        "confidence_below": 0.5,
        "q": "T",
        "name_prefix": "T",
        "deleted": True,
    }


def _first(schema: Mapping[str, Any]) -> Any:
    """The first value of an enumeration, wherever its schema is."""
    if "$ref" in schema:
        return _first(_DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return _first(schema["anyOf"][0])
    return schema["enum"][0] if "enum" in schema else schema["default"]


def _asked(operation: Mapping[str, Any], target: Target) -> Iterator[dict[str, Any]]:
    """Every choice of parameters."""
    parameters = [one for one in operation["parameters"] if one["in"] == "query" and one["name"] not in _PAGE]
    for values in product(*(_choices(one, target) for one in parameters)):
        chosen = zip(parameters, values, strict=True)
        yield {one["name"]: value for one, value in chosen if value is not None}


@pytest.mark.parametrize("name", LISTS)
async def test_a_list_answers_every_choice_of_filters_and_orders(everybody: World, name: str) -> None:
    path, operation = LISTS[name]
    target = await everybody.target()
    ids = {**target.ids(), "asset_id": (target.voice if "voice" in path else target.document).id}
    turn = asyncio.Semaphore(AT_ONCE)
    answered = 0

    async def ask(who: Who, parameters: Mapping[str, Any]) -> None:
        nonlocal answered
        async with turn:
            answer = await everybody.http[who].get(path.format(**ids), params=parameters)
        # A few choices make no sense together, and some people may not ask: they are told so.
        assert answer.status_code in (200, 403, 404, 422), (who, parameters, answer.text)
        answered += answer.status_code == 200

    callers = CALLERS.get(name, (Who.SUPER_ADMIN,))
    await asyncio.gather(*(ask(who, chosen) for who in callers for chosen in _asked(operation, target)))
    assert answered


FILTERS = {
    "/api/review/take": {
        "kind": "document",
        "confidence_below": 0.5,
        "contributor": "usr_nobody",
        "submitted_after": "2026-01-01T00:00:00Z",
        "submitted_before": "2026-01-02T00:00:00Z",
    },
    "/api/exports": {
        "approved_only": True,
        "kind": "document",
        "cycle_id": "cyc_none",
        "created_after": "2026-01-01T00:00:00Z",
        "created_before": "2026-01-02T00:00:00Z",
    },
}
"""Bodies that say what is looked for."""


@pytest.mark.parametrize("path", FILTERS)
async def test_what_is_looked_for_by_a_body_is_found_by_an_index(everybody: World, path: str) -> None:
    target = await everybody.target()
    filters = FILTERS[path] | ({"cycle_id": target.cycle.id} if "cycle_id" in FILTERS[path] else {})
    for chosen in product((False, True), repeat=len(filters)):
        asked = {name: value for (name, value), is_sent in zip(filters.items(), chosen, strict=True) if is_sent}
        body = asked if path == "/api/review/take" else {"format": "jsonl", "filter": asked}
        answer = await everybody.http[Who.SUPER_ADMIN].post(path, json={"project_id": target.project.id, **body})
        assert answer.status_code in (200, 201, 409), (asked, answer.text)
