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
IDLE = 5
"""Seconds for which a full queue is watched doing nothing."""


def processor(process: psutil.Process) -> float:
    """Seconds of processor time that a process has used."""
    times = process.cpu_times()
    return times.user + times.system


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
    begun, used = perf_counter(), processor(process)
    await create(client, worker.url, DISPATCHED, timedelta(0))
    await worker.requests(DISPATCHED)
    rate = DISPATCHED / (perf_counter() - begun)
    each = (processor(process) - used) / DISPATCHED * 1000
    print(f"created and dispatched {rate:.0f}/s, {each:.1f} ms of processor time each")

    creating = await create(client, worker.url, SCHEDULED, timedelta(hours=1))
    used = processor(process)
    await asyncio.sleep(IDLE)
    idle = (processor(process) - used) / IDLE
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
