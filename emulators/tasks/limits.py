"""What Cloud Tasks accepts, and what it fills in when a field is left out.

Sources: the quotas page (https://cloud.google.com/tasks/docs/quotas), the queue settings page
(https://cloud.google.com/tasks/docs/configuring-queues) and the field descriptions of google.cloud.tasks.v2.
"""

import math
from datetime import timedelta

from google.cloud.tasks_v2.types import HttpMethod, HttpRequest, Queue, RateLimits, RetryConfig, Task

from emulators.tasks.messages import period
from emulators.tasks.refusals import InvalidArgument, Unimplemented

MAX_TASK_BYTES = 100 * 1024
"""Longest serialised task, when it is not an HTTP task."""
MAX_HTTP_TASK_BYTES = 1024 * 1024
"""Longest serialised HTTP task: name, URL, headers and body together."""
MAX_HEADER_BYTES = 80 * 1024
"""Longest sum of the names and values of a task's headers."""
MAX_URL_CHARACTERS = 2083
"""Longest URL of an HTTP task."""
MAX_SCHEDULE_AHEAD = timedelta(days=30)
"""Furthest that a task may be scheduled ahead."""
MAX_RETENTION = timedelta(days=31)
"""Age at which a task that may be retried for ever is given up."""
DEADLINES = (timedelta(seconds=15), timedelta(minutes=30))
"""Shortest and longest dispatch deadline of an HTTP task."""
DEFAULT_DEADLINE = timedelta(minutes=10)
"""Dispatch deadline of an HTTP task that names none."""
MAX_RATE = 500
"""Highest `max_dispatches_per_second`; also the default."""
MAX_CONCURRENT = 5000
"""Highest `max_concurrent_dispatches`."""
DEFAULT_CONCURRENT = 1000
"""`max_concurrent_dispatches` of a queue that names none."""

_METHODS_WITH_BODY = (HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH)


def complete_queue(queue: Queue) -> None:
    """Fills in a queue's limits and retry settings in place; InvalidArgument when one is out of range."""
    if "http_target" in queue or "app_engine_routing_override" in queue:
        raise Unimplemented("Queue.httpTarget and Queue.appEngineRoutingOverride are not emulated.")
    queue.rate_limits = _completed_rates(queue.rate_limits)
    queue.retry_config = completed_retries(queue.retry_config)


def _completed_rates(rates: RateLimits) -> RateLimits:
    if rates.max_dispatches_per_second < 0:
        raise InvalidArgument("RateLimits.maxDispatchesPerSecond cannot be negative.")
    if rates.max_dispatches_per_second > MAX_RATE:
        raise InvalidArgument(f"RateLimits.maxDispatchesPerSecond must be less than or equal to {MAX_RATE}.")
    if rates.max_concurrent_dispatches < 0:
        raise InvalidArgument("RateLimits.maxConcurrentDispatches cannot be negative.")
    if rates.max_concurrent_dispatches > MAX_CONCURRENT:
        raise InvalidArgument(f"RateLimits.maxConcurrentDispatches must be less than or equal to {MAX_CONCURRENT}.")
    rate = rates.max_dispatches_per_second or MAX_RATE
    return RateLimits(
        max_dispatches_per_second=rate,
        max_concurrent_dispatches=rates.max_concurrent_dispatches or DEFAULT_CONCURRENT,
        # Output only, and its formula is not published: queues show 10 at 1/s and 100 at 500/s.
        max_burst_size=max(10, math.ceil(rate / 5)),
    )


def completed_retries(given: RetryConfig) -> RetryConfig:
    """Retry settings with the defaults filled in; InvalidArgument when one is out of range.

    Back-offs keep their fractions: the reference says they are truncated to seconds, and gives 0.1 s as the default.
    """
    if given.max_attempts < -1:
        raise InvalidArgument("RetryConfig.maxAttempts must be greater or equal to -1.")
    if given.max_doublings < 0:
        raise InvalidArgument("RetryConfig.maxDoublings cannot be negative.")
    shortest = period(given.min_backoff) if "min_backoff" in given else timedelta(milliseconds=100)
    longest = period(given.max_backoff) if "max_backoff" in given else timedelta(hours=1)
    if shortest < timedelta(0):
        raise InvalidArgument("RetryConfig.minBackoff cannot be negative.")
    if shortest > longest:
        raise InvalidArgument("RetryConfig.minBackoff must be less than or equal to RetryConfig.maxBackoff.")
    return RetryConfig(
        max_attempts=given.max_attempts or 100,
        max_retry_duration=period(given.max_retry_duration),
        min_backoff=shortest,
        max_backoff=longest,
        max_doublings=given.max_doublings or 16,
    )


def check_task(task: Task) -> None:
    """Raises InvalidArgument for a task that Cloud Tasks would not take."""
    is_http = "http_request" in task
    if len(Task.serialize(task)) > (MAX_HTTP_TASK_BYTES if is_http else MAX_TASK_BYTES):
        raise InvalidArgument("Task size too large")
    if "app_engine_http_request" in task:
        raise Unimplemented("App Engine tasks are not emulated.")
    if not is_http:
        raise InvalidArgument("Task.httpRequest is required.")
    _check_request(task.http_request)
    shortest, longest = DEADLINES
    if "dispatch_deadline" in task and not shortest <= period(task.dispatch_deadline) <= longest:
        raise InvalidArgument("Task.dispatchDeadline must be between [15s, 30m].")


def _check_request(request: HttpRequest) -> None:
    if not request.url:
        raise InvalidArgument("HttpRequest.url is required.")
    if not request.url.startswith(("http://", "https://")):
        raise InvalidArgument("HttpTarget.url must start with 'http://' or 'https://'.")
    if len(request.url) > MAX_URL_CHARACTERS:
        raise InvalidArgument(f"HttpRequest.url must be at most {MAX_URL_CHARACTERS} characters.")
    if sum(len(name) + len(value) for name, value in request.headers.items()) >= MAX_HEADER_BYTES:
        raise InvalidArgument("HttpRequest.headers must be less than 80KB.")
    method = request.http_method or HttpMethod.POST
    if request.body and method not in _METHODS_WITH_BODY:
        raise InvalidArgument(f"HttpRequest.body is not allowed with {HttpMethod(method).name}.")
