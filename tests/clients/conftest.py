"""What every test of the uploader has: a platform, a signed-in client, folders of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from clients.uploader import Client, Journal, Order
from clients.uploader.retry import Backoff
from tests.clients.platform import Platform

QUICK = Backoff(initial=0.01, maximum=0.05, deadline=5.0)
"""The patience of the tests."""


@pytest.fixture
def platform() -> Iterator[Platform]:
    platform = Platform()
    platform.start()
    yield platform
    platform.stop()
    assert platform.crashes == []


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[Client]:
    async with Client(platform.url, "refresh-0", backoff=QUICK) as client:
        yield client


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "state")
    yield journal
    journal.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "letters"
    folder.mkdir()
    return folder


@pytest.fixture
def order(folder: Path) -> Order:
    return Order([folder], "Archive", create_project=True)


def codes(failures: object) -> dict[str, str]:
    assert isinstance(failures, list)
    return {failure["path"]: failure["code"] for failure in failures}
