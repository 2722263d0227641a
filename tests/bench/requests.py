"""What each request reads and writes in Firestore, as it is billed: `python -m tests.bench.requests` prints all routes.

Each is asked for on an instance that knows the caller and the project already, as most requests meet it: one of the
functions' own, in front of which a door counts. The things that are asked for are made past that door.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from emulators import parts
from emulators.cloud import LocalCloud
from emulators.ports import HOST, Ports, free_ports
from emulators.processes import Process
from emulators.state import State, environment
from shared.settings import settings
from tests import loopback
from tests.access.asking import request
from tests.access.routes import EXPECTED
from tests.access.world import LIVING, Target, Who, World, world
from tests.conftest import Cloud
from tests.firestore.counting import Count, counted


@dataclass(frozen=True)
class Cost:
    """What one request cost; a commit is one however many documents it writes."""

    status: int
    reads: int
    commits: int
    writes: int
    deletes: int


class Instance:
    """Every function in a process of its own, whose calls to Firestore are counted."""

    def __init__(self, url: str, count: Count) -> None:
        self._url = url
        self._count = count

    def of(self, person: httpx.AsyncClient) -> httpx.AsyncClient:
        """A client of this instance, signed in as somebody is elsewhere."""
        return loopback.client(self._url, headers=person.headers)

    async def cost(self, method: str, path: str, http: httpx.AsyncClient, **more: object) -> Cost:
        """Asks, and tells what that cost."""
        self._count.clear()
        answer = await http.request(method, path, **more)  # type: ignore[arg-type]  # passed on as they are
        billed = [self._count[name] for name in ("firestore.reads", "commits", "firestore.writes", "firestore.deletes")]
        return Cost(answer.status_code, *billed)


@asynccontextmanager
async def instance(cloud: Cloud, log: Path) -> AsyncIterator[Instance]:
    """An instance beside those of a local cloud, on the same records."""
    count: Count = Counter()
    gateway, internal = free_ports(2)
    async with counted(cloud.ports.address("firestore"), count) as address:
        part = parts.gateway(
            replace(cloud.ports, gateway=gateway, internal=internal),
            {**cloud.environment, "FIRESTORE_EMULATOR_HOST": address},
        )
        process = Process(part, log, say=print, restarted=print)
        await asyncio.to_thread(process.start)
        try:
            await asyncio.to_thread(process.wait_until_ready)
            yield Instance(f"http://{HOST}:{gateway}", count)
        finally:
            await asyncio.to_thread(process.stop)


async def warm(http: httpx.AsyncClient, target: Target) -> None:
    """Makes an instance know the caller and the project."""
    await http.get("/api/cycles", params={"project_id": target.project.id})


async def costs(everybody: World, counting: Instance) -> Mapping[str, Cost]:
    """What each route costs one who may ask for it, by method and path."""
    http = {who: counting.of(everybody.http[who]) for who in Who}
    found = {}
    for route, expected in EXPECTED.items():
        target = await everybody.target(expected.deleted)
        may = expected.rule.may if expected.rule else LIVING
        who = next((one for one in (Who.COMPANY_ADMIN, Who.SUPER_ADMIN) if one in may), Who.PROJECT_ADMIN)
        await warm(http[who], target)
        asked = request(route, target)
        found[route] = await counting.cost(asked.method, asked.path, http[who], params=asked.query, json=asked.body)
    for client in http.values():
        await client.aclose()
    return found


def table(found: Mapping[str, Cost]) -> str:
    """The costs, a line each."""
    head = f"{'status':>7}{'reads':>7}{'commits':>9}{'writes':>8}{'deletes':>9}  route"
    lines = [
        f"{one.status:7}{one.reads:7}{one.commits:9}{one.writes:8}{one.deletes:9}  {route}"
        for route, one in found.items()
    ]
    return "\n".join([head, *lines])


async def _measured(cloud: Cloud) -> str:
    async with world(cloud) as everybody, instance(cloud, cloud.state.log("counted")) as counting:
        return table(await costs(everybody, counting))


def main() -> None:
    """Starts a local cloud, measures, and prints."""
    with tempfile.TemporaryDirectory(prefix="alta-bench-") as folder, pytest.MonkeyPatch.context() as patch:
        ports, state = Ports.free(), State(Path(folder))
        with LocalCloud(ports, state, fresh=True):
            told = environment(ports, state)
            for name, value in told.items():
                patch.setenv(name, value)
            settings.cache_clear()
            print(asyncio.run(_measured(Cloud(ports, told, state))))


if __name__ == "__main__":
    main()
