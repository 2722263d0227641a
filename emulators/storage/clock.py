"""Time as Cloud Storage tells it: RFC 3339 in UTC, and generations counted in microseconds."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present moment, in UTC."""


def utc_now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """`2026-11-21T09:00:00.123Z`, the form of every time in a resource."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(moment: datetime) -> str:
    """`Sat, 21 Nov 2026 09:00:00 GMT`, the form of Last-Modified."""
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970: what a generation is made of."""
    return int(moment.timestamp() * 1_000_000)
