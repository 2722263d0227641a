"""Idempotency-Key on every POST (draft-ietf-httpapi-idempotency-key-header-07), once for all functions."""

import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import logs
from shared.errors import EmailNotVerified, MalformedRequest, Suspended, Unauthenticated
from shared.models.idempotency import Answer
from shared.services import callers, idempotency
from shared.services.idempotency import Key

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = frozenset({"content-type", "etag", "location", "retry-after"})
"""Headers that belong to what was answered; the others are made anew for each answer."""


class Idempotent:
    """Answers a POST with a key once, and again from what was kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = Headers(scope=scope).get(HEADER)
        sender = await _sender(Headers(scope=scope)) if sent is not None and scope["method"] == "POST" else None
        if sent is None or sender is None:
            await self._app(scope, receive, send)
            return
        if not _KEY.fullmatch(sent):
            raise MalformedRequest(f"{HEADER} is 1 to 255 visible ASCII characters.")
        body = await _read(receive)
        path = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
        answer, replayed = await idempotency.answered(Key(sent, sender, path, body), self._work(scope, receive, body))
        response = Response(answer.body, answer.status, answer.headers)
        if replayed:
            response.headers[REPLAYED] = "true"
        await response(scope, receive, send)

    def _work(self, scope: Scope, receive: Receive, body: bytes) -> Callable[[], Awaitable[Answer]]:
        async def work() -> Answer:
            capture = _Capture()
            await self._app(scope, _again(body, receive), capture.send)
            return capture.answer()

        return work


async def _sender(headers: Headers) -> str | None:
    """Whose key it is; None for a token that the function itself will refuse."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if not token:
        return f"address {logs.bound('client_address')}"
    try:
        return (await callers.caller(token)).user_id if scheme.lower() == "bearer" else None
    except (Unauthenticated, Suspended, EmailNotVerified):
        return None


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read to whoever reads it next."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


class _Capture:
    """Takes an answer instead of the client."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            self._headers = {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
        else:
            self._body += message.get("body", b"")

    def answer(self) -> Answer:
        return Answer(status=self._status, headers=self._headers, body=bytes(self._body))
