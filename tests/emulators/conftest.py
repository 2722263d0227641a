"""What the tests of several emulators need."""

from collections.abc import AsyncIterator

import pytest

from tests.emulators.worker import Worker, working


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    """Receives what is sent by an emulator."""
    async with working() as worker:
        yield worker
