"""Waiting for a condition, with a limit, instead of sleeping."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

LIMIT = 30.0
"""Seconds after which a condition that does not come is a failure."""


async def until(condition: Callable[[], Awaitable[bool]], limit: float = LIMIT, *, every: float = 0.01) -> None:
    """Returns once the condition holds, looked at `every` so many seconds; fails the test when it does not in time."""
    started = monotonic()
    while not await condition():
        assert monotonic() - started < limit, f"not so within {limit} s"
        await asyncio.sleep(every)
