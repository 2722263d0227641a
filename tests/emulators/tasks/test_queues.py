"""Queues: their settings, their state, and what is refused."""

from datetime import timedelta

import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    InvalidArgument,
    MethodNotImplemented,
    NotFound,
)
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.types import HttpTarget, ListQueuesRequest, Queue, RateLimits, RetryConfig
from google.protobuf.field_mask_pb2 import FieldMask

from tests.emulators.tasks.door import LOCATION, QUEUE, post

OTHER = f"{LOCATION}/queues/operations"


async def test_a_queue_created_without_settings_gets_googles_defaults(client: CloudTasksAsyncClient) -> None:
    await client.create_queue(parent=LOCATION, queue=Queue(name=OTHER))

    queue = await client.get_queue(name=OTHER)

    assert queue.state == Queue.State.RUNNING
    assert queue.rate_limits == RateLimits(
        max_dispatches_per_second=500, max_burst_size=100, max_concurrent_dispatches=1000
    )
    assert queue.retry_config == RetryConfig(
        max_attempts=100,
        max_retry_duration=timedelta(0),
        min_backoff=timedelta(milliseconds=100),
        max_backoff=timedelta(hours=1),
        max_doublings=16,
    )


async def test_a_queue_name_can_be_used_once(client: CloudTasksAsyncClient) -> None:
    with pytest.raises(AlreadyExists, match="Queue already exists"):
        await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE))


@pytest.mark.parametrize(
    "name",
    ["progress", f"{LOCATION}/queues/", f"{LOCATION}/queues/a_b", f"{LOCATION}/queues/{'a' * 101}", f"{QUEUE}/tasks/1"],
)
async def test_a_malformed_queue_name_is_an_invalid_argument(client: CloudTasksAsyncClient, name: str) -> None:
    with pytest.raises(InvalidArgument, match="Queue name must be formatted"):
        await client.create_queue(parent=LOCATION, queue=Queue(name=name))


async def test_a_queue_is_created_in_its_own_location_only(client: CloudTasksAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="must start with the parent"):
        await client.create_queue(parent="projects/alta-test/locations/us-central1", queue=Queue(name=OTHER))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Queue(rate_limits=RateLimits(max_dispatches_per_second=501)), "less than or equal to 500"),
        (Queue(rate_limits=RateLimits(max_dispatches_per_second=-1)), "maxDispatchesPerSecond cannot be negative"),
        (Queue(rate_limits=RateLimits(max_concurrent_dispatches=5001)), "less than or equal to 5000"),
        (Queue(rate_limits=RateLimits(max_concurrent_dispatches=-1)), "maxConcurrentDispatches cannot be negative"),
        (Queue(retry_config=RetryConfig(max_attempts=-2)), "greater or equal to -1"),
        (Queue(retry_config=RetryConfig(max_doublings=-1)), "maxDoublings cannot be negative"),
        (Queue(retry_config=RetryConfig(min_backoff=timedelta(seconds=-1))), "minBackoff cannot be negative"),
        (
            Queue(retry_config=RetryConfig(min_backoff=timedelta(seconds=2), max_backoff=timedelta(seconds=1))),
            "less than or equal to RetryConfig.maxBackoff",
        ),
    ],
)
async def test_a_setting_out_of_range_is_an_invalid_argument(
    client: CloudTasksAsyncClient, settings: Queue, message: str
) -> None:
    settings.name = OTHER
    with pytest.raises(InvalidArgument, match=message):
        await client.create_queue(parent=LOCATION, queue=settings)


async def test_what_is_not_emulated_says_so(client: CloudTasksAsyncClient) -> None:
    with pytest.raises(MethodNotImplemented):
        await client.create_queue(parent=LOCATION, queue=Queue(name=OTHER, http_target=HttpTarget(http_method="GET")))
    with pytest.raises(MethodNotImplemented):
        await client.list_queues(request=ListQueuesRequest(parent=LOCATION, filter="state: PAUSED"))
    with pytest.raises(MethodNotImplemented):
        await client.get_iam_policy(request={"resource": QUEUE})


async def test_queues_of_a_location_are_listed_page_by_page(client: CloudTasksAsyncClient) -> None:
    for name in ("a", "b", "c"):
        await client.create_queue(parent=LOCATION, queue=Queue(name=f"{LOCATION}/queues/{name}"))
    elsewhere = "projects/alta-test/locations/us-central1"
    await client.create_queue(parent=elsewhere, queue=Queue(name=f"{elsewhere}/queues/d"))

    pages = [page async for page in (await client.list_queues({"parent": LOCATION, "page_size": 3})).pages]

    names = [[queue.name.rpartition("/")[2] for queue in page.queues] for page in pages]
    assert names == [["a", "b", "c"], ["progress"]]


async def test_a_page_token_that_was_never_given_out_is_an_invalid_argument(client: CloudTasksAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="page token"):
        await client.list_queues({"parent": LOCATION, "page_token": "é"})
    with pytest.raises(InvalidArgument, match="page size"):
        await client.list_queues({"parent": LOCATION, "page_size": -1})


async def test_an_update_changes_the_fields_of_its_mask_and_no_other(client: CloudTasksAsyncClient) -> None:
    await client.pause_queue(name=QUEUE)
    change = Queue(
        name=QUEUE,
        state=Queue.State.RUNNING,
        rate_limits=RateLimits(max_dispatches_per_second=1, max_concurrent_dispatches=7),
        retry_config=RetryConfig(max_attempts=3),
    )

    await client.update_queue(queue=change, update_mask=FieldMask(paths=["rate_limits.max_dispatches_per_second"]))

    queue = await client.get_queue(name=QUEUE)
    assert queue.rate_limits == RateLimits(
        max_dispatches_per_second=1, max_burst_size=10, max_concurrent_dispatches=1000
    )
    assert queue.retry_config.max_attempts == 100
    assert queue.state == Queue.State.PAUSED, "the state is output only"


async def test_an_update_without_a_mask_replaces_all_settings(client: CloudTasksAsyncClient) -> None:
    queue = await client.update_queue(queue=Queue(name=QUEUE, retry_config=RetryConfig(max_attempts=3)))

    assert queue.retry_config.max_attempts == 3
    assert queue.retry_config.max_backoff == timedelta(hours=1)


async def test_an_update_of_an_unknown_field_is_an_invalid_argument(client: CloudTasksAsyncClient) -> None:
    with pytest.raises(InvalidArgument, match="mask"):
        await client.update_queue(queue=Queue(name=QUEUE), update_mask=FieldMask(paths=["colour"]))


async def test_an_update_of_a_missing_queue_creates_it(client: CloudTasksAsyncClient) -> None:
    await client.update_queue(queue=Queue(name=OTHER, retry_config=RetryConfig(max_attempts=-1)))

    assert (await client.get_queue(name=OTHER)).retry_config.max_attempts == -1


async def test_a_deleted_queue_takes_its_tasks_with_it_and_can_be_created_again(client: CloudTasksAsyncClient) -> None:
    await client.pause_queue(name=QUEUE)
    await client.create_task(parent=QUEUE, task=post("http://127.0.0.1:1/"))

    await client.delete_queue(name=QUEUE)

    with pytest.raises(NotFound, match="Queue does not exist"):
        await client.get_queue(name=QUEUE)
    await client.create_queue(parent=LOCATION, queue=Queue(name=QUEUE))
    assert [task async for task in await client.list_tasks(parent=QUEUE)] == []


async def test_every_call_on_a_missing_queue_is_not_found(client: CloudTasksAsyncClient) -> None:
    for call in (client.get_queue, client.purge_queue, client.pause_queue, client.resume_queue, client.delete_queue):
        with pytest.raises(NotFound):
            await call(name=OTHER)
    with pytest.raises(NotFound):
        await client.create_task(parent=OTHER, task=post("http://127.0.0.1:1/"))
    with pytest.raises(NotFound):
        await client.list_tasks(parent=OTHER)
