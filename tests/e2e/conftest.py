"""Somebody of a company of their own, for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.conftest import Cloud
from tests.people import found_company, join


@pytest.fixture
async def http(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """A client signed in as the admin of a new company."""
    person = await join(cloud, await found_company())
    yield person.http
    await person.http.aclose()
