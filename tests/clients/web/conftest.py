"""A browser with the console, people who use it, and what they send."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from shared.models.identity import Company
from tests.browser import chromium
from tests.clients.web.console import Console
from tests.clients.web.weather import SIZE, Weather
from tests.conftest import Cloud
from tests.people import Person, found_company, join

Opened = Callable[[], Console]


LOGS = {"goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}


@pytest.fixture
def opened(cloud: Cloud, tmp_path: Path) -> Iterator[Opened]:
    """Opens browsers that know nothing of each other; none may complain of the page."""
    found: list[Console] = []
    with ExitStack() as browsers:

        def opens() -> Console:
            driver = chromium(tmp_path / f"browser-{len(found)}", "--window-size=1280,900", **LOGS)
            browsers.callback(driver.quit)
            # By its name: passkeys are for domains, and an address of numbers is none.
            console = Console(driver, f"http://localhost:{cloud.ports.gateway}", cloud.ports.url("storage"))
            found.append(console)
            return console

        yield opens
        assert [complaint for console in found for complaint in console.complaints()] == []


@pytest.fixture
def console(opened: Opened) -> Console:
    """The console in a fresh browser."""
    return opened()


@pytest.fixture
async def company(cloud: Cloud) -> Company:
    """A new company."""
    return await found_company()


@pytest.fixture
async def person(cloud: Cloud, company: Company) -> AsyncIterator[Person]:
    """The admin of the company, who has a project called Archive."""
    person = await join(cloud, company)
    (await person.http.post("/api/projects", json={"name": "Archive"})).raise_for_status()
    yield person
    await person.http.aclose()


@pytest.fixture
def weather(cloud: Cloud, company: Company) -> Iterator[Weather]:
    """The storage, as it is to the company."""
    found = Weather(cloud.ports.url("storage"), company)
    yield found
    found.close()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A folder with one large file."""
    folder = tmp_path / "large"
    folder.mkdir()
    (folder / "large.bin").write_bytes(os.urandom(SIZE))
    return folder
