"""Every route of every function, asked by everybody who can ask."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.access.routes import EXPECTED, all_routes
from tests.access.world import LIVING, REFUSED, Target, Who, World, world
from tests.conftest import Cloud

GRANTED = frozenset({200, 201, 202, 204, 400, 409, 422})
"""Not refused; what was asked for may still make no sense."""


@pytest.fixture(scope="module")
async def everybody(cloud: Cloud) -> AsyncIterator[World]:
    async with world(cloud) as made:
        yield made


def test_no_route_is_missing_and_none_is_made_up() -> None:
    assert sorted(set(all_routes())) == sorted(EXPECTED)


async def _ask(world: World, who: Who, route: str, target: Target) -> httpx.Response:
    expected = EXPECTED[route]
    method, path = route.split(" ")
    known = {
        **target.ids(),
        "asset_id": getattr(target, expected.asset).id,
        "document_id": target.document.id,
    }
    body = expected.body(target) if expected.body else None
    query = expected.query(target) if expected.query else None
    return await world.http[who].request(method, path.format(**known), json=body, params=query)


def _shown(answer: httpx.Response) -> tuple[int, object]:
    if answer.status_code < 400:
        return answer.status_code, None
    return answer.status_code, {**answer.json()["error"], "requestId": None}


def _hidden_from_strangers() -> list[str]:
    rules = {route: expected.rule for route, expected in EXPECTED.items()}
    return [route for route, rule in rules.items() if rule is not None and rule.expected(Who.STRANGER) == 404]


@pytest.mark.parametrize("route", _hidden_from_strangers())
async def test_what_is_anothers_answers_as_what_does_not_exist(everybody: World, route: str) -> None:
    target = await everybody.target(EXPECTED[route].deleted)
    foreign = await _ask(everybody, Who.STRANGER, route, target)
    missing = await _ask(everybody, Who.STRANGER, route, target.nobodys())
    assert _shown(foreign) == _shown(missing)


@pytest.mark.parametrize("route", EXPECTED)
async def test_everybody_gets_what_their_role_allows(everybody: World, route: str) -> None:
    expected = EXPECTED[route]
    target = await everybody.target(expected.deleted)
    if expected.rule is None:
        answers = {who: _shown(await _ask(everybody, who, route, target)) for who in Who}
        assert len({status for status, _ in answers.values()}) == 1, answers
        return
    for who, (status, code) in REFUSED.items():
        answer = await _ask(everybody, who, route, target)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), who
    for who in sorted(LIVING - expected.rule.may):
        answer = await _ask(everybody, who, route, target)
        assert answer.status_code == expected.rule.expected(who), (who, answer.text)
    for who in sorted(expected.rule.may):
        if not route.startswith("GET"):  # the one before may have changed or deleted it
            target = await everybody.target(expected.deleted)
        answer = await _ask(everybody, who, route, target)
        assert answer.status_code in GRANTED, (who, answer.text)
