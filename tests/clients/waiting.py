"""Waiting for something that happens in another thread or process."""

import time
from collections.abc import Callable

LIMIT = 30.0
"""Seconds after which what is awaited counts as not happening."""


def until(condition: Callable[[], object], limit: float = LIMIT) -> None:
    """Returns once the condition holds; fails the test when it does not in time."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"not so within {limit} s"
        time.sleep(0.01)
