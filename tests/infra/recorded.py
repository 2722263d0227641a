"""What the local cloud's provisioner asks its emulators for, recorded on the wire and read as a topology."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import grpc
from google.cloud import tasks_v2

from emulators import parts, provision
from emulators.ports import Ports
from emulators.scheduler.jobs import Job, read
from emulators.state import State
from infra.catalog import Function
from tests.infra.topology import Notification, Queue, Schedule, Subscription, Topology, last, seconds


@dataclass
class Recorder:
    """Requests as they came: method, path and JSON body; and the queues that were asked for."""

    requests: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    queues: list[tasks_v2.Queue] = field(default_factory=list)

    def bodies(self, method: str, part: str) -> dict[str, dict[str, Any]]:
        """Path → body of the requests of this method with this part in their path."""
        return {path: body for done, path, body in self.requests if done == method and part in path}


def provisioned(functions: tuple[Function, ...], folder: Path) -> Topology:
    """What the provisioner makes of these functions; `folder` is an empty place for the scheduler's file."""
    with _recording() as (recorder, ports):
        provision.topics_and_subscriptions(functions, ports)
        provision.bucket_and_notifications(functions, ports)
        provision.queues(functions, ports)
    (bucket,) = recorder.bodies("POST", "/b?").values()
    notifications = [
        body for method, path, body in recorder.requests if method == "POST" and "notificationConfigs" in path
    ]
    return Topology(
        topics=frozenset(last(path) for path in recorder.bodies("PUT", "/topics/")),
        notifications=frozenset(map(_notification, notifications)),
        subscriptions={
            last(path): _subscription(body) for path, body in recorder.bodies("PUT", "/subscriptions/").items()
        },
        queues={last(queue.name): _queue(queue) for queue in recorder.queues},
        schedules={job.name: _schedule(job) for job in _jobs(folder)},
        cors_headers=frozenset(header.lower() for header in bucket["cors"][0]["responseHeader"]),
        cors_methods=frozenset(bucket["cors"][0]["method"]),
    )


def _jobs(folder: Path) -> list[Job]:
    """The file that the local scheduler is started with, as it reads it."""
    state = State(folder)
    with state.held():
        return read(parts._jobs(Ports(), state))


@contextmanager
def _recording() -> Iterator[tuple[Recorder, Ports]]:
    """Servers that answer every request with an empty success, and the ports they listen on."""
    recorder = Recorder()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(recorder))
    Thread(target=http.serve_forever, daemon=True).start()
    tasks = grpc.server(ThreadPoolExecutor(1))

    def update(request: tasks_v2.UpdateQueueRequest, _: grpc.ServicerContext) -> tasks_v2.Queue:
        recorder.queues.append(request.queue)
        return request.queue

    method = grpc.unary_unary_rpc_method_handler(
        update, tasks_v2.UpdateQueueRequest.deserialize, tasks_v2.Queue.serialize
    )
    tasks.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("google.cloud.tasks.v2.CloudTasks", {"UpdateQueue": method})]
    )
    tasks_port = tasks.add_insecure_port("127.0.0.1:0")
    tasks.start()
    port = http.server_address[1]
    try:
        yield recorder, replace(Ports(), pubsub=port, storage=port, tasks=tasks_port)
    finally:
        tasks.stop(None).wait()
        http.shutdown()
        http.server_close()


def _handler(recorder: Recorder) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _record(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            recorder.requests.append((self.command, self.path, json.loads(body or b"{}")))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _record  # noqa: N815 - names that http.server calls

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Says nothing: what came is recorded."""

    return Handler


def _notification(body: Mapping[str, Any]) -> Notification:
    return Notification(
        topic=last(body["topic"]),
        prefix=body["object_name_prefix"],
        events=frozenset(body["event_types"]),
        payload=body["payload_format"],
    )


def _subscription(body: Mapping[str, Any]) -> Subscription:
    given_up = body.get("deadLetterPolicy")
    return Subscription(
        topic=last(body["topic"]),
        function=last(body["pushConfig"]["pushEndpoint"]),
        ack_deadline=body["ackDeadlineSeconds"],
        minimum_backoff=seconds(body["retryPolicy"]["minimumBackoff"]),
        maximum_backoff=seconds(body["retryPolicy"]["maximumBackoff"]),
        dead_letter_topic=last(given_up["deadLetterTopic"]) if given_up else None,
        max_delivery_attempts=given_up["maxDeliveryAttempts"] if given_up else None,
    )


def _queue(queue: tasks_v2.Queue) -> Queue:
    described = tasks_v2.Queue.to_dict(queue)
    rates, retry = described["rate_limits"], described["retry_config"]
    return Queue(
        max_dispatches_per_second=rates["max_dispatches_per_second"],
        max_concurrent_dispatches=rates["max_concurrent_dispatches"],
        max_attempts=retry["max_attempts"],
        min_backoff=seconds(retry["min_backoff"]),
        max_backoff=seconds(retry["max_backoff"]),
        max_doublings=retry["max_doublings"],
    )


def _schedule(job: Job) -> Schedule:
    return Schedule(
        function=last(job.url),
        cron=job.cron,
        time_zone=job.time_zone,
        attempt_deadline=job.attempt_deadline_seconds,
    )
