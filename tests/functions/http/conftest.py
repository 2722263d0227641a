"""Clients of the platform, for tests of its doors."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from shared.models.identity import Company, Role
from shared.models.records import new_id
from tests import loopback
from tests.conftest import Cloud
from tests.people import Person, found_company, join


@pytest.fixture
async def http(cloud: Cloud) -> AsyncIterator[httpx.AsyncClient]:
    """A client that has not signed in."""
    async with loopback.client(cloud.url) as client:
        yield client


@dataclass(frozen=True)
class Staff:
    """A company with an admin and a user, and somebody of another company."""

    company: Company
    admin: Person
    user: Person
    stranger: Person


@pytest.fixture
async def staff(cloud: Cloud) -> AsyncIterator[Staff]:
    """Two new companies and their people, signed in."""
    company = await found_company("Ours")
    people = [await join(cloud, company, role) for role in (Role.ADMIN, Role.USER)]
    stranger = await join(cloud, await found_company("Theirs"), Role.ADMIN)
    yield Staff(company, people[0], people[1], stranger)
    for person in (*people, stranger):
        await person.http.aclose()


@pytest.fixture
async def super_admin(cloud: Cloud) -> AsyncIterator[Person]:
    """A super admin, signed in."""
    person = await join(cloud, None, Role.SUPER_ADMIN)
    yield person
    await person.http.aclose()


@pytest.fixture
def address() -> str:
    """An e-mail address that nobody has."""
    return f"{new_id('new')}@example.org"
