"""The mail sink as a program."""

import signal
from collections.abc import Callable

import pytest

from tests.emulators.program import assert_stops_cleanly, ready, started


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_ends_it_cleanly_and_it_prints_nothing_but_logs(
    unused_tcp_port_factory: Callable[[], int], number: signal.Signals
) -> None:
    smtp, http = unused_tcp_port_factory(), unused_tcp_port_factory()

    async with started("emulators.mail", "--smtp-port", smtp, "--http-port", http) as process:
        await ready(http)
        await assert_stops_cleanly(process, number)
