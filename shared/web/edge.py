"""The edge of every function: makes a deployed function of an app.

The functions-framework hands over a Starlette request and sends whatever response it gets back. `_AppResponse` is a
response that runs a whole FastAPI app when it is sent: that is the adapter, and it stands here once.
"""

import time
import warnings
from collections.abc import Callable
from typing import Any

import functions_framework.aio
from fastapi import APIRouter, FastAPI
from fastapi.telemetry import TelemetryConfig
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import errors, logs
from shared.settings import on_cloud_run, settings
from shared.web import errors as rendering
from shared.web.headers import client_address

BODY_LIMIT = 4 * 2**20
"""Bytes of a request body; a manifest of 1,000 files is well below."""

Entry = Callable[[Request], Any]
"""What the functions-framework calls: the `main` of a function."""

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}
"""On every answer that does not set its own (https://owasp.org/www-project-secure-headers/)."""

_FRAMEWORK_KEYS = frozenset({"app", "router", "endpoint", "route", "path_params"})
"""What the framework's own router leaves in the scope."""

_log = logs.logger(__name__)

# FastAPI ignores it while it builds a model; ours are built later, when they are first used.
warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)


class _AnyPath(PathConvertor):
    """What the framework's own route takes for a path. Without it a line feed ends in an answer that is not ours."""

    regex = "(?s:.*)"


# The framework makes its routes once this module is loaded.
register_url_convertor("path", _AnyPath())


class _AppResponse(Response):
    """A response that is produced by an ASGI app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The app starts from a clean scope. No path is ever answered with a redirect, so a closing slash means nothing.
        clean = {key: value for key, value in scope.items() if key not in _FRAMEWORK_KEYS}
        clean["path"] = scope["path"].rstrip("/") or "/"
        await self._app(clean, receive, send)


def private_function(name: str, router: APIRouter) -> Entry:
    """The entry point of the function `name`, which events, tasks or the clock wake: no client ever calls it."""
    return entry(name, app_of(router))


def app_of(*routers: APIRouter) -> FastAPI:
    """An app that renders errors as ours, and leaves to us what it would do by itself: redirects, pages, traces."""
    # Handed over, not included: `include_router` makes every route a second time while the first request waits.
    routes = [route for router in routers for route in router.routes]
    off = TelemetryConfig(tracing=False, metrics=False, logs=False)
    app = FastAPI(routes=routes, openapi_url=None, redirect_slashes=False, telemetry=off)
    rendering.install(app)
    return app


def entry(name: str, app: ASGIApp, *, around: Callable[[ASGIApp], ASGIApp] | None = None) -> Entry:
    """Puts the edge around an app: correlation, limits, headers, the access log, and no crash without an answer.

    `around` may put something around the edge itself; it is called with the first request, when there are settings.
    """
    if on_cloud_run():
        settings()  # an instance that was told something wrong does not start, and so takes nobody's place
    edge = _Edge(name, app)
    outermost: ASGIApp | None = None

    @functions_framework.aio.http
    async def main(request: Request) -> Response:
        nonlocal outermost
        if outermost is None:
            outermost = around(edge) if around else edge
        return _AppResponse(outermost)

    return main


class _Edge:
    """What happens to every request, before and after its function."""

    def __init__(self, name: str, app: ASGIApp) -> None:
        self._name = name
        self._app = app
        self._configured = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._configured:
            logs.configure(settings().log_level)
            self._configured = True
        headers = Headers(scope=scope)
        correlation = logs.Correlation.taken(headers.get("x-request-id"), headers.get("traceparent"))
        logs.bind(correlation, function=self._name, client_address=client_address(scope))
        answer = _Answer(send, correlation, scope)
        started = time.perf_counter()
        try:
            await self._app(scope, _limited(receive, headers), answer.send)
        except errors.AltaError as error:
            await self._render(error, scope, receive, answer, headers)
        except Exception:  # noqa: BLE001  # nothing may crash without an answer
            # The one place that catches everything: the client gets the request id, the log gets the trace.
            _log.exception("unhandled")
            internal = errors.Internal("Something went wrong on our side.")
            await self._render(internal, scope, receive, answer, headers)
        _log.info(
            "request",
            httpRequest={
                "requestMethod": scope["method"],
                "requestUrl": logs.without_tokens(scope["path"]),
                "status": answer.status,
                "latency": f"{time.perf_counter() - started:.4f}s",
            },
        )

    async def _render(
        self, error: errors.AltaError, scope: Scope, receive: Receive, answer: "_Answer", headers: Headers
    ) -> None:
        if answer.status is None:
            response = rendering.render(error, headers.get("accept", ""), answer.correlation.request_id)
            await response(scope, receive, answer.send)


class _Answer:
    """The way back: adds the headers that every answer has, and remembers the status."""

    def __init__(self, send: Send, correlation: logs.Correlation, scope: Scope) -> None:
        self._send = send
        self._scope = scope
        self.correlation = correlation
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.correlation.request_id
            headers["traceparent"] = self.correlation.traceparent
            # What the request's dependencies want told on errors too: `request.state.headers`.
            headers.update(self._scope.get("state", {}).get("headers", {}))
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _limited(receive: Receive, headers: Headers) -> Receive:
    """The body, refused as soon as it is more than `BODY_LIMIT`, whatever `Content-Length` says."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > BODY_LIMIT:
            raise errors.TooLarge(f"The request body is over {BODY_LIMIT} bytes.")
        return message

    if headers.get("content-length", "0").isdigit() and int(headers.get("content-length", "0")) > BODY_LIMIT:
        taken = BODY_LIMIT + 1
    return limited
