"""Makes in the emulators what Terraform makes on Google Cloud, from the same description: `infra.catalog`.

Everything here may be done again: what is there is brought to what it should be.
"""

import json
from collections.abc import Iterable
from http import HTTPStatus

import grpc
import httpx
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport
from google.protobuf.duration_pb2 import Duration

from emulators.ports import Ports
from emulators.state import BUCKET, PROJECT, REGION
from infra.catalog import ROOT, EventTrigger, Function, QueueTrigger

DEAD_LETTER_TOPIC = "deadletter"
"""Where a subscription puts what its function failed on too often; the function of this name listens to it."""

_SHORTEST_ACK_DEADLINE = 10
_LONGEST_ACK_DEADLINE = 600
"""Seconds (https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions)."""

_CORS = [{"origin": ["*"], **json.loads((ROOT / "infra" / "cors.json").read_text())}]
"""What pages may send to the bucket and read of its answers, which Terraform reads from the same file."""

_TIMEOUT = 30.0


def topics_and_subscriptions(functions: Iterable[Function], ports: Ports) -> None:
    """One topic and one push subscription for each event function, with back-off and dead letter."""
    woken = [(one, one.trigger) for one in functions if isinstance(one.trigger, EventTrigger)]
    with _client(f"{ports.url('pubsub')}/v1/projects/{PROJECT}") as pubsub:
        for _, trigger in woken:
            _expect(pubsub.put(f"/topics/{trigger.topic}", json={}), HTTPStatus.CONFLICT)
        for function, trigger in woken:
            address = f"/subscriptions/{function.name}"
            # Its settings may have changed; the emulator keeps none of it between runs, so nothing is lost.
            _expect(pubsub.delete(address), HTTPStatus.NOT_FOUND)
            _expect(pubsub.put(address, json=_subscription(function, trigger, ports)))


def bucket_and_notifications(functions: Iterable[Function], ports: Ports) -> None:
    """The bucket, its CORS rules, and one notification of finalised objects for each prefix."""
    with _client(f"{ports.url('storage')}/storage/v1") as storage:
        settings = {"name": BUCKET, "cors": _CORS, "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}}}
        made = _expect(storage.post("/b", params={"project": PROJECT}, json=settings), HTTPStatus.CONFLICT)
        if made.status_code == HTTPStatus.CONFLICT:
            _expect(storage.patch(f"/b/{BUCKET}", json={"cors": _CORS}))
        configs = f"/b/{BUCKET}/notificationConfigs"
        for old in _expect(storage.get(configs)).json().get("items", []):
            _expect(storage.delete(f"{configs}/{old['id']}"))
        for function in functions:
            if isinstance(function.trigger, EventTrigger) and function.trigger.object_prefix:
                _expect(storage.post(configs, json=_notification(function.trigger)))


def queues(functions: Iterable[Function], ports: Ports) -> None:
    """One queue for each task function, with its limits."""
    with grpc.insecure_channel(ports.address("tasks"), options=[("grpc.enable_http_proxy", 0)]) as channel:
        client = tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
        for function in functions:
            if isinstance(function.trigger, QueueTrigger):
                client.update_queue(queue=_queue(function.trigger), timeout=_TIMEOUT)


def _subscription(function: Function, trigger: EventTrigger, ports: Ports) -> dict[str, object]:
    deadline = min(max(function.timeout_seconds, _SHORTEST_ACK_DEADLINE), _LONGEST_ACK_DEADLINE)
    subscription: dict[str, object] = {
        "topic": _topic(trigger.topic),
        "pushConfig": {"pushEndpoint": f"{ports.url('internal')}/{function.name}"},
        "ackDeadlineSeconds": deadline,
        "retryPolicy": {
            "minimumBackoff": f"{trigger.retry.minimum_backoff_seconds}s",
            "maximumBackoff": f"{trigger.retry.maximum_backoff_seconds}s",
        },
    }
    if trigger.dead_letter:
        subscription["deadLetterPolicy"] = {
            "deadLetterTopic": _topic(DEAD_LETTER_TOPIC),
            "maxDeliveryAttempts": trigger.retry.max_delivery_attempts,
        }
    return subscription


def _notification(trigger: EventTrigger) -> dict[str, object]:
    return {
        "topic": f"//pubsub.googleapis.com/{_topic(trigger.topic)}",
        "event_types": ["OBJECT_FINALIZE"],
        "object_name_prefix": trigger.object_prefix,
        "payload_format": "JSON_API_V1",
    }


def _queue(trigger: QueueTrigger) -> tasks_v2.Queue:
    return tasks_v2.Queue(
        name=f"projects/{PROJECT}/locations/{REGION}/queues/{trigger.queue}",
        rate_limits=tasks_v2.RateLimits(
            max_dispatches_per_second=trigger.max_dispatches_per_second,
            max_concurrent_dispatches=trigger.max_concurrent_dispatches,
        ),
        retry_config=tasks_v2.RetryConfig(
            max_attempts=trigger.max_attempts,
            min_backoff=_duration(trigger.min_backoff_seconds),
            max_backoff=_duration(trigger.max_backoff_seconds),
            max_doublings=trigger.max_doublings,
        ),
    )


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=int(seconds % 1 * 1e9))


def _topic(name: str) -> str:
    return f"projects/{PROJECT}/topics/{name}"


def _client(base: str) -> httpx.Client:
    return httpx.Client(base_url=base, timeout=_TIMEOUT, trust_env=False)


def _expect(answer: httpx.Response, *also: HTTPStatus) -> httpx.Response:
    """The answer, if it is a success or one of `also`; raises httpx.HTTPStatusError otherwise."""
    return answer if answer.status_code in also else answer.raise_for_status()
