"""Waiting for the platform to read what was uploaded."""

import asyncio
from typing import Final

from clients.uploader.api import Client
from clients.uploader.contract import FINAL, Status
from clients.uploader.events import Observer, Processing

_SHORTEST: Final = 0.5
_LONGEST: Final = 5.0
"""Seconds between two questions: short after news, half as long again each time there is none."""


async def follow(client: Client, job_id: str, observe: Observer, *, missing: int = 0) -> Status:
    """Asks for the status until it is final, and returns it.

    `missing` files were announced and will not come: when all others are final there is nothing to wait for, although
    the platform keeps the session open for the missing ones for a while.
    """
    interval, known = _SHORTEST, ""
    while True:
        status, known = await client.status(job_id, known)
        if status is None:
            interval = min(interval * 1.5, _LONGEST)
        else:
            interval = _SHORTEST
            observe(Processing(status))
            if _settled(status, missing):
                return status
        await asyncio.sleep(interval)


def _settled(status: Status, missing: int) -> bool:
    if status["status"] in FINAL:
        return True
    stats = status["stats"]
    return missing > 0 and stats["files_processed"] + stats["files_failed"] >= stats["files_total"] - missing
