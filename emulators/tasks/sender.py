"""One attempt: the HTTP request of a task, and what came of it.

Headers: https://cloud.google.com/tasks/docs/creating-http-target-tasks#handler
"""

import asyncio
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from time import time

from google.cloud.tasks_v2.types import HttpMethod, HttpRequest

from emulators.connections import Answer, Connections, Unreachable
from emulators.identity_tokens import identity_token
from emulators.tasks import names
from emulators.tasks.faults import Faults
from emulators.tasks.messages import code_of, moment, period
from emulators.tasks.store import StoredTask

OVERLOADED = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
"""Answers that make Cloud Tasks slow the queue down."""

_REPLACED = ("host", "content-length", "user-agent")
_RESERVED = ("x-google-", "x-appengine-", "x-cloudtasks-")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    `response` is the HTTP status, 0 without an answer; `code` the name of a google.rpc.Code; `retry_after` the seconds
    that the worker asks for.
    """

    response: int
    code: str
    detail: str
    retry_after: float = 0

    @property
    def succeeded(self) -> bool:
        """Whether the worker has acknowledged the task."""
        return 200 <= self.response <= 299

    @property
    def overloaded(self) -> bool:
        """Whether the worker asks for less."""
        return self.response in OVERLOADED


class Sender:
    """Sends tasks to their workers, as well as faults allow."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._connections = Connections()

    async def close(self) -> None:
        """Closes every connection."""
        await self._connections.close()

    async def send(self, stored: StoredTask) -> Outcome:
        """Makes one attempt within the task's dispatch deadline. Failures are outcomes, never exceptions."""
        deadline = self.faults.deadline_seconds or period(stored.task.dispatch_deadline).total_seconds()
        try:
            async with asyncio.timeout(deadline):
                await asyncio.sleep(self.faults.take_delay())
                answer = await self._request(stored)
        except TimeoutError:
            return Outcome(0, "DEADLINE_EXCEEDED", f"no answer within {deadline:g} s")
        except Unreachable as error:
            return Outcome(0, "UNAVAILABLE", str(error))
        if self.faults.take_drop():
            return Outcome(0, "UNAVAILABLE", "answer dropped on demand")
        retry_after = _seconds(answer.headers.get("retry-after", ""))
        return Outcome(answer.status, code_of(answer.status), f"HTTP status code {answer.status}", retry_after)

    async def _request(self, stored: StoredTask) -> Answer:
        message = stored.task.http_request
        request = (HttpMethod(message.http_method).name, message.url, headers(stored), message.body)
        if self.faults.take_duplicate():
            answer, _ = await asyncio.gather(self._connections.request(*request), self._connections.request(*request))
            return answer
        return await self._connections.request(*request)


def headers(stored: StoredTask) -> dict[str, str]:
    """Headers of the next request for a task: its own, and those that Cloud Tasks adds."""
    task = stored.task
    request = task.http_request
    added = {
        "User-Agent": "Google-Cloud-Tasks",
        "X-CloudTasks-QueueName": names.short(names.queue_of(task.name)),
        "X-CloudTasks-TaskName": names.short(task.name),
        "X-CloudTasks-TaskRetryCount": str(task.dispatch_count - 1),
        "X-CloudTasks-TaskExecutionCount": str(stored.executions),
        "X-CloudTasks-TaskETA": f"{moment(task.schedule_time).timestamp():.6f}",
    }
    if stored.previous_response is not None:
        added["X-CloudTasks-TaskPreviousResponse"] = str(stored.previous_response)
        added["X-CloudTasks-TaskRetryReason"] = (
            f"RETURNED_{stored.previous_response}" if stored.previous_response else ""
        )
    if "oidc_token" in request:
        token = identity_token(request.oidc_token.service_account_email, request.oidc_token.audience or request.url)
        added["Authorization"] = f"Bearer {token}"
    return {name: value for name, value in _own_headers(request) if name.title() not in added} | added


def _own_headers(request: HttpRequest) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in request.headers.items()
        if name.lower() not in _REPLACED and not name.lower().startswith(_RESERVED)
    ]


def _seconds(retry_after: str) -> float:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3): a number or a date; 0 when it is neither."""
    if retry_after.isdigit():
        return float(retry_after)
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time(), 0)
    except ValueError:
        return 0
