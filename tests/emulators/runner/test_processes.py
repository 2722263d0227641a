"""A part of the local cloud never outlives the runner, and is started again when it dies."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import psutil
import pytest

from emulators.errors import CannotStartError
from emulators.ports import HOST, free_ports
from emulators.processes import Part, Process, accepts
from tests.emulators.runner.programs import assert_gone, descendants, runner_of, server, until


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def restarts() -> SimpleQueue[str]:
    """The names of parts that were started again and answer."""
    return SimpleQueue()


@pytest.fixture
def process(port: int, tmp_path: Path, restarts: SimpleQueue[str]) -> Iterator[Process]:
    """A server with a child, not started yet."""
    made = Process(server(port, "--child"), tmp_path / "server.log", restarts.put, restarts.put)
    yield made
    made.stop()


def pids(port: int) -> list[psutil.Process]:
    """The guard of the server on this port, the server, and its child."""
    guards = [one for one in psutil.Process().children() if str(port) in one.cmdline()]
    return [*guards, *(child for one in guards for child in one.children(recursive=True))]


def test_stopping_a_part_ends_it_and_what_it_started(process: Process, port: int) -> None:
    process.start()
    process.wait_until_ready()
    running = pids(port)
    assert len(running) == 3

    process.stop()

    assert_gone(running)


def test_a_part_dies_with_a_runner_that_is_killed(port: int, tmp_path: Path) -> None:
    with subprocess.Popen(runner_of(port, tmp_path / "log"), stdout=subprocess.PIPE, text=True) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline() == "ready\n"
        running = descendants(runner.pid)
        assert len(running) == 3

        runner.kill()

        assert_gone(running)


def test_a_part_that_ends_is_started_again(process: Process, port: int, restarts: SimpleQueue[str]) -> None:
    process.start()
    process.wait_until_ready()
    guard, program, _ = pids(port)

    program.kill()

    assert "started again" in restarts.get(timeout=30)
    assert restarts.get(timeout=30) == "server"
    assert accepts(port)()
    assert_gone([guard, program])


def test_a_part_whose_guard_is_killed_is_started_again_and_leaves_nothing(process: Process, port: int) -> None:
    process.start()
    process.wait_until_ready()
    before = pids(port)

    before[0].kill()

    assert_gone(before)
    until(accepts(port))


def test_restarting_waits_until_the_part_answers_again(process: Process, port: int) -> None:
    process.start()
    process.wait_until_ready()
    before = pids(port)

    process.restart()

    assert_gone(before)
    assert accepts(port)()


def test_a_part_that_ends_while_it_starts_is_reported_with_the_end_of_its_log(tmp_path: Path, port: int) -> None:
    broken = Part("broken", (sys.executable, "-c", "raise SystemExit('no disk')"), accepts(port))
    process = Process(broken, tmp_path / "broken.log", print, print)
    process.start()

    with pytest.raises(CannotStartError, match=r"broken ended while it started.*\n.*no disk"):
        process.wait_until_ready()
    process.stop()


def test_a_part_that_was_stopped_before_its_start_does_not_start(process: Process, port: int) -> None:
    process.stop()
    process.start()

    assert pids(port) == []
    with pytest.raises(CannotStartError, match="was stopped"):
        process.wait_until_ready()


def test_a_program_is_asked_before_it_is_killed(tmp_path: Path, port: int) -> None:
    polite = (
        "import signal, socket, sys\n"
        f"listener = socket.create_server(('{HOST}', {port}))\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('saved', flush=True), sys.exit(0)))\n"
        "while True:\n"
        "    listener.accept()[0].close()\n"
    )
    process = Process(Part("polite", (sys.executable, "-c", polite), accepts(port)), tmp_path / "log", print, print)
    process.start()
    process.wait_until_ready()

    process.stop()

    assert (tmp_path / "log").read_text() == "saved\n"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
