"""Short ways to what most tests of lists and records do."""

from typing import Any

import httpx


async def made(http: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    """What a POST made."""
    answer = await http.post(path, json=body)
    assert answer.status_code == 201, answer.text
    record: dict[str, Any] = answer.json()
    return record


async def walked(http: httpx.AsyncClient, path: str, **asked: str) -> list[dict[str, Any]]:
    """Everything that a list shows, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        answer = await http.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page["items"]
        if page["next_page_token"] is None:
            return found
        asked = {**asked, "page_token": page["next_page_token"]}


async def ids(http: httpx.AsyncClient, path: str, **asked: str) -> list[str]:
    """The ids of everything that a list shows."""
    return [one["id"] for one in await walked(http, path, **asked)]
