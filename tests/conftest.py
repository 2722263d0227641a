"""What all tests share: one local cloud for the whole run, however many workers run it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import pytest

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State, environment
from shared.settings import settings


@dataclass(frozen=True)
class Cloud:
    """The local cloud of this test run: its ports, what its functions are told, and where its logs are."""

    ports: Ports
    environment: Mapping[str, str]
    state: State

    @property
    def url(self) -> str:
        """Where the platform's API is."""
        return self.ports.url("gateway")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The local cloud, started by the first test that asks, stopped after the last; on free ports, with nothing in it.

    The environment of this process becomes that of a function, so that `shared` can be used as functions use it.
    """
    base = tmp_path_factory.getbasetemp()
    shared_base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with _shared(shared_base) as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.environment.items():
            patch.setenv(name, value)
        settings.cache_clear()
        yield found
    settings.cache_clear()


@contextmanager
def _shared(base: Path) -> Iterator[Cloud]:
    """Joins the cloud of this run, or starts it. Who started it stops it, when all others have left."""
    described = base / "cloud.json"
    with ExitStack() as mine, (base / "cloud.users").open("w") as users:
        with _alone(base):
            fcntl.flock(users, fcntl.LOCK_SH)
            if not _is_alive(described):
                started = mine.enter_context(LocalCloud(Ports.free(), State(base / "cloud"), fresh=True))
                described.write_text(json.dumps({"ports": asdict(started.ports), "owner": os.getpid()}))
        ports, state = Ports(**json.loads(described.read_text())["ports"]), State(base / "cloud")
        yield Cloud(ports, environment(ports, state), state)
        if json.loads(described.read_text())["owner"] == os.getpid():
            with _alone(base):
                fcntl.flock(users, fcntl.LOCK_EX)
                described.unlink()
                mine.close()


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """Nobody joins, starts or stops meanwhile."""
    with (base / "cloud.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_alive(described: Path) -> bool:
    return described.exists() and psutil.pid_exists(json.loads(described.read_text())["owner"])
