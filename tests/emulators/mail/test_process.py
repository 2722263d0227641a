"""The mail sink as a program."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable

import httpx
import pytest

from tests.emulators.waiting import LIMIT, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_runs_until_it_is_told_to_stop_and_prints_nothing_but_logs(
    unused_tcp_port_factory: Callable[[], int], number: signal.Signals
) -> None:
    smtp, http = unused_tcp_port_factory(), unused_tcp_port_factory()
    arguments = ("-m", "emulators.mail", "--smtp-port", str(smtp), "--http-port", str(http))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE, stderr=PIPE)

    async def ready() -> bool:
        try:
            return (await client.get(f"http://127.0.0.1:{http}/_alta/ready")).status_code == 200
        except httpx.ConnectError:
            return False

    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            await until(ready)
            process.send_signal(number)
            async with asyncio.timeout(LIMIT):
                output, logs = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

    assert process.returncode == 0
    assert output == b""
    assert b"Traceback" not in logs
