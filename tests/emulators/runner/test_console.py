"""The web console is served beside the API, as a web host would."""

from collections.abc import AsyncIterator

import httpx
import pytest

from emulators.gateway import build


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway without functions."""
    transport = httpx.ASGITransport(build({}, internal_port=1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:2") as client:
        yield client


async def test_the_address_without_its_slash_leads_to_the_page(http: httpx.AsyncClient) -> None:
    answer = await http.get("/console", follow_redirects=True)

    assert answer.url.path == "/console/"
    assert "<title>Alta</title>" in answer.text


async def test_modules_are_javascript_and_asked_for_again_when_they_changed(http: httpx.AsyncClient) -> None:
    answer = await http.get("/console/main.js")

    assert answer.headers["content-type"].startswith(("text/javascript", "application/javascript"))
    assert answer.headers["cache-control"] == "no-cache"
    again = await http.get("/console/main.js", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_no_other_page_may_put_it_into_a_frame(http: httpx.AsyncClient) -> None:
    assert (await http.get("/console/")).headers["content-security-policy"] == "frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/console/README.md", "/console/../README.md", "/console/package.json"])
async def test_nothing_but_the_site_is_served(http: httpx.AsyncClient, path: str) -> None:
    assert (await http.get(path)).status_code == 404
