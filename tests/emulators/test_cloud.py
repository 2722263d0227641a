"""The local cloud is what the functions' descriptions say."""

from collections.abc import Iterator

import grpc
import httpx
import pytest
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.state import BUCKET, PROJECT, REGION
from infra.catalog import EventTrigger, Function, QueueTrigger, functions
from tests import loopback
from tests.conftest import Cloud

EVENTS = [one for one in functions() if isinstance(one.trigger, EventTrigger)]
QUEUES = [one.trigger for one in functions() if isinstance(one.trigger, QueueTrigger)]


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with loopback.blocking(timeout=30) as client:
        yield client


def test_a_path_that_no_function_has_is_answered_with_the_platforms_404(cloud: Cloud, http: httpx.Client) -> None:
    answer = http.get(f"{cloud.url}/nothing", headers={"X-Request-ID": "a-test"})

    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["requestId"] == answer.headers["X-Request-ID"] == "a-test"


def test_a_functions_path_reaches_it_with_and_without_a_closing_slash(cloud: Cloud, http: httpx.Client) -> None:
    assert [http.get(f"{cloud.url}/api/sessions{end}").status_code for end in ("", "/")] == [401, 401]


@pytest.mark.parametrize("function", EVENTS, ids=lambda one: one.name)
def test_an_event_function_is_pushed_to_with_time_to_work(cloud: Cloud, http: httpx.Client, function: Function) -> None:
    address = f"{cloud.ports.url('pubsub')}/v1/projects/{PROJECT}/subscriptions/{function.name}"
    trigger = function.trigger
    assert isinstance(trigger, EventTrigger)

    subscription = http.get(address).raise_for_status().json()

    assert subscription["topic"] == f"projects/{PROJECT}/topics/{trigger.topic}"
    assert subscription["pushConfig"]["pushEndpoint"] == f"{cloud.ports.url('internal')}/{function.name}"
    assert subscription["ackDeadlineSeconds"] >= function.timeout_seconds
    assert subscription["retryPolicy"]["maximumBackoff"] == f"{trigger.retry.maximum_backoff_seconds}s"
    given_up = subscription.get("deadLetterPolicy", {}).get("deadLetterTopic")
    assert given_up == (f"projects/{PROJECT}/topics/deadletter" if trigger.dead_letter else None)


def test_the_bucket_tells_each_prefix_to_one_topic_and_nothing_but_finished_objects(
    cloud: Cloud, http: httpx.Client
) -> None:
    configs = http.get(f"{cloud.ports.url('storage')}/storage/v1/b/{BUCKET}/notificationConfigs").json()["items"]

    assert {(one["object_name_prefix"], one["topic"].rpartition("/")[2]) for one in configs} == {
        (one.trigger.object_prefix, one.trigger.topic)
        for one in EVENTS
        if isinstance(one.trigger, EventTrigger) and one.trigger.object_prefix
    }
    assert {tuple(one["event_types"]) for one in configs} == {("OBJECT_FINALIZE",)}


def test_a_browser_may_send_every_header_that_a_signed_url_binds(cloud: Cloud, http: httpx.Client) -> None:
    rules = http.get(f"{cloud.ports.url('storage')}/storage/v1/b/{BUCKET}").json()["cors"]

    allowed = {header.lower() for header in rules[0]["responseHeader"]}
    assert {"content-type", "x-goog-content-length-range", "x-goog-if-generation-match", "x-goog-resumable"} <= allowed
    assert "PUT" in rules[0]["method"]


@pytest.mark.parametrize("trigger", QUEUES, ids=lambda one: one.queue)
def test_a_queue_has_the_limits_of_its_function(cloud: Cloud, trigger: QueueTrigger) -> None:
    with grpc.insecure_channel(cloud.ports.address("tasks")) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        queue = client.get_queue(name=f"projects/{PROJECT}/locations/{REGION}/queues/{trigger.queue}", timeout=30)

    assert queue.rate_limits.max_dispatches_per_second == trigger.max_dispatches_per_second
    assert queue.rate_limits.max_concurrent_dispatches == trigger.max_concurrent_dispatches
    assert queue.retry_config.max_attempts == trigger.max_attempts
