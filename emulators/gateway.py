"""Everything the platform answers, behind one address: routes requests to functions.

`python -m emulators.gateway --port 8000 --internal-port 8001`. The public port serves the HTTP functions under their
paths. The internal port serves those that events, tasks and the clock wake, each at `/{name}`; the function itself sees
the rest of the path, as on Google Cloud, where its address is its own. The web console stands beside the API.

The functions run in this process, as the functions-framework's own apps; with `--upstream NAME=PORT` for each of them
they run elsewhere, and the gateway passes requests on.
"""

import argparse
import importlib
import logging
import socket
import sys
from collections.abc import Callable, Mapping

import uvicorn
from functions_framework.aio import create_asgi_app_from_module
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators import console
from emulators.ports import HOST
from emulators.processes import READY_PATH
from emulators.proxy import Upstream, refusal
from infra.catalog import Function, HttpTrigger, functions
from shared import errors

log = logging.getLogger(__name__)


class Gateway:
    """Routes by port and path: the longest of `prefixes` on the public port, the first segment on the internal one."""

    def __init__(self, prefixes: Mapping[str, ASGIApp], names: Mapping[str, ASGIApp], internal_port: int) -> None:
        self._prefixes = prefixes
        self._names = names
        self._internal_port = internal_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].rstrip("/") or "/"
        internal = scope["server"][1] == self._internal_port
        if internal and path == READY_PATH:
            await PlainTextResponse("ready")(scope, receive, send)
            return
        app, inner = self._named(path) if internal else (self._longest(path), scope["path"])
        if app is None:
            response = refusal(errors.NotFound("There is nothing at this path."), Headers(scope=scope))
            await response(scope, receive, send)
            return
        await app({**scope, "path": inner, "raw_path": inner.encode()}, receive, send)

    def _longest(self, path: str) -> ASGIApp | None:
        """The app of the longest prefix of whole segments."""
        prefix = path
        while prefix:
            if prefix in self._prefixes:
                return self._prefixes[prefix]
            prefix = prefix.rpartition("/")[0]
        return None

    def _named(self, path: str) -> tuple[ASGIApp | None, str]:
        _, name, *rest = path.split("/", 2)
        return self._names.get(name), "/" + "".join(rest)


def load(function: Function) -> ASGIApp:
    """The functions-framework's own app of a function, loaded into this process."""
    module = importlib.import_module(f"functions.{function.kind}.{function.name}.main")
    make_app: Callable[..., ASGIApp] = create_asgi_app_from_module
    return make_app("main", str(module.__file__), "http", module, module.__spec__)


def build(apps: Mapping[str, ASGIApp], internal_port: int) -> Gateway:
    """The gateway over these apps, by function name; routes are those of the catalogue."""
    prefixes: dict[str, ASGIApp] = {console.PATH: console.app()}
    names: dict[str, ASGIApp] = {}
    for function in functions():
        if function.name not in apps:
            log.warning("no %s here: it is not served", function.name)
        elif isinstance(function.trigger, HttpTrigger):
            prefixes |= dict.fromkeys(function.trigger.paths, apps[function.name])
        else:
            names[function.name] = apps[function.name]
    return Gateway(prefixes, names, internal_port)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulators.gateway", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8000, help="port of the platform's API")
    parser.add_argument("--internal-port", type=int, default=8001, help="port of functions that are not for clients")
    parser.add_argument(
        "--upstream", action="append", default=[], metavar="NAME=PORT", help="a function that runs elsewhere"
    )
    return parser.parse_args()


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    given = _arguments()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    upstreams = dict(one.split("=", 1) for one in given.upstream)
    apps: dict[str, ASGIApp] = (
        {name: Upstream(name, int(port)) for name, port in upstreams.items()}
        if upstreams
        else {one.name: load(one) for one in functions() if (one.folder / "main.py").exists()}
    )
    listeners = [socket.create_server((HOST, port), backlog=2048) for port in (given.port, given.internal_port)]
    config = uvicorn.Config(
        build(apps, given.internal_port),
        lifespan="off",
        access_log=False,
        date_header=not upstreams,  # those that run elsewhere put their own
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=listeners)


if __name__ == "__main__":
    main()
