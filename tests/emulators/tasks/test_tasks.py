"""Tasks: names, what is checked, what is shown, and what a name's tombstone does."""

from datetime import UTC, datetime, timedelta

import pytest
from google.api_core.exceptions import AlreadyExists, InvalidArgument, MethodNotImplemented, NotFound
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import (
    AppEngineHttpRequest,
    CreateTaskRequest,
    GetTaskRequest,
    HttpMethod,
    HttpRequest,
    Queue,
    RetryConfig,
    Task,
)

from emulators.tasks.messages import moment
from emulators.tasks.server import Options, running
from tests.emulators.tasks.door import LOCATION, QUEUE, calling, post
from tests.emulators.waiting import until
from tests.emulators.worker import Worker

NOWHERE = "http://127.0.0.1:1/"


@pytest.fixture(autouse=True)
async def _paused(client: CloudTasksAsyncClient) -> None:
    """Nothing is dispatched unless a test resumes the queue."""
    await client.pause_queue(name=QUEUE)


async def gone(client: CloudTasksAsyncClient, name: str) -> bool:
    """Whether a task no longer exists."""
    try:
        await client.get_task(name=name)
    except NotFound:
        return True
    return False


async def test_a_task_is_completed_with_a_name_a_time_and_the_defaults(client: CloudTasksAsyncClient) -> None:
    before = datetime.now(UTC)

    task = await client.create_task(parent=QUEUE, task=post(NOWHERE))

    assert task.name.startswith(f"{QUEUE}/tasks/")
    assert before <= moment(task.schedule_time) <= datetime.now(UTC)
    assert moment(task.create_time).microsecond == 0
    assert task.dispatch_deadline == timedelta(minutes=10)
    assert task.http_request.http_method == HttpMethod.POST
    assert task.http_request.headers["User-Agent"] == "Google-Cloud-Tasks"


async def test_what_only_the_service_may_set_is_not_taken_from_the_caller(client: CloudTasksAsyncClient) -> None:
    given = post(NOWHERE)
    given.dispatch_count = given.response_count = 5

    task = await client.create_task(parent=QUEUE, task=given)

    assert (task.dispatch_count, task.response_count) == (0, 0)


async def test_the_body_is_shown_in_the_full_view_only(client: CloudTasksAsyncClient) -> None:
    created = await client.create_task(parent=QUEUE, task=post(NOWHERE, "shown", b"secret"))
    full = await client.get_task(GetTaskRequest(name=created.name, response_view=Task.View.FULL))

    assert (created.http_request.body, created.view) == (b"", Task.View.BASIC)
    assert (full.http_request.body, full.view) == (b"secret", Task.View.FULL)


async def test_tasks_are_listed_page_by_page(client: CloudTasksAsyncClient) -> None:
    for number in range(5):
        await client.create_task(parent=QUEUE, task=post(NOWHERE, f"t{number}"))

    pages = [page async for page in (await client.list_tasks({"parent": QUEUE, "page_size": 2})).pages]

    assert [len(page.tasks) for page in pages] == [2, 2, 1]
    assert len({task.name for page in pages for task in page.tasks}) == 5


@pytest.mark.parametrize("name", ["a b", "é", "a" * 501, "a/b", ""])
async def test_a_malformed_task_name_is_an_invalid_argument(client: CloudTasksAsyncClient, name: str) -> None:
    task = post(NOWHERE)
    task.name = f"{QUEUE}/tasks/{name}"
    with pytest.raises(InvalidArgument, match="Task ID"):
        await client.create_task(parent=QUEUE, task=task)


async def test_a_task_name_of_another_queue_or_of_nothing_is_an_invalid_argument(client: CloudTasksAsyncClient) -> None:
    elsewhere = post(NOWHERE)
    elsewhere.name = f"{LOCATION}/queues/other/tasks/t1"
    with pytest.raises(InvalidArgument, match="must be the same as the queue name"):
        await client.create_task(parent=QUEUE, task=elsewhere)
    with pytest.raises(InvalidArgument, match="Task name must be formatted"):
        await client.get_task(name="t1")


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (Task(), "httpRequest is required"),
        (Task(http_request=HttpRequest(http_method="GET")), "url is required"),
        (Task(http_request=HttpRequest(url="ftp://host/")), "must start with 'http://' or 'https://'"),
        (Task(http_request=HttpRequest(url=NOWHERE + "a" * 2083)), "at most 2083 characters"),
        (Task(http_request=HttpRequest(url=NOWHERE, http_method="GET", body=b"x")), "body is not allowed with GET"),
        (Task(http_request=HttpRequest(url=NOWHERE, headers={"a": "b" * 80 * 1024})), "less than 80KB"),
        (Task(http_request=HttpRequest(url=NOWHERE), dispatch_deadline=timedelta(seconds=14)), "dispatchDeadline"),
        (Task(http_request=HttpRequest(url=NOWHERE), dispatch_deadline=timedelta(minutes=31)), "dispatchDeadline"),
        (Task(http_request=HttpRequest(url=NOWHERE), retry_config=RetryConfig(max_attempts=-2)), "maxAttempts"),
    ],
)
async def test_a_task_that_breaks_a_rule_is_an_invalid_argument(
    client: CloudTasksAsyncClient, task: Task, message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message):
        await client.create_task(parent=QUEUE, task=task)


async def test_a_task_is_scheduled_thirty_days_ahead_at_most(client: CloudTasksAsyncClient) -> None:
    late = post(NOWHERE, at=datetime.now(UTC) + timedelta(days=30, minutes=1))
    with pytest.raises(InvalidArgument, match="30 days"):
        await client.create_task(parent=QUEUE, task=late)


async def test_an_http_task_may_be_one_megabyte_and_another_one_a_hundred_kilobytes(
    client: CloudTasksAsyncClient,
) -> None:
    await client.create_task(parent=QUEUE, task=post(NOWHERE, body=b"x" * 1023 * 1024))
    with pytest.raises(InvalidArgument, match="Task size too large"):
        await client.create_task(parent=QUEUE, task=post(NOWHERE, body=b"x" * 1024 * 1024))
    large = AppEngineHttpRequest(relative_uri="/", body=b"x" * 100 * 1024)
    with pytest.raises(InvalidArgument, match="Task size too large"):
        await client.create_task(parent=QUEUE, task=Task(app_engine_http_request=large))


async def test_an_app_engine_task_is_not_emulated_and_says_so(client: CloudTasksAsyncClient) -> None:
    task = Task(app_engine_http_request=AppEngineHttpRequest(relative_uri="/"))
    with pytest.raises(MethodNotImplemented):
        await client.create_task(parent=QUEUE, task=task)


async def test_a_name_in_use_is_refused(client: CloudTasksAsyncClient) -> None:
    await client.create_task(parent=QUEUE, task=post(NOWHERE, "tick-1"))
    with pytest.raises(AlreadyExists, match="already exists"):
        await client.create_task(parent=QUEUE, task=post(NOWHERE, "tick-1"))


async def test_the_name_of_a_task_that_is_done_stays_taken(client: CloudTasksAsyncClient, worker: Worker) -> None:
    await client.resume_queue(name=QUEUE)
    task = await client.create_task(parent=QUEUE, task=post(worker.url, "tick-2"))
    await until(lambda: gone(client, task.name))

    with pytest.raises(AlreadyExists, match="existed too recently"):
        await client.create_task(parent=QUEUE, task=post(worker.url, "tick-2"))
    with pytest.raises(NotFound, match="no longer exists"):
        await client.get_task(name=task.name)


async def test_the_name_of_a_deleted_or_purged_task_stays_taken(client: CloudTasksAsyncClient) -> None:
    deleted = await client.create_task(parent=QUEUE, task=post(NOWHERE, "deleted"))
    await client.create_task(parent=QUEUE, task=post(NOWHERE, "purged"))

    await client.delete_task(name=deleted.name)
    queue = await client.purge_queue(name=QUEUE)

    assert datetime.now(UTC) - moment(queue.purge_time) < timedelta(minutes=1)
    assert [task async for task in await client.list_tasks(parent=QUEUE)] == []
    for name in ("deleted", "purged"):
        with pytest.raises(AlreadyExists, match="existed too recently"):
            await client.create_task(parent=QUEUE, task=post(NOWHERE, name))


async def test_a_name_is_free_again_when_its_tombstone_has_gone() -> None:
    async with running(Options(port=0, tombstone_seconds=0.05)) as ports, calling(ports.grpc) as client:
        await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE))
        await client.pause_queue(name=QUEUE)
        await client.create_task(parent=QUEUE, task=post(NOWHERE, "again"))
        await client.delete_task(name=f"{QUEUE}/tasks/again")

        async def created() -> bool:
            try:
                await client.create_task(CreateTaskRequest(parent=QUEUE, task=post(NOWHERE, "again")))
            except AlreadyExists:
                return False
            return True

        await until(created)


async def test_a_task_that_never_was_is_not_found(client: CloudTasksAsyncClient) -> None:
    for call in (client.get_task, client.delete_task, client.run_task):
        with pytest.raises(NotFound, match="Requested entity was not found"):
            await call(name=f"{QUEUE}/tasks/never")
