"""Whether what the platform stands on answers, and how fast."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from shared import errors
from shared.models.records import Frozen
from shared.store import objects, users

LIMIT = 3.0
"""Seconds after which a dependency counts as down."""


class Dependency(Frozen):
    """One thing the platform stands on. Latency in milliseconds."""

    name: str
    up: bool
    latency_ms: float


class Readiness(Frozen):
    """Everything the platform stands on; `ready` when all of it is up."""

    ready: bool
    dependencies: list[Dependency]


async def readiness() -> Readiness:
    """Asks each dependency something small, all at once."""
    found = await asyncio.gather(
        _asked("firestore", lambda: users.get("usr_nobody")), _asked("storage", objects.bucket_answers)
    )
    return Readiness(ready=all(one.up for one in found), dependencies=list(found))


async def _asked(name: str, question: Callable[[], Awaitable[object]]) -> Dependency:
    started = time.perf_counter()
    try:
        await asyncio.wait_for(question(), LIMIT)
        up = True
    except (errors.Unavailable, TimeoutError):
        up = False
    return Dependency(name=name, up=up, latency_ms=round((time.perf_counter() - started) * 1000, 1))
