"""What all tests share: one local cloud for each process that runs them.

Of each its own, since Firestore's emulator passes over a whole collection for every query: half the records are half
the work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import grpc
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.ports import Ports
from emulators.state import PROJECT, REGION, State
from shared.settings import settings
from shared.store import connection
from tests.firestore.judging import QUERIES, RecordedCloud, pytest_sessionfinish, pytest_terminal_summary
from tests.firestore.recording import watched

__all__ = ["pytest_sessionfinish", "pytest_terminal_summary"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts last what makes others slow; of that the many short tests of access at the very end."""
    others = [item for item in items if not item.get_closest_marker("crowd")]
    crowds = [item for item in items if item.get_closest_marker("crowd")]
    items[:] = others + sorted(crowds, key=lambda item: item.location[0], reverse=True)


@dataclass(frozen=True)
class Cloud:
    """The local cloud of this test run: its ports, what its functions are told, and where its logs are."""

    ports: Ports
    environment: Mapping[str, str]
    state: State

    def watched(self, module: str) -> tuple[str, ...]:
        """What Python is told to run a module whose queries are held to the indexes, as those of the functions are."""
        return ("-m", "tests.firestore.recording", str(self.state.folder.parent / QUERIES), module)

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
    state, queries = State(base / "cloud"), base / QUERIES
    with RecordedCloud(Ports.free(), state, queries) as started, pytest.MonkeyPatch.context() as patch:
        _pause(started.ports, "rollups")
        for name, value in started.environment.items():
            patch.setenv(name, value)
        for name, call in watched(queries).items():
            patch.setattr(connection, name, call)
        settings.cache_clear()
        yield Cloud(started.ports, started.environment, state)
    settings.cache_clear()


def _pause(ports: Ports, queue: str) -> None:
    """Holds the tasks of a queue back; a test that wants what it does asks its function.

    Roll-ups: the emulator passes over a whole collection for each aggregation, and a run of all tests leaves hundreds
    of projects that would be counted every minute.
    """
    with grpc.insecure_channel(ports.address("tasks")) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        client.pause_queue(name=client.queue_path(PROJECT, REGION, queue))
