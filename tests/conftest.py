"""What all tests share: one local cloud for each process that runs them.

Of each its own, since Firestore's emulator passes over a whole collection for every query: half the records are half
the work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from emulators.ports import Ports
from emulators.state import State
from shared.settings import settings
from shared.store import connection
from tests.firestore.judging import QUERIES, RecordedCloud, pytest_sessionfinish, pytest_terminal_summary
from tests.firestore.recording import watched
from tests.queues import pause

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
    Roll-ups wait, and a test that wants what they do asks their function: the emulator passes over a whole collection
    for each aggregation, and a run of all tests leaves hundreds of projects that would be counted every minute.
    """
    base = tmp_path_factory.getbasetemp()
    state, queries = State(base / "cloud"), base / QUERIES
    with RecordedCloud(Ports.free(), state, queries) as started, pytest.MonkeyPatch.context() as patch:
        pause(started.ports, "rollups")
        for name, value in started.environment.items():
            patch.setenv(name, value)
        for name, call in watched(queries).items():
            patch.setattr(connection, name, call)
        settings.cache_clear()
        yield Cloud(started.ports, started.environment, state)
    settings.cache_clear()
