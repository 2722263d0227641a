"""The control door: counters, and faults on demand."""

from time import monotonic

import httpx
from google.cloud.tasks_v2 import CloudTasksAsyncClient

from tests.emulators.tasks.door import QUEUE, post
from tests.emulators.waiting import until
from tests.emulators.worker import Worker


async def test_a_running_emulator_says_that_it_is_ready(control: httpx.AsyncClient) -> None:
    assert (await control.get("/_alta/ready")).status_code == 200


async def test_a_queue_tells_its_depth_its_age_and_what_it_has_done(
    client: CloudTasksAsyncClient, control: httpx.AsyncClient, worker: Worker
) -> None:
    await client.pause_queue(name=QUEUE)
    for _ in range(3):
        await client.create_task(parent=QUEUE, task=post(worker.url))

    async def waiting() -> bool:
        [queue] = (await control.get("/_alta/queues")).json()["queues"]
        return bool(queue["depth"] == 3 and queue["oldest_age_seconds"] > 0.05)

    await until(waiting)
    await client.resume_queue(name=QUEUE)

    async def done() -> bool:
        [queue] = (await control.get("/_alta/queues")).json()["queues"]
        queue.pop("oldest_age_seconds")
        return bool(
            queue
            == {
                "name": QUEUE,
                "depth": 0,
                "in_flight": 0,
                "dispatched": 3,
                "succeeded": 3,
                "failed": 0,
                "given_up": 0,
            }
        )

    await until(done)


async def test_a_duplicated_dispatch_reaches_the_worker_twice_as_the_same_attempt(
    client: CloudTasksAsyncClient, control: httpx.AsyncClient, worker: Worker
) -> None:
    await control.post("/_alta/faults", json={"duplicate": 1})

    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/twice"))
    await worker.requests(2)
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/once"))

    first, second, third = await worker.requests(3)
    assert (first.path, second.path, third.path) == ("/twice", "/twice", "/once")
    assert second.headers["X-CloudTasks-TaskRetryCount"] == "0"


async def test_a_dropped_answer_makes_a_task_that_was_done_come_again(
    client: CloudTasksAsyncClient, control: httpx.AsyncClient, worker: Worker
) -> None:
    await control.post("/_alta/faults", json={"drop": 1})

    await client.create_task(parent=QUEUE, task=post(worker.url))

    _, second = await worker.requests(2)
    assert second.headers["X-CloudTasks-TaskRetryCount"] == "1"
    assert second.headers["X-CloudTasks-TaskPreviousResponse"] == "0"


async def test_a_delayed_dispatch_lets_others_pass(
    client: CloudTasksAsyncClient, control: httpx.AsyncClient, worker: Worker
) -> None:
    await control.post("/_alta/faults", json={"delay": 1, "delay_seconds": 0.3})
    await client.pause_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/held"))
    await client.create_task(parent=QUEUE, task=post(f"{worker.url}/free"))
    started = monotonic()

    await client.resume_queue(name=QUEUE)

    received = await worker.requests(2)
    assert [request.path for request in received] == ["/free", "/held"]
    assert monotonic() - started >= 0.3


async def test_an_unknown_fault_is_refused_and_nothing_changes(control: httpx.AsyncClient) -> None:
    answer = await control.post("/_alta/faults", json={"explode": 1})

    assert answer.status_code == 400
    assert (await control.get("/_alta/faults")).json()["duplicate"] == 0
