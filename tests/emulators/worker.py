"""A worker for the tests: an HTTP server that notes what it receives and answers as told."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from emulators.serving import serving
from tests.emulators.waiting import LIMIT


@dataclass(frozen=True)
class Received:
    """One request; `at` is in seconds since the epoch, `peer` the port it came from."""

    method: str
    path: str
    headers: Headers
    body: bytes
    at: float
    peer: int


@dataclass
class Worker:
    """Answers with `answers` in turn, then with 200. Holds every answer back while `open` is cleared."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answers: deque[Response] = field(default_factory=deque)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    peak: int = 0
    _busy: int = 0
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def fail(self, *statuses: int) -> None:
        """Answers the next requests with these statuses."""
        self.answers.extend(Response(status_code=status) for status in statuses)

    async def requests(self, count: int) -> list[Received]:
        """The requests so far, once there are that many."""
        async with asyncio.timeout(LIMIT), self._changed:
            await self._changed.wait_for(lambda: len(self.received) >= count)
        return self.received

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        request = Request(scope, receive)
        body = await request.body()
        self._busy += 1
        self.peak = max(self.peak, self._busy)
        async with self._changed:
            peer = request.client.port if request.client else 0
            self.received.append(Received(request.method, request.url.path, request.headers, body, time(), peer))
            self._changed.notify_all()
        try:
            await self.open.wait()
            answer = self.answers.popleft() if self.answers else Response()
            await answer(scope, receive, send)
        finally:
            self._busy -= 1


@asynccontextmanager
async def working() -> AsyncIterator[Worker]:
    """A running worker."""
    worker = Worker()
    worker.open.set()
    async with serving(worker, "127.0.0.1", 0) as port:
        worker.url = f"http://127.0.0.1:{port}"
        yield worker
        worker.open.set()
