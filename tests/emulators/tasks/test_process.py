"""The emulator as a program: what survives a kill, how it stops, and what it refuses at the start."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import Queue

from tests.emulators.program import assert_stops_cleanly, started
from tests.emulators.tasks.door import LOCATION, QUEUE, QUICK, calling, post
from tests.emulators.waiting import LIMIT
from tests.emulators.worker import Worker


def emulator(port: int, state: Path) -> AbstractAsyncContextManager[Process]:
    """The program with its state in a folder."""
    return started("emulators.tasks", "--port", port, "--state", state)


@asynccontextmanager
async def reachable(port: int) -> AsyncIterator[CloudTasksAsyncClient]:
    """A client, once the program answers."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel, asyncio.timeout(LIMIT):
        await channel.channel_ready()
    async with calling(port) as client:
        yield client


async def test_queues_tasks_names_and_what_was_in_flight_survive_a_kill(
    unused_tcp_port: int, tmp_path: Path, worker: Worker
) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    async with emulator(unused_tcp_port, tmp_path) as first, reachable(unused_tcp_port) as client:
        await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE, retry_config=QUICK))
        deleted = await client.create_task(parent=QUEUE, task=post(worker.url, "deleted"))
        await worker.requests(1)
        await client.create_task(parent=QUEUE, task=post(worker.url, "waiting", at=later))
        worker.open.clear()
        await client.create_task(parent=QUEUE, task=post(f"{worker.url}/in-flight", "in-flight"))
        await worker.requests(2)

        first.kill()
        await first.wait()

    worker.open.set()
    async with emulator(unused_tcp_port, tmp_path), reachable(unused_tcp_port) as client:
        received = await worker.requests(3)
        assert received[2].path == "/in-flight"
        assert received[2].headers["X-CloudTasks-TaskRetryCount"] == "1"
        assert (await client.get_task(name=f"{QUEUE}/tasks/waiting")).schedule_time == later
        assert (await client.get_queue(name=QUEUE)).retry_config.min_backoff == QUICK.min_backoff
        with pytest.raises(AlreadyExists):
            await client.create_task(parent=QUEUE, task=post(worker.url, deleted.name.rpartition("/")[2]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_ends_it_cleanly_and_it_prints_nothing_but_logs(
    unused_tcp_port: int, tmp_path: Path, number: signal.Signals
) -> None:
    async with emulator(unused_tcp_port, tmp_path) as process, reachable(unused_tcp_port):
        await assert_stops_cleanly(process, number)


async def test_a_second_one_on_the_same_port_or_the_same_state_does_not_start(
    unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    port, other_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with emulator(port, tmp_path / "a"), reachable(port), asyncio.timeout(LIMIT):
        async with emulator(port, tmp_path / "b") as same_port:
            await same_port.communicate()
        async with emulator(other_port, tmp_path / "a") as same_state:
            _, logs = await same_state.communicate()

    assert same_port.returncode == 1
    assert same_state.returncode == 1
    assert b"database is locked" in logs
