"""A server on loopback, in a thread of its own, in which things go wrong on demand."""

import re
import socket
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send


@dataclass
class Fault:
    """What happens to the next `times` requests that match: an answer, or after some bytes of the body a cut."""

    method: str
    path: str
    status: int | None = None
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"<Error><Code>ServiceUnavailable</Code></Error>"
    after_bytes: int = 0
    done_first: bool = False
    """The request is carried out, and only its answer is lost."""


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class FaultyServer:
    """Serves `routes`; `url` is its address once it is started. What is to go wrong is put into `faults`."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.crashes: list[Exception] = []
        """What the uploader did against the rules."""
        self.requests: Counter[str] = Counter()
        self.headers: list[tuple[str, dict[str, str]]] = []
        """Of each request to the API."""
        self.gate = threading.Event()
        """While it is not set, bodies wait after their first bytes."""
        self.gate.set()
        self._starlette = Starlette(routes=self.routes())

    def routes(self) -> list[Route]:
        """What is served."""
        raise NotImplementedError

    def keep_cut(self, request: Request, taken: bytes) -> None:
        """What remains of a body that was cut after these bytes."""

    def start(self, port: int = 0) -> None:
        config = uvicorn.Config(
            self._app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", interface="asgi3"
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        assert self._server.ready.wait(10), "the platform did not start"
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        assert self._server is not None
        self.gate.set()
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        kind = "storage" if scope["path"].startswith("/bucket/") else "api"
        self.requests[kind] += 1
        self.requests[f"{scope['method']} {re.sub(r'(ses|ast|prj|up)_[^/]+', '*', scope['path'])}"] += 1
        if kind == "api":
            self.headers.append((f"{scope['method']} {scope['path']}", dict(request.headers)))
        fault = self._fault(scope["method"], scope["path"])
        try:
            if fault is None:
                await self._starlette(scope, receive, send)
            else:
                await self._go_wrong(fault, request, send)
        except Exception as error:
            self.crashes.append(error)
            raise

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None

    async def _go_wrong(self, fault: Fault, request: Request, send: Send) -> None:
        if fault.status is not None:
            headers = [(name.encode(), value.encode()) for name, value in fault.headers.items()]
            headers.append((b"content-length", str(len(fault.body)).encode()))
            await send({"type": "http.response.start", "status": fault.status, "headers": headers})
            await send({"type": "http.response.body", "body": fault.body})
            return
        if fault.done_first:

            async def nowhere(_: Any) -> None: ...

            await self._starlette(request.scope, request.receive, nowhere)
        elif fault.after_bytes:
            await self._take_some(request, fault.after_bytes)
        # An answer shorter than promised makes the server close the connection: that is the cut.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})

    async def _take_some(self, request: Request, length: int) -> None:
        taken = bytearray()
        async for piece in request.stream():
            taken += piece
            if len(taken) >= length:
                break
        self.keep_cut(request, bytes(taken[:length]))
