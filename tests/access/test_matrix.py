"""Every route of every function, asked by everybody who can ask."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.access.asking import request
from tests.access.routes import EXPECTED, all_routes
from tests.access.world import LIVING, REFUSED, Target, Who, World, world
from tests.conftest import Cloud

pytestmark = pytest.mark.crowd

GRANTED = frozenset({200, 201, 202, 204, 400, 409, 422})
"""Not refused; what was asked for may still make no sense."""


@pytest.fixture(scope="module")
async def everybody(cloud: Cloud) -> AsyncIterator[World]:
    async with world(cloud) as made:
        yield made


def test_no_route_is_missing_and_none_is_made_up() -> None:
    assert sorted(set(all_routes())) == sorted(EXPECTED)


async def _ask(world: World, who: Who, route: str, target: Target) -> httpx.Response:
    return await request(route, target).send(world.http[who])


def _shown(answer: httpx.Response) -> tuple[int, object]:
    if answer.status_code < 400:
        return answer.status_code, None
    return answer.status_code, {**answer.json()["error"], "requestId": None}


def _told(answer: httpx.Response, target: Target) -> tuple[int, set[str], str]:
    """All that an answer tells, but for what was asked and the id of the request."""
    text = answer.text.replace(answer.headers["x-request-id"], "")
    for own in target.records():
        text = text.replace(own, "")
    return answer.status_code, set(answer.headers), text


def _unseen_by(route: str) -> list[Who]:
    """Those for whom what this route is asked for does not exist; for a stranger it never does."""
    rule = EXPECTED[route].rule
    if rule is None:
        return []
    some = rule.may | rule.sees  # at a route that nobody gets anything from, people of the project are told more
    return [Who.STRANGER, *(who for who in (Who.OUTSIDER, Who.GUEST) if some and rule.expected(who) == 404)]


@pytest.mark.parametrize("route", [route for route in EXPECTED if _unseen_by(route)])
async def test_what_is_anothers_answers_as_what_does_not_exist(everybody: World, route: str) -> None:
    target = await everybody.target(EXPECTED[route].deleted)
    nobodys = target.nobodys()
    if not request(route, target).names(target):
        return  # nothing is asked for by its id
    for who in _unseen_by(route):
        foreign = await _ask(everybody, who, route, target)
        missing = await _ask(everybody, who, route, nobodys)
        assert _told(foreign, target) == _told(missing, nobodys), who


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
