"""The emulator as a program: what survives a kill, how it stops, and what it refuses at the start."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import Queue

from tests.emulators.tasks.door import LOCATION, QUEUE, QUICK, calling, post
from tests.emulators.waiting import LIMIT
from tests.emulators.worker import Worker

Start = Callable[[], Coroutine[None, None, Process]]


@asynccontextmanager
async def started(port: int, state: Path) -> AsyncIterator[Process]:
    """The program, killed at the end if the test has not stopped it."""
    arguments = ("-m", "emulators.tasks", "--port", str(port), "--state", str(state))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


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
    async with started(unused_tcp_port, tmp_path) as first, reachable(unused_tcp_port) as client:
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
    async with started(unused_tcp_port, tmp_path), reachable(unused_tcp_port) as client:
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
    async with started(unused_tcp_port, tmp_path) as process, reachable(unused_tcp_port):
        process.send_signal(number)
        async with asyncio.timeout(LIMIT):
            output, logs = await process.communicate()

    assert process.returncode == 0
    assert output == b""
    assert b"Traceback" not in logs


async def test_a_second_one_on_the_same_port_or_the_same_state_does_not_start(
    unused_tcp_port_factory: Callable[[], int], tmp_path: Path
) -> None:
    port, other_port = unused_tcp_port_factory(), unused_tcp_port_factory()
    async with started(port, tmp_path / "a"), reachable(port), asyncio.timeout(LIMIT):
        async with started(port, tmp_path / "b") as same_port:
            await same_port.communicate()
        async with started(other_port, tmp_path / "a") as same_state:
            _, logs = await same_state.communicate()

    assert same_port.returncode == 1
    assert same_state.returncode == 1
    assert b"database is locked" in logs
