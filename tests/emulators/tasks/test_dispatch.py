"""Dispatch: the request that a worker receives, when it comes, and how many at a time."""

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from time import time

import httpx
import pytest
from google.api_core.exceptions import NotFound
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import HttpMethod, HttpRequest, OidcToken, Queue, RateLimits, Task
from google.protobuf.field_mask_pb2 import FieldMask
from starlette.responses import RedirectResponse

from emulators.tasks.throttle import SLOWEST, TokenBucket
from tests.emulators.tasks.door import QUEUE, post
from tests.emulators.waiting import until
from tests.emulators.worker import Worker


async def limit(client: CloudTasksAsyncClient, **limits: float) -> None:
    """Sets rate limits of the queue."""
    change = Queue(name=QUEUE, rate_limits=RateLimits(**limits))
    await client.update_queue(queue=change, update_mask=FieldMask(paths=[f"rate_limits.{name}" for name in limits]))


async def test_a_worker_receives_the_request_of_the_task(client: CloudTasksAsyncClient, worker: Worker) -> None:
    request = HttpRequest(
        url=f"{worker.url}/progress?a=1",
        http_method=HttpMethod.PUT,
        headers={"Content-Type": "application/json", "X-Request-ID": "r-1"},
        body=b'{"session": "ses_1"}',
    )

    await client.create_task(parent=QUEUE, task=Task(name=f"{QUEUE}/tasks/t1", http_request=request))

    [received] = await worker.requests(1)
    assert (received.method, received.path, received.body) == ("PUT", "/progress", b'{"session": "ses_1"}')
    assert received.headers["Content-Type"] == "application/json"
    assert received.headers["X-Request-ID"] == "r-1"
    assert received.headers["X-CloudTasks-QueueName"] == "progress"
    assert received.headers["X-CloudTasks-TaskName"] == "t1"
    assert received.headers["X-CloudTasks-TaskRetryCount"] == "0"
    assert received.headers["X-CloudTasks-TaskExecutionCount"] == "0"
    assert received.headers["User-Agent"] == "Google-Cloud-Tasks"
    assert abs(float(received.headers["X-CloudTasks-TaskETA"]) - received.at) < 5
    assert "X-CloudTasks-TaskPreviousResponse" not in received.headers
    assert "X-CloudTasks-TaskRetryReason" not in received.headers
    assert "Authorization" not in received.headers


async def test_headers_that_only_google_may_set_are_not_taken_from_the_task(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    forged = {
        "X-CloudTasks-TaskName": "forged",
        "x-cloudtasks-other": "forged",
        "X-AppEngine-QueueName": "forged",
        "X-Google-Thing": "forged",
        "user-agent": "forged",
        "Host": "forged",
        "Content-Length": "1",
        "Authorization": "Basic mine",
    }

    await client.create_task(
        parent=QUEUE, task=Task(http_request=HttpRequest(url=worker.url, headers=forged, body=b"whole body"))
    )

    [received] = await worker.requests(1)
    assert "forged" not in received.headers.values()
    assert received.body == b"whole body"
    assert received.headers["Authorization"] == "Basic mine"


@pytest.mark.parametrize("audience", ["https://progress.example", ""])
async def test_an_oidc_token_names_the_account_and_the_audience(
    client: CloudTasksAsyncClient, worker: Worker, audience: str
) -> None:
    token = OidcToken(service_account_email="tasks@alta-test.iam.gserviceaccount.com", audience=audience)
    request = HttpRequest(url=f"{worker.url}/progress", oidc_token=token, headers={"authorization": "Basic mine"})

    await client.create_task(parent=QUEUE, task=Task(http_request=request))

    [received] = await worker.requests(1)
    scheme, _, jwt = received.headers["Authorization"].partition(" ")
    header, claims, signature = jwt.split(".")
    decoded = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (scheme, signature) == ("Bearer", "")
    assert json.loads(base64.urlsafe_b64decode(header + "=="))["alg"] == "none"
    assert decoded["aud"] == (audience or f"{worker.url}/progress")
    assert decoded["email"] == "tasks@alta-test.iam.gserviceaccount.com"
    assert decoded["exp"] > time()


async def test_a_task_waits_for_its_schedule_time(client: CloudTasksAsyncClient, worker: Worker) -> None:
    later = datetime.now(UTC) + timedelta(seconds=0.4)
    due = later.timestamp()

    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/now"))
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/later", at=later))

    first, second = await worker.requests(2)
    assert (first.path, second.path) == ("/now", "/later")
    assert second.at >= due
    assert float(second.headers["X-CloudTasks-TaskETA"]) == pytest.approx(due, abs=1e-5)


async def test_a_paused_queue_takes_tasks_and_dispatches_them_when_resumed(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    await client.pause_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=post(worker.url))
    assert len([task async for task in await client.list_tasks(parent=QUEUE)]) == 1
    assert worker.received == []

    await client.resume_queue(name=QUEUE)

    await worker.requests(1)


async def test_a_task_can_be_forced_to_run_before_its_time_in_a_paused_queue(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    await client.pause_queue(name=QUEUE)
    later = datetime.now(UTC) + timedelta(hours=1)
    task = await client.create_task(parent=QUEUE, task=post(worker.url, at=later))

    ran = await client.run_task(name=task.name)

    assert ran.dispatch_count == 1
    assert "response_time" not in ran.last_attempt
    await worker.requests(1)


async def test_a_redirect_is_followed_and_counts_as_the_same_attempt(
    client: CloudTasksAsyncClient, worker: Worker
) -> None:
    worker.answers.append(RedirectResponse(f"{worker.url}/moved"))

    await client.create_task(parent=QUEUE, task=post(worker.url))

    _, second = await worker.requests(2)
    assert second.path == "/moved"
    assert second.headers["X-CloudTasks-TaskRetryCount"] == "0"


async def test_no_more_tasks_are_in_flight_than_the_queue_allows(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await limit(client, max_concurrent_dispatches=2)
    worker.open.clear()
    for _ in range(6):
        await client.create_task(parent=QUEUE, task=post(worker.url))
    await worker.requests(2)

    worker.open.set()

    await worker.requests(6)
    assert worker.peak == 2


async def test_a_queue_dispatches_its_burst_and_then_its_rate(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await limit(client, max_dispatches_per_second=20)
    assert (await client.get_queue(name=QUEUE)).rate_limits.max_burst_size == 10
    started = time()

    for _ in range(20):
        await client.create_task(parent=QUEUE, task=post(worker.url))

    received = await worker.requests(20)
    assert received[-1].at - started >= 0.5, "ten come at once, each of the other ten needs a new token"


async def test_a_deleted_or_purged_task_is_not_dispatched(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await client.pause_queue(name=QUEUE)
    deleted = await client.create_task(parent=QUEUE, task=post(f"{worker.url}/deleted"))
    await client.delete_task(name=deleted.name)
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/purged"))
    await client.purge_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/kept"))

    await client.resume_queue(name=QUEUE)

    [received] = await worker.requests(1)
    assert received.path == "/kept"


async def test_an_attempt_that_outlives_its_deadline_is_cancelled_and_tried_again(
    client: CloudTasksAsyncClient, worker: Worker, control: httpx.AsyncClient
) -> None:
    await control.post("/_alta/faults", json={"deadline_seconds": 0.2})
    worker.open.clear()
    task = await client.create_task(parent=QUEUE, task=post(worker.url))
    _, second = await worker.requests(2)

    stored = await client.get_task(name=task.name)

    assert second.headers["X-CloudTasks-TaskRetryCount"] == "1"
    assert second.headers["X-CloudTasks-TaskPreviousResponse"] == "0"
    assert second.headers["X-CloudTasks-TaskExecutionCount"] == "0"
    assert stored.response_count == 0
    worker.open.set()


async def test_a_worker_that_is_down_is_tried_again_until_it_is_up(
    client: CloudTasksAsyncClient, unused_tcp_port: int
) -> None:
    task = await client.create_task(parent=QUEUE, task=post(f"http://127.0.0.1:{unused_tcp_port}/"))

    async def refused_twice() -> bool:
        stored = await client.get_task(name=task.name)
        return stored.dispatch_count > 2 and "UNAVAILABLE(14)" in stored.last_attempt.response_status.message

    await until(refused_twice)
    received = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()
        received.set()

    async with await asyncio.start_server(serve, "127.0.0.1", unused_tcp_port), asyncio.timeout(10):
        await received.wait()

        async def done() -> bool:
            try:
                await client.get_task(name=task.name)
            except NotFound:
                return True
            return False

        await until(done)


def test_a_token_bucket_holds_its_burst_and_fills_at_its_rate() -> None:
    bucket = TokenBucket(RateLimits(max_dispatches_per_second=10, max_burst_size=3), now=100)
    assert bucket.available(100) == 3
    for _ in range(3):
        bucket.take()
    assert bucket.available(100) == 0
    assert bucket.wait(100) == pytest.approx(0.1)
    assert bucket.available(100.25) == 2
    assert bucket.available(1000) == 3
    assert bucket.available(900) == 3, "a clock that is set back takes nothing away"


def test_an_overloaded_worker_gets_half_the_rate_each_time_and_the_whole_when_it_recovers() -> None:
    bucket = TokenBucket(RateLimits(max_dispatches_per_second=10, max_burst_size=10), now=0)
    bucket.slow_down()
    assert bucket.available(0) == 1
    bucket.take()
    assert bucket.wait(0) == pytest.approx(0.2)
    bucket.slow_down()
    assert bucket.wait(0) == pytest.approx(0.4)
    for _ in range(20):
        bucket.slow_down()
    assert bucket.wait(0) == pytest.approx(0.1 / SLOWEST)
    for _ in range(20):
        bucket.speed_up()
    assert bucket.wait(0) == pytest.approx(0.1)


async def test_a_task_that_is_deleted_while_it_runs_is_not_tried_again(
    client: CloudTasksAsyncClient, worker: Worker, control: httpx.AsyncClient
) -> None:
    worker.open.clear()
    worker.fail(500)
    task = await client.create_task(parent=QUEUE, task=post(f"{worker.url}/deleted"))
    await worker.requests(1)
    await client.delete_task(name=task.name)
    worker.open.set()

    async def failed() -> bool:
        [queue] = (await control.get("/_alta/queues")).json()["queues"]
        return bool(queue["failed"] == 1)

    await until(failed)
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/next"))

    received = await worker.requests(2)
    assert [request.path for request in received] == ["/deleted", "/next"]
    [queue] = (await control.get("/_alta/queues")).json()["queues"]
    assert queue["depth"] <= 1, "only the task that came after may still be there"
