"""The rate at which a queue may dispatch: a token bucket that slows down when the worker is overloaded.

Cloud Tasks "will use a higher backoff rate" after a 429 or 503, without saying which
(https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#httprequest): here each of them
halves the rate, and each other answer doubles it again up to the configured one.
"""

from google.cloud.tasks_v2.types import RateLimits

SLOWEST = 1 / 64
"""Least part of the configured rate that is left to an overloaded worker."""


class TokenBucket:
    """Tokens to dispatch with. Times are seconds since the epoch, and given by the caller."""

    def __init__(self, limits: RateLimits, now: float) -> None:
        self._filled_at = now
        self._share = 1.0
        self.configure(limits)
        self._tokens = self._burst

    def configure(self, limits: RateLimits) -> None:
        """Takes over changed limits; tokens at hand are kept."""
        self._rate = float(limits.max_dispatches_per_second)
        self._burst = float(limits.max_burst_size)

    def available(self, now: float) -> int:
        """Whole tokens in the bucket."""
        elapsed = max(now - self._filled_at, 0)
        self._tokens = min(self._tokens + elapsed * self._rate * self._share, self._burst)
        self._filled_at = now
        return int(self._tokens)

    def take(self) -> None:
        """Removes one token."""
        self._tokens -= 1

    def wait(self, now: float) -> float:
        """Seconds until there is a token."""
        if self.available(now):
            return 0
        return (1 - self._tokens) / (self._rate * self._share)

    def slow_down(self) -> None:
        """Halves the rate; a burst is over, too."""
        self._share = max(self._share / 2, SLOWEST)
        self._tokens = min(self._tokens, 1)

    def speed_up(self) -> None:
        """Doubles the rate, up to the configured one."""
        self._share = min(self._share * 2, 1)
