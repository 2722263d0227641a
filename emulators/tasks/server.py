"""Puts the parts together: the gRPC server, the dispatchers behind it, and the control door beside it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from emulators.serving import serving
from emulators.tasks.control import control
from emulators.tasks.faults import Faults
from emulators.tasks.rpc import methods
from emulators.tasks.sender import Sender
from emulators.tasks.service import CloudTasks
from emulators.tasks.store import Store

TOMBSTONE = 3600
"""Seconds that a task's name stays taken after it is done or deleted: at Google about an hour, up to 24."""
GRACE = 1
"""Seconds that open calls are given when the server stops."""


@dataclass(frozen=True)
class Options:
    """How to run. Port 0 takes a free one; no `state` folder keeps all in memory; no `control_port`, no door."""

    host: str = "127.0.0.1"
    port: int = 8123
    control_port: int | None = None
    state: Path | None = None
    tombstone_seconds: float = TOMBSTONE


@dataclass(frozen=True)
class Ports:
    """Where a running emulator listens."""

    grpc: int
    control: int | None


@asynccontextmanager
async def running(options: Options) -> AsyncIterator[Ports]:
    """An emulator inside the running loop, ready to be called.

    Raises OSError or RuntimeError when a port is taken, sqlite3.OperationalError when another one has the state.
    """
    async with AsyncExitStack() as stack:
        store = Store(options.state)
        stack.callback(store.close)
        sender = Sender(Faults())
        stack.push_async_callback(sender.close)
        # Without this option a second server would share the port, and each would get some of the calls.
        server = grpc.aio.server(options=(("grpc.so_reuseport", 0),))
        port = server.add_insecure_port(f"{options.host}:{options.port}")
        service = CloudTasks(store, sender, options.tombstone_seconds)
        stack.push_async_callback(service.stop)
        server.add_generic_rpc_handlers((methods(service),))
        await server.start()
        stack.push_async_callback(server.stop, GRACE)
        control_port = None
        if options.control_port is not None:
            door = serving(control(service, sender), options.host, options.control_port)
            control_port = await stack.enter_async_context(door)
        yield Ports(port, control_port)
