"""Passes requests on to a function that runs in a process of its own, bytes as they come."""

import time
from asyncio import sleep as pause
from collections.abc import AsyncIterator, Iterable
from uuid import uuid4

import httpx
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from emulators.ports import HOST
from shared import errors
from shared.web.errors import render

START_LIMIT = 10.0
"""Seconds that a request waits for its function to start, before it is answered with 503."""
RETRY_AFTER = 1
"""Seconds after which one may try again."""
_POLL = 0.1

_TIMEOUT = httpx.Timeout(3600, connect=5)
"""Seconds; the longest that any function may take (`timeout_seconds` in the catalogue)."""

_HOP_BY_HOP = frozenset(
    (
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of one connection, not of the message (https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)."""


class Upstream:
    """A function on another port of this machine; answers 503 with `Retry-After` while it is down."""

    def __init__(self, name: str, port: int) -> None:
        self._name = name
        # An unused connection is dropped before gunicorn, which the functions-framework runs on, drops it after 2 s.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100, keepalive_expiry=1)
        self._client = httpx.AsyncClient(
            base_url=f"http://{HOST}:{port}", timeout=_TIMEOUT, limits=limits, trust_env=False
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._answer(request)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        try:
            answer = await self._passed_on(request)
        except httpx.TransportError:
            error = errors.Unavailable(f"The function {self._name} is down right now.", retry_after=RETRY_AFTER)
            return refusal(error, request.headers)
        response = StreamingResponse(_body(answer), answer.status_code)
        response.raw_headers = [(name.lower(), value) for name, value in _kept(answer.headers.raw)]
        return response

    async def _passed_on(self, request: Request) -> httpx.Response:
        target = httpx.URL(path=request.scope["path"], query=request.scope["query_string"])
        has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
        limit = time.monotonic() + START_LIMIT
        while True:
            body = request.stream() if has_body else None
            headers = _kept(request.headers.raw)
            passed = self._client.build_request(request.method, target, headers=headers, content=body)
            try:
                return await self._client.send(passed, stream=True)
            except httpx.ConnectError:
                # Nothing of the request was sent: it waits for the function to start, as on Google Cloud.
                if time.monotonic() > limit:
                    raise
                await pause(_POLL)


def refusal(error: errors.AltaError, headers: Headers) -> Response:
    """An error of the gateway's own, in the platform's form, to a request with these headers."""
    request_id = headers.get("x-request-id") or uuid4().hex
    response = render(error, headers.get("accept", ""), request_id)
    response.headers["X-Request-ID"] = request_id
    return response


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in answer.aiter_raw():
            yield piece
    finally:
        await answer.aclose()


def _kept(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.decode("latin-1").lower() not in _HOP_BY_HOP]
