"""Faults of requests, for tests: the next matching ones are answered with an error, or their connection is cut."""

from collections import Counter
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulators.storage.requests import drain

CONTROL_PREFIX = "/_alta/"
"""Where the control API lives; no fault befalls it."""
_BODY_METHODS = frozenset({"PUT", "POST", "PATCH"})


class RequestMatch(BaseModel):
    """Which requests: `path_prefix` is compared with the decoded path."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: str | None = None
    path_prefix: str = "/"

    def matches(self, scope: Scope) -> bool:
        """Whether this request is meant."""
        return self.method in (None, scope["method"]) and str(scope["path"]).startswith(self.path_prefix)


class RequestFault(BaseModel):
    """What happens to the next `times` matching requests.

    `after_bytes` of the body reach the server (of an upload) or the client (of a download); then comes `status`, or
    without one the connection is cut. An upload that is not longer is carried out, and only its answer is lost.
    """

    model_config = ConfigDict(extra="forbid")

    match: RequestMatch = RequestMatch()
    status: Annotated[int | None, Field(ge=400, le=599)] = None
    times: Annotated[int, Field(ge=1)] = 1
    after_bytes: Annotated[int, Field(ge=0)] = 0


class RequestFaults:
    """The faults that are still to happen, first in, first out; and counts of what came."""

    def __init__(self) -> None:
        self.counters: Counter[str] = Counter()
        self._faults: list[RequestFault] = []

    def add(self, fault: RequestFault) -> None:
        """Add a fault, behind those that are there."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def take(self, scope: Scope) -> RequestFault | None:
        """Count a request; gives the fault that befalls it."""
        self.counters["requests"] += 1
        self.counters[scope["method"]] += 1
        for fault in self._faults:
            if fault.match.matches(scope):
                self.counters["faults"] += 1
                fault.times -= 1
                if fault.times == 0:
                    self._faults.remove(fault)
                return fault
        return None


class FaultMiddleware:
    """Carries out `faults` around an application."""

    def __init__(self, app: ASGIApp, faults: RequestFaults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        meant = scope["type"] == "http" and not scope["path"].startswith(CONTROL_PREFIX)
        fault = self._faults.take(scope) if meant else None
        if fault is None:
            await self._app(scope, receive, send)
        elif scope["method"] in _BODY_METHODS:
            body = _LimitedBody(receive, fault.after_bytes)
            if fault.after_bytes:
                await self._app(scope, body, _lose)
            await _fail(fault.status, scope, receive, send, unread=not body.ended)
        elif fault.status is not None or fault.after_bytes == 0:
            await _fail(fault.status, scope, receive, send, unread=False)
        else:
            await self._app(scope, receive, _LimitedAnswer(send, fault.after_bytes))


class _LimitedBody:
    """Gives the application `left` bytes of the body, then a broken connection. `ended`: all of it was read."""

    def __init__(self, receive: Receive, left: int) -> None:
        self.ended = False
        self._receive = receive
        self._left = left

    async def __call__(self) -> Message:
        if self._left == 0:
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        self.ended = not message.get("more_body")
        body = message.get("body", b"")
        if len(body) > self._left:
            message = {"type": "http.request", "body": body[: self._left], "more_body": True}
        self._left = max(self._left - len(body), 0)
        return message


class _LimitedAnswer:
    """Lets `left` bytes of the answer's body through, then none: the server closes the unfinished answer."""

    def __init__(self, send: Send, left: int) -> None:
        self._send = send
        self._left = left

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.body":
            body = message.get("body", b"")[: self._left]
            self._left -= len(body)
            message = {"type": "http.response.body", "body": body, "more_body": True}
        await self._send(message)


async def _lose(_message: Message) -> None:
    """Where the answer of a request goes whose connection is broken."""


async def _fail(status: int | None, scope: Scope, receive: Receive, send: Send, *, unread: bool) -> None:
    if status is None:
        # An answer that never completes makes the server close the connection.
        await send({"type": "http.response.start", "status": 503, "headers": [(b"content-length", b"1")]})
        return
    if unread:
        await drain(Request(scope, receive))
    body = {"error": {"code": status, "message": "Injected fault.", "errors": [{"reason": "backendError"}]}}
    await JSONResponse(body, status)(scope, receive, send)
