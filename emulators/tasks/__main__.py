"""`python -m emulators.tasks`: runs the local Cloud Tasks until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
from pathlib import Path

from emulators.serving import until_stopped
from emulators.tasks.server import TOMBSTONE, Options, running

log = logging.getLogger(__name__)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="emulators.tasks", description="Cloud Tasks on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8123, help="port of the gRPC API")
    parser.add_argument("--control-port", type=int, help="port of the control door over HTTP; without it, none")
    parser.add_argument("--state", type=Path, help="folder that keeps queues and tasks; without it, memory does")
    parser.add_argument(
        "--tombstone-seconds",
        type=float,
        default=TOMBSTONE,
        help="how long the name of a task stays taken after it is done or deleted (default: %(default)s)",
    )
    return Options(**vars(parser.parse_args()))


async def _main(options: Options) -> None:
    async with running(options) as ports:
        log.info("Cloud Tasks on %s:%d, control on %s", options.host, ports.grpc, ports.control)
        await until_stopped()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(_main(_options()))
