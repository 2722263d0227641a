"""The server: the control API, the JSON API and, on every other path, the XML API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators.storage.batch import Batch
from emulators.storage.control import Control
from emulators.storage.errors import StorageError
from emulators.storage.faults import FaultMiddleware, RequestFaults
from emulators.storage.json_api import JsonApi
from emulators.storage.json_uploads import JsonUploads
from emulators.storage.publisher import Publisher
from emulators.storage.requests import CLIENT_CLOSED_REQUEST, drain
from emulators.storage.storage import Config, Storage
from emulators.storage.xml_api import XmlApi

_JSON_PREFIXES = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/batch/storage/v1")


def create_app(config: Config) -> Starlette:
    """The ASGI application over the state in `config.state`, which it opens at once and closes at shutdown."""
    storage = Storage(config)
    faults = RequestFaults()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        publishing = asyncio.create_task(_publish(storage))
        yield
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
        storage.database.close()

    return Starlette(
        routes=[*Control(storage, faults).routes(), Mount("", app=_Doors(storage))],
        middleware=[Middleware(FaultMiddleware, faults=faults)],
        lifespan=lifespan,
    )


class _Doors:
    """Sends a request to the API its path belongs to, which sees the path as sent: names in it are percent-encoded."""

    def __init__(self, storage: Storage) -> None:
        self._json = _json_app(storage, self)
        self._xml = request_response(XmlApi(storage).answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["raw_path"].decode("ascii")
        app = self._json if path.startswith(_JSON_PREFIXES) else self._xml
        await app({**scope, "path": path, "root_path": ""}, receive, send)


def _json_app(storage: Storage, whole: ASGIApp) -> Starlette:
    batch = Batch(whole)
    app = Starlette(
        routes=[
            *JsonUploads(storage).routes(),
            *JsonApi(storage).routes(),
            Route("/batch/storage/v1", batch.answer, methods=["POST"]),
        ],
        # The real JSON API answers every origin, whatever the bucket's rules say.
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])],
        exception_handlers={StorageError: _refused, HTTPException: _no_route, ClientDisconnect: _gone},
    )
    app.router.redirect_slashes = False
    return app


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, StorageError):
        raise error
    await drain(request)
    return error.as_json()


async def _no_route(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
    return JSONResponse({"error": {"code": status, "message": str(error), "errors": []}}, status)


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _publish(storage: Storage) -> None:
    if storage.config.pubsub is not None:
        await Publisher(storage.outbox, storage.config.pubsub).run()
