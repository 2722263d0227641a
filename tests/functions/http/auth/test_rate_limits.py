"""Rate limits of the auth routes. Each test has addresses of its own, so that none uses up another's quota."""

import ipaddress
import re
import secrets

import httpx
import pytest

from shared.services import rate_limits
from shared.services.rate_limits import Quota
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.people import PASSWORD

NOWHERE = ipaddress.ip_network("2001:db8::/32")
"""Addresses for documentation (RFC 3849)."""


@pytest.fixture
def somewhere() -> str:
    """A network address that nobody has called from."""
    return str(NOWHERE[secrets.randbits(64)])


async def _guess(http: httpx.AsyncClient, email: str, address: str, password: str = "wrong password") -> httpx.Response:
    return await http.post(
        "/api/auth/login", json={"email": email, "password": password}, headers={"X-Forwarded-For": address}
    )


async def test_an_answer_says_how_often_more_one_may_ask(http: httpx.AsyncClient, somewhere: str) -> None:
    answers = [await _guess(http, "nobody@example.org", somewhere) for _ in range(2)]
    assert answers[0].headers["ratelimit-policy"] == '"sign-in";q=60000;w=60'
    left = [re.fullmatch(r'"sign-in";r=(\d+);t=(\d+)', answer.headers["ratelimit"]) for answer in answers]
    assert all(left)
    first, second = (int(one[1]) for one in left if one)
    # the window may end between the two
    assert second in (first - 1, 59999)


async def test_guessing_from_one_address_is_stopped_and_told_when_to_try_again(
    http: httpx.AsyncClient, staff: Staff, somewhere: str
) -> None:
    email = staff.user.user.email
    guesses = [await _guess(http, email, somewhere) for _ in range(rate_limits.GUESSES_HERE.limit + 1)]
    assert guesses[-1].status_code == 429
    assert guesses[-1].json()["error"]["code"] == "rate_limited"
    assert 0 < int(guesses[-1].headers["retry-after"]) <= rate_limits.GUESSES_HERE.window
    assert "ratelimit" in guesses[-1].headers
    assert (await _guess(http, email, somewhere, PASSWORD)).status_code == 429


async def test_who_guesses_from_everywhere_keeps_nobody_out_of_where_they_signed_in_before(
    http: httpx.AsyncClient, staff: Staff, somewhere: str
) -> None:
    email = staff.user.user.email
    assert (await _guess(http, email, somewhere, PASSWORD)).status_code == 200
    attackers = [str(NOWHERE[secrets.randbits(64)]) for _ in range(rate_limits.GUESSES_ANYWHERE.limit + 1)]
    guesses = [await _guess(http, email, attacker) for attacker in attackers]
    assert guesses[-1].status_code == 429
    assert int(guesses[-1].headers["retry-after"]) <= rate_limits.GUESSES_ANYWHERE.window
    assert (await _guess(http, email, somewhere, PASSWORD)).status_code == 200


async def test_a_right_password_forgives_the_wrong_ones_before(
    http: httpx.AsyncClient, staff: Staff, somewhere: str
) -> None:
    email = staff.user.user.email
    for _ in range(2):
        for _ in range(rate_limits.GUESSES_HERE.limit - 1):
            await _guess(http, email, somewhere)
        assert (await _guess(http, email, somewhere, PASSWORD)).status_code == 200


async def test_mail_to_one_address_is_bounded_alike_whether_or_not_it_is_known(
    http: httpx.AsyncClient, staff: Staff, address: str
) -> None:
    for email in (staff.user.user.email, address):
        asked = [
            await http.post("/api/auth/password-reset", json={"email": email})
            for _ in range(rate_limits.MAIL_TO.limit + 1)
        ]
        assert {answer.status_code for answer in asked[:-1]} == {202}
        assert asked[-1].status_code == 429


async def test_a_quota_is_counted_exactly_however_many_ask_at_once(cloud: Cloud) -> None:
    import asyncio

    key = secrets.token_hex(8)
    quota = Quota("test", 10, 3600)
    standings = await asyncio.gather(*(rate_limits.take(quota, key) for _ in range(25)))
    assert sum(standing.remaining >= 0 for standing in standings) == 10
    refused = await rate_limits.take(quota, key)
    assert refused.remaining < 0


async def test_every_auth_route_has_a_rate_limit() -> None:
    from fastapi.routing import APIRoute

    from functions.http.auth.main import router

    for route in router.routes:
        assert isinstance(route, APIRoute)
        names = [one.dependency.__module__ for one in route.dependencies if one.dependency]
        assert "shared.web.rate_limits" in names, route.path
