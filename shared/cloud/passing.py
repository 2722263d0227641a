"""Which errors of Google's engines pass by themselves: worth another try, however they are told."""

from functools import lru_cache

CODES = frozenset({4, 8, 10, 13, 14})
"""As the status of a long operation: DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, INTERNAL, UNAVAILABLE."""


@lru_cache
def raised() -> tuple[type[Exception], ...]:
    """As the exceptions of a call."""
    from google.api_core import exceptions as google

    return (
        google.DeadlineExceeded,
        google.ResourceExhausted,
        google.Aborted,
        google.InternalServerError,
        google.ServiceUnavailable,
    )
