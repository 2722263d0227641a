"""The process of an engine: one gRPC port for the API, one HTTP port for the control door."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import grpc
import grpc.aio
from google.protobuf.message import Message

from emulators.engines.control import Control
from emulators.serving import serving, until_stopped

STOP_GRACE = 2.0
"""Seconds that calls under way have when the process is asked to stop."""

Handlers = Sequence["grpc.GenericRpcHandler[Message, Message]"]
Engine = Callable[[Control], AbstractAsyncContextManager[Handlers]]
"""Opens an engine and gives its gRPC services; closes it at the end."""

log = logging.getLogger(__name__)

GRPC_OPTIONS = [
    # A document of 40 MB must arrive to be refused by the service, with the service's own words.
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", -1),
    # A second emulator on the same port is a mistake, not a way to share the load.
    ("grpc.so_reuseport", 0),
]


def arguments(description: str, port: int) -> argparse.ArgumentParser:
    """The flags that both engines have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=port, help="port of the gRPC API")
    parser.add_argument("--control-port", type=int, default=0, help="port of the control door; 0: any free one")
    parser.add_argument("--storage", default="http://127.0.0.1:9023", help="address of the storage emulator")
    parser.add_argument("--state", type=Path, required=True, help="folder that keeps operations across restarts")
    return parser


def run(flags: argparse.Namespace, engine: Engine) -> None:
    """Serve until SIGTERM or SIGINT; an accepted connection on the gRPC port means that the engine is ready."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    asyncio.run(_serve(flags, engine))


async def _serve(flags: argparse.Namespace, engine: Engine) -> None:
    control = Control()
    async with engine(control) as handlers:
        server = grpc.aio.server(options=GRPC_OPTIONS)
        server.add_generic_rpc_handlers(tuple(handlers))
        port = server.add_insecure_port(f"{flags.host}:{flags.port}")
        await server.start()
        async with serving(control.app(), flags.host, flags.control_port) as control_port:
            log.info("ready on %s:%s, control door on port %s", flags.host, port, control_port)
            await until_stopped()
            await server.stop(STOP_GRACE)
