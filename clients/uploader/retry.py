"""When to try again, and how long to wait: truncated exponential back-off with jitter.

Rules: https://cloud.google.com/storage/docs/retry-strategy (408, 429, 5xx, socket timeouts and disconnects; 1 s,
doubling, a random fraction added) and RFC 9110, 10.2.3 (Retry-After, in seconds or as a date).
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from clients.uploader.errors import Unreachable, UploaderError

DISCONNECTS = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)
"""Errors of the connection, or of the proxy on its way, after which the same request may succeed."""


class Transient(Exception):
    """This attempt failed in a way that another one may not.

    `retry_after`: seconds that the server asks for. `final`: what the failure means when there is no time for another.
    """

    def __init__(self, reason: str, retry_after: float | None = None, final: UploaderError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.final = final


@dataclass(frozen=True)
class Backoff:
    """How patient to be; all in seconds. `deadline` counts from the first failure after the last progress."""

    initial: float = 1.0
    multiplier: float = 2.0
    maximum: float = 32.0
    deadline: float = 600.0

    def delay(self, failures: int) -> float:
        """Seconds to wait after this many failures in a row (from 1)."""
        exponential = self.initial * self.multiplier ** min(failures - 1, 30)
        return min(exponential + random.uniform(0, self.initial), self.maximum)  # noqa: S311  # jitter, not a secret


class Attempts:
    """The failures of one operation so far.

    `report` is called with (reason, seconds) before each wait.
    """

    def __init__(self, backoff: Backoff, report: Callable[[str, float], None]) -> None:
        self._backoff = backoff
        self._report = report
        self._failures = 0
        self._give_up_at = 0.0

    def progressed(self) -> None:
        """Something got through: the next failure is the first again."""
        self._failures = 0

    async def wait(self, fault: Transient) -> None:
        """Waits before the next attempt; raises `Unreachable`, or `final`, when the deadline would pass meanwhile."""
        if self._failures == 0:
            self._give_up_at = time.monotonic() + self._backoff.deadline
        self._failures += 1
        delay = max(self._backoff.delay(self._failures), fault.retry_after or 0.0)
        if time.monotonic() + delay > self._give_up_at:
            raise fault.final or Unreachable(f"Gave up after {self._failures} attempts: {fault.reason}.")
        self._report(fault.reason, delay)
        await asyncio.sleep(delay)


def fault_of_response(response: httpx.Response) -> Transient | None:
    """What an answer means for another attempt; None when the answer stands."""
    if response.status_code not in (408, 429) and response.status_code < 500:
        return None
    host = response.request.url.host
    return Transient(f"{host} answered {response.status_code}", _retry_after(response.headers.get("retry-after")))


def fault_of_disconnect(error: httpx.TransportError) -> Transient:
    """What a broken connection means for another attempt."""
    return Transient(f"{error.request.url.host} {type(error).__name__}: {error}".rstrip(": "))


def _retry_after(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    # RFC 9110 dates are in GMT, also those that do not say so.
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
