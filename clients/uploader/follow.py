"""Waiting for the platform to read what was uploaded."""

import asyncio
from typing import Final

from clients.uploader.api import Client
from clients.uploader.contract import FINAL, Status
from clients.uploader.events import Observer, Processing
from clients.uploader.journal import Expected

_SHORTEST: Final = 0.5
_LONGEST: Final = 5.0
"""Seconds between two questions: short after news, half as long again each time there is none."""


async def follow(client: Client, job_id: str, observe: Observer, expected: Expected) -> Status:
    """Asks for the status until it is final, and returns it.

    Files that were announced and will not come are not waited for: when all others are final this is the end, although
    the platform keeps the session open for the missing ones for a day.
    """
    interval, known = _SHORTEST, ""
    while True:
        status, known = await client.news(job_id, known)
        if status is None:
            interval = min(interval * 1.5, _LONGEST)
        else:
            interval = _SHORTEST
            observe(Processing(status))
            if _settled(status, expected):
                return status
        await asyncio.sleep(interval)


def _settled(status: Status, expected: Expected) -> bool:
    if status["status"] in FINAL:
        return True
    stats = status["stats"]
    # The statistics are as old as their last count: one that does not know all files yet says nothing.
    counted = stats["files_total"] >= expected.announced
    settled = stats["files_processed"] + stats["files_failed"]
    return expected.missing > 0 and counted and settled >= stats["files_total"] - expected.missing
