"""`python -m emulators.scheduler --jobs FILE.json`: runs the jobs until SIGTERM or SIGINT."""

import argparse
import asyncio
import logging
from pathlib import Path

from emulators.scheduler.clock import ticking
from emulators.scheduler.door import door
from emulators.scheduler.jobs import Job, read
from emulators.serving import serving, until_stopped

log = logging.getLogger(__name__)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="emulators.scheduler", description="Cloud Scheduler on this machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8134, help="port of the control door")
    parser.add_argument("--jobs", type=Path, required=True, help="JSON list of jobs, see README.md")
    return parser.parse_args()


async def _main(host: str, port: int, jobs: list[Job]) -> None:
    async with ticking(jobs) as timers, serving(door(timers), host, port) as listening:
        log.info("%d jobs, control on http://%s:%d", len(timers), host, listening)
        await until_stopped()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    given = _arguments()
    asyncio.run(_main(given.host, given.port, read(given.jobs)))
