"""A run that is cut, by the user, the system or the network, goes on where it stopped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.uploader import Client, Journal, Order, upload
from clients.uploader.auth import Login, LoginFile
from clients.uploader.retry import Backoff
from tests.clients.platform import Platform
from tests.clients.waiting import until

ROOT = Path(__file__).parents[2]
LARGE = 20 << 20
"""Bytes: two whole chunks and a rest."""


class Alta:
    """Starts the command line as a process of its own."""

    def __init__(self, tmp_path: Path) -> None:
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ALTA_CONFIG_DIR": str(tmp_path / "config"),
            "ALTA_STATE_DIR": str(tmp_path / "state"),
        }
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        program = "import sys; from clients.uploader.main import app; app(sys.argv[1:])"
        command = [sys.executable, "-W", "error", "-c", program, *arguments]
        process = subprocess.Popen(
            command, env=self._environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._running.append(process)
        return process

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.communicate()


@pytest.fixture
def alta(platform: Platform, tmp_path: Path) -> Iterator[Alta]:
    LoginFile(tmp_path / "config").save(Login(platform.url, "ada", "refresh-0"))
    alta = Alta(tmp_path)
    yield alta
    alta.stop()


@pytest.fixture
def arguments(folder: Path) -> list[str]:
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(str(number))
    (folder / "large.bin").write_bytes(os.urandom(LARGE))
    return ["upload", str(folder), "--project", "Archive", "--create-project"]


@pytest.mark.parametrize(("cut", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9), (signal.SIGTERM, -15)])
def test_a_run_that_is_ended_in_the_middle_goes_on_in_its_session_and_its_chunk(
    platform: Platform, alta: Alta, arguments: list[str], folder: Path, cut: signal.Signals, code: int
) -> None:
    # Given a run that is ended while the large file is on its way
    first = alta.start(*arguments)
    until(lambda: platform.storage.uploads or first.poll() is not None)
    until(lambda: platform.storage.bytes_received > 10 << 20 or first.poll() is not None)
    platform.gate.clear()
    first.send_signal(cut)
    _, told = first.communicate(timeout=30)
    assert first.returncode == code, told
    assert ("Run the same command again to go on" in told) == (cut is signal.SIGINT)
    assert "Traceback" not in told
    # When
    platform.gate.set()
    second = alta.start(*arguments)
    _, told = second.communicate(timeout=60)
    # Then
    assert second.returncode == 0, told
    assert "goes on where it stopped" in told
    assert "large.bin: goes on after" in told
    assert len(platform.sessions) == len(platform.storage.uploads) == 1
    assert platform.content("large.bin") == (folder / "large.bin").read_bytes()
    assert len(platform.paths) == 41


def test_ctrl_c_while_the_platform_is_processing_leaves_nothing_undone(
    platform: Platform, alta: Alta, folder: Path
) -> None:
    platform.processing = False
    (folder / "letter.png").write_text("x")
    arguments = ["upload", str(folder), "--project", "Archive", "--create-project"]
    first = alta.start(*arguments)
    until(lambda: any("uploads/status" in call for call in platform.requests) or first.poll() is not None)
    first.send_signal(signal.SIGINT)
    _, told = first.communicate(timeout=30)
    assert first.returncode == 130, told
    platform.processing = True
    second = alta.start(*arguments)
    shown, told = second.communicate(timeout=30)
    assert (second.returncode, "Nothing new" in told, "processed" in shown) == (0, True, True)


async def test_a_platform_and_storage_that_restart_in_the_middle_lose_nothing(
    platform: Platform, journal: Journal, folder: Path
) -> None:
    content = os.urandom(LARGE)
    (folder / "large.bin").write_bytes(content)
    order = Order([folder], "Archive", create_project=True)
    async with Client(platform.url, "refresh-0", backoff=Backoff(0.05, 2.0, 0.2, deadline=20)) as client:
        run = asyncio.create_task(upload(client, order, journal=journal))
        await asyncio.to_thread(until, lambda: platform.storage.bytes_received > 9 << 20)
        platform.gate.clear()
        await asyncio.to_thread(platform.stop)
        platform.gate.set()
        await asyncio.to_thread(platform.start, platform.port)
        result = await run
    assert result.outcome.failures == []
    assert platform.content("large.bin") == content
    assert len(platform.storage.uploads) == 1
