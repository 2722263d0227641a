"""Local clouds, seen from inside."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from emulators.cloud import LocalCloud
from emulators.ports import Ports
from emulators.state import State
from tests.conftest import Cloud
from tests.functions.schedules.looking import Inside
from tests.own_cloud import admin, running


@pytest.fixture
async def inside(cloud: Cloud) -> AsyncIterator[Inside]:
    """The parts of the run's local cloud."""
    found = Inside(cloud.ports)
    yield found
    await found.close()


@dataclass(frozen=True)
class Alone:
    """A local cloud of one's own, its parts, and a client that is signed in as the admin of its company."""

    cloud: LocalCloud
    inside: Inside
    http: httpx.AsyncClient


@pytest.fixture(scope="session")
async def own_cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalCloud]:
    """A local cloud in which things may be killed and messages dropped, without a harm to other tests."""
    started = LocalCloud(Ports.free(), State(tmp_path_factory.mktemp("alone")))
    async with running(started):
        yield started


@pytest.fixture
async def alone(own_cloud: LocalCloud) -> AsyncIterator[Alone]:
    """The local cloud of these tests."""
    inside = Inside(own_cloud.ports)
    await inside.pause("reconcile")  # whose rounds are counted
    async with admin(own_cloud) as http:
        yield Alone(own_cloud, inside, http)
    await inside.close()
