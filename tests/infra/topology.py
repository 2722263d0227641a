"""What wakes the functions, in one form for both clouds: here read from what Terraform plans."""

from collections.abc import Mapping
from dataclasses import dataclass

from tests.infra.provider.standin import PROJECT_NUMBER
from tests.infra.workspace import Plan, Values

Seconds = float


@dataclass(frozen=True)
class Subscription:
    """A push subscription: to whom, how long an answer may take, how it is tried again, and when it is given up."""

    topic: str
    function: str
    ack_deadline: Seconds
    minimum_backoff: Seconds
    maximum_backoff: Seconds
    dead_letter_topic: str | None
    max_delivery_attempts: int | None


@dataclass(frozen=True)
class Notification:
    """What the bucket tells to which topic."""

    topic: str
    prefix: str
    events: frozenset[str]
    payload: str


@dataclass(frozen=True)
class Queue:
    """The limits of a queue; `max_attempts` counts the first try, -1 has no limit."""

    max_dispatches_per_second: float
    max_concurrent_dispatches: int
    max_attempts: int
    min_backoff: Seconds
    max_backoff: Seconds
    max_doublings: int


@dataclass(frozen=True)
class Schedule:
    """What the clock wakes, when, and how long it waits for an answer."""

    function: str
    cron: str
    time_zone: str
    attempt_deadline: Seconds


@dataclass(frozen=True)
class Topology:
    """Everything that must be the same in both clouds."""

    topics: frozenset[str]
    notifications: frozenset[Notification]
    subscriptions: Mapping[str, Subscription]
    queues: Mapping[str, Queue]
    schedules: Mapping[str, Schedule]
    cors_headers: frozenset[str]
    cors_methods: frozenset[str]


def planned(plan: Plan) -> Topology:
    """What Terraform would make on Google Cloud."""
    cors = plan.one("google_storage_bucket", "data")["cors"][0]
    return Topology(
        topics=frozenset(values["name"] for values in plan.of("google_pubsub_topic").values()),
        notifications=frozenset(map(_notification, plan.of("google_storage_notification").values())),
        subscriptions={one["name"]: _subscription(one) for one in plan.of("google_pubsub_subscription").values()},
        queues={one["name"]: _queue(one) for one in plan.of("google_cloud_tasks_queue").values()},
        schedules={one["name"]: _schedule(one) for one in plan.of("google_cloud_scheduler_job").values()},
        cors_headers=frozenset(header.lower() for header in cors["response_header"]),
        cors_methods=frozenset(cors["method"]),
    )


def planned_routes(plan: Plan) -> dict[str, str]:
    """Path prefix → function, from the URL map."""
    backends = plan.of("google_compute_backend_service")
    functions = {
        f"projects/{plan.project}/global/backendServices/{values['name']}": name for name, values in backends.items()
    }
    (matcher,) = plan.one("google_compute_url_map")["path_matcher"]
    return {
        path: functions[rule["service"]]
        for rule in matcher["path_rule"]
        for path in rule["paths"]
        if not path.endswith("/*")
    }


def seconds(duration: str) -> Seconds:
    """`1.5s` as a number."""
    return float(duration.removesuffix("s"))


def last(resource_name: str) -> str:
    """The last part of a resource name such as `projects/P/topics/T`."""
    return resource_name.rpartition("/")[2]


def _notification(values: Values) -> Notification:
    return Notification(
        topic=last(values["topic"]),
        prefix=values["object_name_prefix"],
        events=frozenset(values["event_types"]),
        payload=values["payload_format"],
    )


def _subscription(values: Values) -> Subscription:
    (retry,) = values["retry_policy"]
    (push,) = values["push_config"]
    given_up = values["dead_letter_policy"][0] if values["dead_letter_policy"] else None
    return Subscription(
        topic=last(values["topic"]),
        function=_at(push["push_endpoint"]),
        ack_deadline=values["ack_deadline_seconds"],
        minimum_backoff=seconds(retry["minimum_backoff"]),
        maximum_backoff=seconds(retry["maximum_backoff"]),
        dead_letter_topic=last(given_up["dead_letter_topic"]) if given_up else None,
        max_delivery_attempts=given_up["max_delivery_attempts"] if given_up else None,
    )


def _queue(values: Values) -> Queue:
    (rates,), (retry,) = values["rate_limits"], values["retry_config"]
    return Queue(
        max_dispatches_per_second=rates["max_dispatches_per_second"],
        max_concurrent_dispatches=rates["max_concurrent_dispatches"],
        max_attempts=retry["max_attempts"],
        min_backoff=seconds(retry["min_backoff"]),
        max_backoff=seconds(retry["max_backoff"]),
        max_doublings=retry["max_doublings"],
    )


def _schedule(values: Values) -> Schedule:
    return Schedule(
        function=_at(values["http_target"][0]["uri"]),
        cron=values["schedule"],
        time_zone=values["time_zone"],
        attempt_deadline=seconds(values["attempt_deadline"]),
    )


def _at(url: str) -> str:
    """The function at an address such as `https://ocr-123456789012.europe-west1.run.app`."""
    return url.removeprefix("https://").split(f"-{PROJECT_NUMBER}.")[0]
