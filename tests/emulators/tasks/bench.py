"""Measures the local Cloud Tasks: `python -m tests.emulators.tasks.bench`.

Creates and dispatches tasks through the real client against the program with its state on disk, and fills a queue
with scheduled ones. Client and worker share the machine with the emulator, as they do in a local run.
"""

import asyncio
import socket
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

import psutil
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import Queue

from tests.emulators.tasks.door import LOCATION, QUEUE, post
from tests.emulators.tasks.test_process import emulator, reachable
from tests.emulators.worker import Worker, working

DISPATCHED = 3000
SCHEDULED = 10_000
AT_ONCE = 16


async def create(client: CloudTasksAsyncClient, url: str, count: int, later: timedelta) -> float:
    """Creates tasks, some at a time; returns the seconds it took."""
    remaining = iter(range(count))

    async def some() -> None:
        for number in remaining:
            at = datetime.now(UTC) + later
            task = post(url, f"t-{later.seconds}-{number}", b'{"session": "ses_0123456789"}', at)
            await client.create_task(parent=QUEUE, task=task)

    begun = perf_counter()
    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return perf_counter() - begun


async def measure(client: CloudTasksAsyncClient, worker: Worker, process: psutil.Process) -> None:
    """Prints the figures."""
    begun = perf_counter()
    creating = await create(client, worker.url, DISPATCHED, timedelta(0))
    await worker.requests(DISPATCHED)
    whole = perf_counter() - begun
    print(f"created {DISPATCHED / creating:.0f}/s, created and dispatched {DISPATCHED / whole:.0f}/s")

    creating = await create(client, worker.url, SCHEDULED, timedelta(hours=1))
    before = process.cpu_times()
    await asyncio.sleep(3)
    after = process.cpu_times()
    idle = (after.user + after.system - before.user - before.system) / 3
    resident = process.memory_info().rss / 2**20
    print(f"scheduled {SCHEDULED} at {SCHEDULED / creating:.0f}/s; then {idle:.1%} of a core, {resident:.0f} MiB")


async def main() -> None:
    """Runs the whole."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    with tempfile.TemporaryDirectory() as state:
        async with emulator(port, Path(state)) as program, reachable(port) as client, working() as worker:
            await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE))
            await measure(client, worker, psutil.Process(program.pid))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
