"""The API's messages as they are at run time.

google-cloud-tasks annotates its fields with `Timestamp` and `Duration`, but hands out `datetime` and `timedelta`; and
google.rpc has no types at all. What goes between the two worlds is here, so that the rest is checked.
"""

from datetime import datetime, timedelta
from typing import cast

from google.cloud.tasks_v2.types import Attempt, Queue, Task
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc import code_pb2, status_pb2  # type: ignore[import-untyped]  # published without types

RUNNING = Queue.State(Queue.State.RUNNING)
PAUSED = Queue.State(Queue.State.PAUSED)
BASIC = Task.View(Task.View.BASIC)

_CODES: dict[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""google.rpc.Code of an HTTP status: https://cloud.google.com/apis/design/errors#handling_errors."""


def moment(field: Timestamp) -> datetime:
    """A time field that is set, as read from a message."""
    return cast("datetime", field)


def period(field: Duration) -> timedelta:
    """A duration field, as read from a message; zero when it is not set."""
    return cast("timedelta", field)


def timestamp(value: datetime) -> Timestamp:
    """A time to put into a message."""
    field = Timestamp()
    field.FromDatetime(value)
    return field


def duration(value: timedelta) -> Duration:
    """A duration to put into a message."""
    field = Duration()
    field.FromTimedelta(value)
    return field


def code_of(http_status: int) -> str:
    """Name of the google.rpc.Code that stands for an HTTP status."""
    return "OK" if 200 <= http_status <= 299 else _CODES.get(http_status, "UNKNOWN")


def note_response(attempt: Attempt, at: datetime, code: str, detail: str) -> None:
    """Writes into an attempt what came of it; `code` is the name of a google.rpc.Code."""
    number = code_pb2.Code.Value(code)
    attempt.response_time = timestamp(at)
    attempt.response_status = status_pb2.Status(code=number, message=f"{code}({number}): {detail}")
