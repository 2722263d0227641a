"""Does the time tell what exists? What is another tenant's beside what is not there, a known address beside a new one.

`python -m tests.bench.existence [--pairs N] [--only TEXT]` starts a local cloud and asks every route that takes an id,
in pairs: once for a thing of another company, once for one that does not exist, now this and now that first, so that a
busy moment of the machine meets both. Then the same of the auth routes that take an address. The answers of a pair must
be of one status. Prints the medians; exits with 1 when the median of a route is over `LIMIT` times the other.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State, environment
from shared.models.identity import Role
from shared.models.records import new_id
from tests import loopback
from tests.access.asking import request
from tests.access.routes import EXPECTED
from tests.access.world import Target, things
from tests.conftest import Cloud
from tests.people import PASSWORD, account, found_company, join

LIMIT = 1.15
"""How many times the median of one may be that of the other. One read more than the other makes about 1.3."""
ASKERS = 4
"""People who ask in turns, so that no rate limit is reached."""

BODIES: dict[str, dict[str, str]] = {
    "/api/auth/register": {"password": PASSWORD, "name": "N", "company_name": "C"},
    "/api/auth/resend-verification": {},
    "/api/auth/password-reset": {},
    "/api/auth/login": {"password": "not the password"},
}
"""Routes that take an address, and what else they take."""

Ask = Callable[[int], Awaitable[httpx.Response]]
"""Sends the `n`th request."""


@dataclass(frozen=True)
class Measured:
    """The seconds that the answers of a route took: for what exists and may not be known, and for what does not."""

    name: str
    there: list[float]
    missing: list[float]

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return statistics.median(self.there) / statistics.median(self.missing)

    @property
    def is_told(self) -> bool:
        """Whether somebody could tell by the time."""
        return not 1 / LIMIT <= self.ratio <= LIMIT

    def __str__(self) -> str:
        there, missing = (1000 * statistics.median(one) for one in (self.there, self.missing))
        told = "  <-- tells" if self.is_told else ""
        return f"{there:9.2f} {missing:9.2f} {self.ratio:6.3f}  {self.name}{told}"


async def measured(name: str, there: Ask, missing: Ask, pairs: int) -> Measured:
    """Asks in pairs, and refuses answers of different status."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs):
        statuses = set()
        for which in (0, 1) if number % 2 else (1, 0):
            started = time.perf_counter()
            answer = await (there, missing)[which](number)
            seconds[which].append(time.perf_counter() - started)
            statuses.add(answer.status_code)
        if len(statuses) != 1 or statuses & {429, 500, 503}:
            raise RuntimeError(f"{name} answered {statuses}")
    return Measured(name, *seconds)


async def tenants(cloud: Cloud, pairs: int, only: str) -> AsyncIterator[Measured]:
    """Every route that takes an id, asked by admins of other companies."""
    askers = [(await join(cloud, await found_company(), Role.ADMIN)).http for _ in range(ASKERS)]
    theirs = await found_company()

    async def ask(route: str, target: Target, number: int) -> httpx.Response:
        return await request(route, target).send(askers[number % ASKERS])

    for route, expected in EXPECTED.items():
        target = await things(theirs, {}, deleted=expected.deleted)
        if expected.rule is not None and only in route and request(route, target).names(target):
            yield await measured(route, partial(ask, route, target), partial(ask, route, target.nobodys()), pairs)


async def addresses(cloud: Cloud, pairs: int, only: str) -> AsyncIterator[Measured]:
    """The auth routes that take an address: each known one is asked for once, since mail to one address is bounded."""
    asked = {path: more for path, more in BODIES.items() if only in path}
    company = await found_company()
    known = [(await account(company)).email for _ in range(pairs if asked else 0)]
    async with loopback.client(cloud.url) as http:

        async def ask(path: str, number: int, email: str | None = None) -> httpx.Response:
            return await http.post(path, json={"email": email or known[number], **asked[path]})

        async def ask_unknown(path: str, number: int) -> httpx.Response:
            return await ask(path, number, f"{new_id('usr')}@example.org")

        for path in asked:
            yield await measured(f"POST {path}, an address", partial(ask, path), partial(ask_unknown, path), pairs)


def summary(found: Sequence[Measured]) -> str:
    """One line."""
    ratios = sorted(one.ratio for one in found)
    told = [one.name for one in found if one.is_told]
    between = f"{ratios[0]:.3f} to {ratios[-1]:.3f}, median {statistics.median(ratios):.3f}"
    return f"{len(found)} routes, ratios {between}; over the limit: {told or 'none'}"


async def everything(cloud: Cloud, pairs: int, only: str) -> list[Measured]:
    """Measures and prints."""
    print(f"medians of {pairs} pairs, ms\n    there   missing  ratio")
    found = []
    for measuring in (tenants, addresses):
        async for one in measuring(cloud, pairs, only):
            print(one, flush=True)
            found.append(one)
    return found


def main() -> int:
    """The command line; 1 when the time tells."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.existence", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--only", default="", help="routes that have this in their name")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ports, state = Ports.free(), State(Path(folder))
        with LocalCloud(ports, state, fresh=True):
            told = environment(ports, state)
            os.environ.update(told)
            found = asyncio.run(everything(Cloud(ports, told, state), given.pairs, given.only))
    print(summary(found))
    return 1 if any(one.is_told for one in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
