"""What the parts get from the shell: all but the settings of a deployment, and a proxy on the way to this machine."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from emulators import provision
from emulators.ports import Ports
from emulators.processes import guarded
from emulators.shell import inherited
from emulators.state import State, environment
from emulators.tasks.server import Options, running
from infra.catalog import functions

NOBODY = "http://127.0.0.1:9"
"""A proxy that does not answer."""


def told(log: Path, **own: str) -> dict[str, str]:
    """The environment of a program that is told these variables."""
    program = "import json, os; print(json.dumps(dict(os.environ)))"
    assert guarded((sys.executable, "-c", program), log, own, None).wait() == 0
    found: dict[str, str] = json.loads(log.read_text())
    return found


def test_settings_of_a_deployment_do_not_reach_the_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a shell in which an operator worked, as docs/runbook.md tells
    for name, value in (
        ("SMTP_HOST", "smtp.example.com"),
        ("SMTP_PORT", "587"),
        ("SMTP_USER", "alta"),
        ("mail_from", "Alta <alta@example.com>"),
        ("PRICES", "{}"),
        ("REGION", "us-east1"),
        ("OF_THE_SHELL", "kept"),
    ):
        monkeypatch.setenv(name, value)
    # When
    state = State(tmp_path / "state")
    with state.held():
        seen = told(tmp_path / "log", **environment(Ports(), state))
    # Then
    assert seen["OF_THE_SHELL"] == "kept"
    assert (seen["SMTP_HOST"], seen["SMTP_PORT"], seen["REGION"]) == ("127.0.0.1", "1025", "europe-west1")
    assert seen.keys().isdisjoint({"SMTP_USER", "mail_from", "PRICES"})


@pytest.mark.parametrize(
    ("shell", "joined"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": ".example.com"}, ".example.com,127.0.0.1,localhost"),
        ({"NO_PROXY": "not.asked", "no_proxy": "one,two"}, "one,two,127.0.0.1,localhost"),
    ],
)
def test_no_proxy_is_on_the_way_to_this_machine(shell: dict[str, str], joined: str) -> None:
    seen = inherited({**shell, "HTTPS_PROXY": NOBODY})

    assert seen == {"HTTPS_PROXY": NOBODY, "no_proxy": joined, "NO_PROXY": joined}


async def test_queues_are_made_without_asking_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", NOBODY)

    async with running(Options(port=0, control_port=0)) as emulator, asyncio.timeout(20):
        await asyncio.to_thread(provision.queues, functions(), Ports(tasks=emulator.grpc))
