"""A local cloud of one's own, for tests and benchmarks that stop its parts or count what it does."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import httpx
import psutil

from emulators.cloud import LocalCloud
from emulators.seed import PASSWORD, USERNAME
from infra.catalog import HttpTrigger, functions
from tests import loopback
from tests.emulators.waiting import until

STARTED_WITHIN = 240
"""Seconds in which all functions start, where each has a process of its own, on a busy machine."""


@asynccontextmanager
async def running(cloud: LocalCloud) -> AsyncIterator[None]:
    """The cloud runs meanwhile; what it does is not done on the event loop."""
    await asyncio.to_thread(cloud.start)
    try:
        yield
    finally:
        await asyncio.to_thread(cloud.stop)


async def all_run(cloud: LocalCloud) -> None:
    """Returns when all functions answer: where each has a process of its own, they start after the rest."""
    internal = cloud.ports.url("internal")
    doors = [
        cloud.url + one.trigger.paths[0] if isinstance(one.trigger, HttpTrigger) else f"{internal}/{one.name}"
        for one in functions()
    ]
    async with loopback.client() as client:

        async def answer() -> bool:
            answers = [await client.get(door) for door in doors]
            return all(answer.status_code != httpx.codes.SERVICE_UNAVAILABLE for answer in answers)

        await until(answer, STARTED_WITHIN)


@asynccontextmanager
async def admin(cloud: LocalCloud) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is signed in as the admin of the cloud's default company, as soon as `auth` is there."""
    async with loopback.client(cloud.url, timeout=120) as http:

        async def signed_in() -> bool:
            answer = await http.post("/api/auth/login", json={"username": USERNAME, "password": PASSWORD})
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return False
            http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
            return True

        await until(signed_in, STARTED_WITHIN)
        yield http


async def answer_at_once(cloud: LocalCloud) -> None:
    """From here on the engines give every file the same answer, so that the platform's own time is what remains."""
    async with loopback.client() as control:
        for engine in ("documentai_control", "speech_control"):
            (await control.post(f"{cloud.ports.url(engine)}/_alta/instant", json={"on": True})).raise_for_status()


@contextmanager
def frozen(cloud: LocalCloud, part: str) -> Iterator[None]:
    """The part does not answer meanwhile. Not killed: Firestore's emulator would forget everything."""
    port = int(cloud.ports.address(part).rpartition(":")[2])
    listening = next(
        one.pid
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
    )
    process = psutil.Process(listening)
    process.suspend()
    try:
        yield
    finally:
        process.resume()
