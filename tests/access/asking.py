"""Requests that are in order, made of a route and of the things that it names."""

from dataclasses import dataclass
from typing import Any

import httpx

from tests.access.routes import EXPECTED
from tests.access.world import Target


@dataclass(frozen=True)
class Request:
    """A request, ready to be sent by anybody."""

    method: str
    path: str
    query: dict[str, Any] | None
    body: Any

    async def send(self, http: httpx.AsyncClient) -> httpx.Response:
        """Sends it as somebody."""
        return await http.request(self.method, self.path, params=self.query, json=self.body)

    def names(self, target: Target) -> bool:
        """Whether there is an id of these things in it."""
        return any(one in f"{self.path} {self.query} {self.body}" for one in target.records())


def request(route: str, target: Target, inside: Target | None = None) -> Request:
    """The request to a route for these things; `inside`: for others in its query and body."""
    expected, inside = EXPECTED[route], inside or target
    method, path = route.split(" ")
    ids = {**target.ids(), "asset_id": getattr(target, expected.asset).id}
    query = expected.query(inside) if expected.query else None
    return Request(method, path.format(**ids), query, expected.body(inside) if expected.body else None)
