"""An emulator of its own for every test, inside the test's loop, with one queue and one worker."""

from collections.abc import AsyncIterator

import httpx
import pytest
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import Queue

from emulators.tasks.server import Options, Ports, running
from tests import loopback
from tests.emulators.tasks.door import LOCATION, QUEUE, QUICK, calling


@pytest.fixture
async def emulator() -> AsyncIterator[Ports]:
    """A running emulator, its state in memory."""
    async with running(Options(port=0, control_port=0)) as ports:
        yield ports


@pytest.fixture
async def client(emulator: Ports) -> AsyncIterator[CloudTasksAsyncClient]:
    """Google's client, with the queue `progress` created; it retries quickly."""
    async with calling(emulator.grpc) as client:
        await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE, retry_config=QUICK))
        yield client


@pytest.fixture
async def control(emulator: Ports) -> AsyncIterator[httpx.AsyncClient]:
    """The control door."""
    async with loopback.client(f"http://127.0.0.1:{emulator.control}") as client:
        yield client
