"""A local Cloud Storage in a process of its own, a service account that signs, and a bucket for each test."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from google.cloud.storage import Bucket

from tests import loopback
from tests.emulators.storage.server import Account, Server


@pytest.fixture(scope="session")
def account() -> Account:
    """The service account whose signatures the servers accept."""
    return Account.create("signer@alta-local.iam.gserviceaccount.com")


@pytest.fixture(scope="session")
def server(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that do not stop it."""
    with Server(tmp_path_factory.mktemp("storage"), account) as started:
        yield started


@pytest.fixture
def own_server(account: Account, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, to be killed, restarted or disturbed."""
    with Server(tmp_path, account) as started:
        yield started


@pytest.fixture
def bucket(server: Server) -> Bucket:
    """A new bucket on the shared server."""
    return server.client.create_bucket(f"bucket-{uuid4().hex[:12]}")


@pytest.fixture
def own_bucket(own_server: Server) -> Bucket:
    """A new bucket on the test's own server."""
    return own_server.client.create_bucket(f"bucket-{uuid4().hex[:12]}")


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """What holders of signed URLs use."""
    with loopback.blocking() as client:
        yield client
