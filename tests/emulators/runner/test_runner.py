"""`python -m emulators up`, as a program: what it says, what it keeps, and that nothing is left of it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx
import psutil
import pytest

from emulators.ports import HOST, Ports, variable
from emulators.processes import READY_PATH, answers
from infra.catalog import ROOT
from tests.emulators.runner.programs import assert_gone, descendants, until

PARTS = 10
"""Programs that a local cloud consists of; each has a guard."""

_BOOT = 240.0
"""Seconds that a whole local cloud may take on a busy machine."""


class Runner:
    """A running `python -m emulators up`, with ports and a state of its own."""

    def __init__(self, state: Path, environment: Mapping[str, str], *flags: str) -> None:
        self.ports = Ports.free()
        self.output = state.with_suffix(".out")
        chosen = {variable(name): str(port) for name, port in asdict(self.ports).items()}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emulators", "--state", str(state), *flags, "up"],
                cwd=ROOT,
                env={**os.environ, **chosen, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def said(self) -> str:
        """What it wrote so far."""
        return self.output.read_text()

    def wait_until_all_started(self) -> list[psutil.Process]:
        """Everything it runs, once each part was started; the parts need not answer yet."""
        until(lambda: self.process.poll() is not None or len(descendants(self.process.pid)) >= 2 * PARTS)
        assert self.process.poll() is None, self.said()
        return descendants(self.process.pid)

    def wait_until_ready(self) -> list[psutil.Process]:
        """Everything it runs, once the platform answers."""
        until(lambda: self.process.poll() is not None or "Stop it with Ctrl-C" in self.said(), _BOOT)
        assert self.process.poll() is None, self.said()
        return descendants(self.process.pid)

    def firestore(self, method: str, path: str, **fields: str) -> httpx.Response:
        """A request for a record."""
        base = f"{self.ports.url('firestore')}/v1/projects/alta-local/databases/(default)/documents/"
        body = {"fields": {name: {"stringValue": value} for name, value in fields.items()}} if fields else None
        return httpx.request(method, base + path, json=body, trust_env=False)


@contextmanager
def running(state: Path, *flags: str, **environment: str) -> Iterator[Runner]:
    """A runner; killed in the end if it still runs."""
    runner = Runner(state, environment, *flags)
    try:
        yield runner
    finally:
        runner.process.kill()
        runner.process.wait()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_told_to_stop_while_it_starts_it_leaves_nothing(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with running(tmp_path / "state") as runner:
        started = runner.wait_until_all_started()

        runner.process.send_signal(number)

        assert runner.process.wait(60) == code
        assert_gone(started)
        assert "Traceback" not in runner.said()


def test_killed_it_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "state") as runner:
        started = runner.wait_until_all_started()

        runner.process.kill()

        assert_gone(started)


def test_it_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    with running(tmp_path / "state") as outer:
        pass  # ports and an environment are all that is wanted of this one
    chosen = {variable(name): str(port) for name, port in asdict(outer.ports).items()}
    command = [sys.executable, "-m", "emulators", "--state", str(tmp_path / "state"), "--with-parent", "up"]
    parent = subprocess.Popen(
        ["sh", "-c", '"$@"; exit 1', "sh", *command],
        cwd=ROOT,
        env={**os.environ, **chosen},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(descendants(parent.pid)) >= 1 + 2 * PARTS)
    started = descendants(parent.pid)

    parent.kill()
    parent.wait()

    assert_gone(started)


def test_a_part_that_fails_takes_all_others_down_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "firestore.jar").write_bytes(b"not a jar")

    with running(tmp_path / "state", FIRESTORE_EMULATOR_JAR=str(tmp_path / "firestore.jar")) as runner:
        started = runner.wait_until_all_started()

        assert runner.process.wait(60) == 2
        assert_gone(started)
        assert "firestore ended while it started" in runner.said()
        assert "Could not find or load main class" in runner.said()
        assert "Traceback" not in runner.said()


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with running(tmp_path / "state", FIRESTORE_PORT=str(port)) as runner:
            assert runner.process.wait(60) == 2

    assert re.search(rf"port {port}, wanted for Firestore.*FIRESTORE_PORT=", runner.said().replace("\n", " "))
    assert "Traceback" not in runner.said()


def test_the_folder_of_a_demo_may_begin_with_a_tilde_that_the_shell_left(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emulators", "--state", "~/state", "demo", "~/scans"]
    told = {**os.environ, "HOME": str(tmp_path)}

    demo = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False, timeout=60)

    assert (demo.returncode, f"There is no folder {tmp_path}/scans." in demo.stdout) == (2, True)


def test_without_node_it_says_so_and_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    with running(tmp_path / "state", PATH=str(tmp_path / "bin")) as runner:
        assert runner.process.wait(60) == 2

    assert runner.said().startswith("Node is missing")


def test_what_was_stored_is_there_after_a_clean_stop_and_gone_when_fresh(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with running(state) as runner:
        started = runner.wait_until_ready()
        assert runner.firestore("PATCH", "notes/one", text="kept").is_success
        runner.process.send_signal(signal.SIGINT)
        assert runner.process.wait(60) == 0
        assert_gone(started)

    with running(state) as runner:
        runner.wait_until_ready()
        assert runner.firestore("GET", "notes/one").json()["fields"]["text"]["stringValue"] == "kept"
        assert _sign_in(runner) == 200
        with running(state) as second:
            assert second.process.wait(60) == 2
            assert "runs already" in second.said()
        runner.process.send_signal(signal.SIGTERM)
        assert runner.process.wait(60) == 143

    with running(state, "--fresh") as runner:
        runner.wait_until_ready()
        assert runner.firestore("GET", "notes/one").status_code == 404
        assert _sign_in(runner) == 200


def test_parts_that_die_come_back_with_what_they_need(tmp_path: Path) -> None:
    with running(tmp_path / "state") as runner:
        runner.wait_until_ready()

        meant = {"emulators.gateway", f"--port={runner.ports.pubsub}"}  # the storage names Pub/Sub's port otherwise
        commands = [(one, one.cmdline()) for one in descendants(runner.process.pid)]
        for one, command in commands:
            if meant.intersection(command) and "guard.py" not in " ".join(command):
                one.kill()

        until(lambda: runner.said().count("is started again") == 2)
        until(answers(runner.ports.internal, READY_PATH))
        subscriptions = f"{runner.ports.url('pubsub')}/v1/projects/alta-local/subscriptions"
        until(lambda: answers(runner.ports.pubsub)() and "ocr" in httpx.get(subscriptions, trust_env=False).text)


def _sign_in(runner: Runner) -> int:
    who = {"username": "admin", "password": "admin123"}
    url = f"{runner.ports.url('gateway')}/api/auth/login"
    return httpx.post(url, json=who, timeout=30, trust_env=False).status_code
