"""Retries: how long a failed task waits, what it says when it comes back, and when it is given up."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import httpx
import pytest
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import Attempt, Queue, RetryConfig, Task
from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import Response

from emulators.tasks.retries import backoff, given_up
from tests.emulators.tasks.door import QUEUE, QUICK, post
from tests.emulators.waiting import until
from tests.emulators.worker import Worker

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def seconds(value: float) -> timedelta:
    return timedelta(seconds=value)


def test_back_off_doubles_then_grows_linearly_then_stays_as_googles_example_says() -> None:
    config = RetryConfig(min_backoff=seconds(10), max_backoff=seconds(300), max_doublings=3)

    waits = [backoff(config, failures).total_seconds() for failures in range(1, 10)]

    assert waits == [10, 20, 40, 80, 160, 240, 300, 300, 300]


def test_back_off_without_doublings_grows_linearly_from_the_start() -> None:
    config = RetryConfig(min_backoff=seconds(1), max_backoff=seconds(100), max_doublings=0)

    assert [backoff(config, failures).total_seconds() for failures in (1, 2, 3, 4)] == [1, 2, 3, 4]


def test_back_off_never_exceeds_its_maximum_however_often_a_task_has_failed() -> None:
    config = RetryConfig(min_backoff=seconds(0.1), max_backoff=seconds(3600), max_doublings=10_000)

    assert backoff(config, 1_000_000) == seconds(3600)


@pytest.mark.parametrize(
    ("attempts", "duration", "done", "age", "expected"),
    [
        (3, 0, 2, 10_000, False),
        (3, 0, 3, 0, True),
        (3, 60, 3, 59, False),
        (3, 60, 2, 61, False),
        (3, 60, 3, 61, True),
        (-1, 60, 1_000, 59, False),
        (-1, 60, 2, 61, True),
        (-1, 0, 1_000, 30 * 86_400, False),
        (-1, 0, 1_000, 31 * 86_400, True),
    ],
)
def test_a_task_is_given_up_when_both_its_attempts_and_its_time_are_spent(
    attempts: int, duration: int, done: int, age: int, expected: bool
) -> None:
    config = RetryConfig(max_attempts=attempts, max_retry_duration=seconds(duration))
    started = NOW - seconds(age)
    task = Task(dispatch_count=done, create_time=started, first_attempt=Attempt(dispatch_time=started))

    assert given_up(config, task, NOW) is expected


async def retry_as(client: CloudTasksAsyncClient, config: RetryConfig) -> None:
    """Sets the retry settings of the queue."""
    await client.update_queue(
        queue=Queue(name=QUEUE, retry_config=config), update_mask=FieldMask(paths=["retry_config"])
    )


async def test_a_failed_task_comes_back_and_says_what_happened(client: CloudTasksAsyncClient, worker: Worker) -> None:
    worker.fail(500, 404)

    await client.create_task(parent=QUEUE, task=post(worker.url))

    received = await worker.requests(3)
    names = ("TaskRetryCount", "TaskExecutionCount", "TaskPreviousResponse", "TaskRetryReason")
    said = [[request.headers.get(f"X-CloudTasks-{name}") for name in names] for request in received]
    # A 5xx answer does not count as an execution.
    assert said == [["0", "0", None, None], ["1", "0", "500", "RETURNED_500"], ["2", "1", "404", "RETURNED_404"]]


async def test_a_failed_attempt_is_recorded_in_the_task(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await retry_as(client, RetryConfig(min_backoff=seconds(60)))
    worker.fail(503)
    task = await client.create_task(parent=QUEUE, task=post(worker.url))

    async def answered() -> bool:
        return (await client.get_task(name=task.name)).response_count == 1

    await until(answered)
    stored = await client.get_task(name=task.name)
    wait = stored.schedule_time - stored.last_attempt.response_time
    assert stored.dispatch_count == 1
    assert stored.first_attempt.dispatch_time == stored.last_attempt.dispatch_time
    assert stored.last_attempt.response_status.code == 14
    assert stored.last_attempt.response_status.message == "UNAVAILABLE(14): HTTP status code 503"
    assert wait == seconds(60)


async def test_waits_between_attempts_follow_the_back_off(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await retry_as(client, RetryConfig(min_backoff=seconds(0.1), max_backoff=seconds(0.3), max_doublings=1))
    worker.fail(500, 500, 500, 500)

    await client.create_task(parent=QUEUE, task=post(worker.url))

    times = [request.at for request in await worker.requests(5)]
    waits = [later - earlier for earlier, later in pairwise(times)]
    for wait, least in zip(waits, (0.1, 0.2, 0.3, 0.3), strict=True):  # 0.1, doubled once, then linear and capped
        assert wait >= least


async def test_a_worker_that_says_when_to_come_back_is_left_alone_until_then(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    worker.answers.append(Response(status_code=429, headers={"Retry-After": "1"}))

    await client.create_task(parent=QUEUE, task=post(worker.url))

    first, second = await worker.requests(2)
    assert second.at - first.at >= 1


async def test_an_overloaded_worker_slows_the_queue_down_for_other_tasks_too(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    await client.update_queue(
        queue=Queue(name=QUEUE, rate_limits={"max_dispatches_per_second": 10}),
        update_mask=FieldMask(paths=["rate_limits.max_dispatches_per_second"]),
    )
    worker.fail(503, 503)
    for number in range(2):
        await client.create_task(parent=QUEUE, task=post(f"{worker.url}/{number}"))

    times = [request.at for request in await worker.requests(4)]

    # Burst 10 and back-off 20 ms would bring all four at once; two 503 leave a token each 0.4 s.
    assert times[3] - times[0] >= 0.1


async def test_a_task_is_given_up_after_its_last_attempt(
    client: CloudTasksAsyncClient, worker: Worker, control: httpx.AsyncClient
) -> None:
    await retry_as(client, RetryConfig(QUICK, max_attempts=3))
    worker.fail(*[500] * 10)

    await client.create_task(parent=QUEUE, task=post(worker.url, "hopeless"))

    async def given_up_once() -> bool:
        [queue] = (await control.get("/_alta/queues")).json()["queues"]
        return bool(queue["given_up"] == 1)

    await until(given_up_once)
    [queue] = (await control.get("/_alta/queues")).json()["queues"]
    assert (queue["dispatched"], queue["failed"], queue["depth"]) == (3, 3, 0)
    assert len(worker.received) == 3


async def test_a_task_with_retries_of_its_own_does_not_follow_the_queue(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    await retry_as(client, RetryConfig(max_attempts=1))
    worker.fail(500, 500)
    task = post(worker.url)
    task.retry_config = RetryConfig(QUICK, max_attempts=5)

    await client.create_task(parent=QUEUE, task=task)

    await worker.requests(3)
