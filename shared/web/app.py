"""The public edge: makes a deployed function of the routers that answer clients."""

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.web.edge import Entry, app_of, entry
from shared.web.headers import require_known_host, with_cors
from shared.web.idempotency import Idempotent

apps: dict[str, FastAPI] = {}
"""The app of each function that this process has loaded, by name: what the reference is written from."""


def http_function(name: str, *routers: APIRouter) -> Entry:
    """The entry point of the function `name`, which answers what its routers describe."""
    app = apps[name] = app_of(*routers)
    # CORS is outermost, so that a page of another origin can read errors of the edge too.
    return entry(name, _KnownHosts(Idempotent(app)), around=with_cors)


def router_at(path: str) -> APIRouter:
    """A router of what is below a path: /api/projects."""
    return APIRouter(prefix=path, tags=[path.rpartition("/")[2]], generate_unique_id_function=_operation_id)


def _operation_id(route: APIRoute) -> str:
    # The name of the function: it does not change when a path does, and generated clients read well.
    return route.name


class _KnownHosts:
    """Refuses what is meant for a foreign host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        require_known_host(Headers(scope=scope))
        await self._app(scope, receive, send)
