"""The web console, served beside the API: the static files of `clients/web/site`, as any web host would serve them."""

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.catalog import ROOT

PATH = "/console"

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "frame-ancestors 'none'",  # the page itself says the rest; this part only counts here
    "X-Content-Type-Options": "nosniff",
}


def app() -> ASGIApp:
    """Serves the console below `PATH`."""
    site = StaticFiles(directory=ROOT / "clients" / "web" / "site", html=True)
    return _WithHeaders(Starlette(routes=[Mount(PATH, site)]))


class _WithHeaders:
    """Puts `_HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)
