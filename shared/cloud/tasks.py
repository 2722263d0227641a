"""Cloud Tasks: work that is to be done later, once, and again when it fails."""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic import BaseModel

from shared import errors, logs
from shared.settings import emulator, settings

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksAsyncClient

TIMEOUT = 10.0
"""Seconds that one call may take."""


async def enqueue(queue: str, body: BaseModel, *, name: str | None = None, at: datetime | None = None) -> None:
    """Adds a task for the function that is named as its queue.

    `name`: a second task of this name is no task, for about an hour after the first is done; it is hashed, since names
    that count upwards slow a queue down. `at`: not before. Raises Unavailable when the queue is away.
    """
    from google.api_core import exceptions as google
    from google.cloud import tasks_v2
    from google.protobuf.timestamp_pb2 import Timestamp

    parent = f"projects/{settings().google_cloud_project}/locations/{settings().region}/queues/{queue}"
    correlation = logs.correlation()
    request = tasks_v2.HttpRequest(
        http_method=tasks_v2.HttpMethod.POST,
        url=settings().function_url.format(name=queue),
        headers={
            "Content-Type": "application/json",
            "X-Request-ID": correlation.request_id,
            "traceparent": correlation.traceparent,
        },
        body=body.model_dump_json().encode(),
    )
    if settings().invoker_service_account:
        request.oidc_token = tasks_v2.OidcToken(service_account_email=settings().invoker_service_account)
    task = tasks_v2.Task(http_request=request)
    if name is not None:
        task.name = f"{parent}/tasks/{hashlib.sha256(name.encode()).hexdigest()[:40]}"
    if at is not None:
        task.schedule_time = Timestamp(seconds=int(at.timestamp()), nanos=at.microsecond * 1000)
    try:
        await _client().create_task(parent=parent, task=task, timeout=TIMEOUT)
    except google.AlreadyExists:
        return
    except (google.ServiceUnavailable, google.DeadlineExceeded, google.ResourceExhausted, google.RetryError) as error:
        raise errors.Unavailable("The task queue does not answer right now.", retry_after=2) from error


@lru_cache
def _client() -> "CloudTasksAsyncClient":
    import grpc.aio
    from google.cloud.tasks_v2 import CloudTasksAsyncClient
    from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport

    host = emulator("CLOUD_TASKS_EMULATOR_HOST")
    if not host:
        return CloudTasksAsyncClient()
    channel = grpc.aio.insecure_channel(host)
    return CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))
