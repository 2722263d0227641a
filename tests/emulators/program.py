"""An emulator as a program: started as the runner starts it, and never left behind."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests import loopback
from tests.emulators.waiting import LIMIT, until


@asynccontextmanager
async def started(module: str, *arguments: object) -> AsyncIterator[Process]:
    """`python -m module arguments`; killed at the end if it still runs."""
    command = ("-m", module, *map(str, arguments))
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ready(port: int) -> None:
    """Returns once the program answers that it is ready."""
    async with loopback.client() as client:

        async def answers() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/_alta/ready")).status_code == 200
            except httpx.ConnectError:
                return False

        await until(answers)


async def assert_stops_cleanly(process: Process, number: signal.Signals) -> None:
    """Sends the signal: the program must end with status 0, having printed nothing but logs, and no traceback."""
    process.send_signal(number)
    async with asyncio.timeout(LIMIT):
        output, logs = await process.communicate()
    assert process.returncode == 0
    assert output == b""
    assert b"Traceback" not in logs
