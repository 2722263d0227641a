"""Structured logs in the shape that Cloud Logging reads.

One JSON object a line: `severity`, `message`, `time`, `logging.googleapis.com/trace` and whatever is bound to the
request (request id, function, caller). See https://cloud.google.com/logging/docs/structured-logging.
"""

import logging
import os
import re
import secrets
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

import structlog

# Never logged, whatever somebody passes: the last line of defence, not the first.
_SECRET_WORDS = ("password", "token", "secret", "authorization", "signature", "credential")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{40,}")
"""What is as long as a token and so longer than any id of ours."""


def _to_cloud_logging(_: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["severity"] = method.upper() if method != "exception" else "ERROR"
    event["message"] = event.pop("event", "")
    trace = event.pop("trace_id", None)
    if trace:
        project = os.environ.get("GOOGLE_CLOUD_PROJECT", "")
        event["logging.googleapis.com/trace"] = f"projects/{project}/traces/{trace}"
        span = event.pop("span_id", None)
        if span:
            event["logging.googleapis.com/spanId"] = span
    return event


def _without_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "[redacted]"
    return event


def without_tokens(path: str) -> str:
    """A path as it may be logged."""
    return _TOKEN.sub("[redacted]", path)


def configure(level: str) -> None:
    """Sends everything that is logged to stdout as one JSON object a line, from `level` on."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            _without_secrets,
            _to_cloud_logging,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """The logger of a module; `name` is its `__name__`."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return bound


# --- correlation: one id that follows a file from its URL to its transcript

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:/+=-]{1,128}$")


@dataclass(frozen=True)
class Correlation:
    """What ties log lines, events and tasks to the request that caused them.

    `trace_id` and `span_id` are those of W3C Trace Context, 32 and 16 hexadecimal digits.
    """

    request_id: str
    trace_id: str
    span_id: str

    @classmethod
    def taken(cls, request_id: str | None, traceparent: str | None) -> "Correlation":
        """From what came in; what is missing or malformed is made anew. The span is always ours."""
        parent = _TRACEPARENT.match(traceparent or "")
        trace_id = parent[1] if parent else secrets.token_hex(16)
        given = request_id if request_id and _REQUEST_ID.match(request_id) else None
        return cls(given or f"req_{secrets.token_hex(12)}", trace_id, secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """The header to pass on."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def bind(correlation: Correlation, **more: str) -> None:
    """Puts the correlation, and whatever else, on every line that is logged from here on in this context."""
    structlog.contextvars.bind_contextvars(
        request_id=correlation.request_id, trace_id=correlation.trace_id, span_id=correlation.span_id, **more
    )


def correlation() -> Correlation:
    """The correlation of the work being done; a new one outside any request."""
    bound = structlog.contextvars.get_contextvars()
    if "request_id" not in bound:
        return Correlation.taken(None, None)
    return Correlation(bound["request_id"], bound["trace_id"], bound["span_id"])


def bound(name: str) -> str:
    """What `bind` put under this name; empty outside any request."""
    return str(structlog.contextvars.get_contextvars().get(name, ""))
