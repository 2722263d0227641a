"""What all tests share: one local cloud for the whole run, however many workers run it."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import grpc
import psutil
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.ports import Ports
from emulators.state import PROJECT, REGION, State, environment
from shared.settings import settings
from tests.firestore.judging import QUERIES, RecordedCloud, pytest_sessionfinish, pytest_terminal_summary

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]


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
                started = mine.enter_context(RecordedCloud(Ports.free(), State(base / "cloud"), base / QUERIES))
                _pause(started.ports, "rollups")
                told = {"ports": asdict(started.ports), "firestore": started.firestore, "owner": os.getpid()}
                described.write_text(json.dumps(told))
        told = json.loads(described.read_text())
        ports, state = Ports(**told["ports"]), State(base / "cloud")
        yield Cloud(ports, {**environment(ports, state), "FIRESTORE_EMULATOR_HOST": told["firestore"]}, state)
        if json.loads(described.read_text())["owner"] == os.getpid():
            with _alone(base):
                fcntl.flock(users, fcntl.LOCK_EX)
                described.unlink()
                mine.close()


def _pause(ports: Ports, queue: str) -> None:
    """Holds the tasks of a queue back; a test that wants what it does asks its function.

    Roll-ups: the emulator passes over a whole collection for each aggregation, and a run of all tests leaves hundreds
    of projects that would be counted every minute.
    """
    with grpc.insecure_channel(ports.address("tasks")) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        client.pause_queue(name=client.queue_path(PROJECT, REGION, queue))


@contextmanager
def _alone(base: Path) -> Iterator[None]:
    """Nobody joins, starts or stops meanwhile."""
    with (base / "cloud.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_alive(described: Path) -> bool:
    return described.exists() and psutil.pid_exists(json.loads(described.read_text())["owner"])
