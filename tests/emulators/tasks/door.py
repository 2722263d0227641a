"""The emulator as its users reach it: Google's own asynchronous client over an insecure channel."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import grpc
from google.cloud.tasks_v2 import CloudTasksAsyncClient
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcAsyncIOTransport
from google.cloud.tasks_v2.types import HttpRequest, RetryConfig, Task

LOCATION = "projects/alta-test/locations/europe-west1"
QUEUE = f"{LOCATION}/queues/progress"

QUICK = RetryConfig(min_backoff=timedelta(milliseconds=20), max_backoff=timedelta(milliseconds=50))
"""Retries that a test can wait for."""


@asynccontextmanager
async def calling(port: int) -> AsyncIterator[CloudTasksAsyncClient]:
    """A client of the emulator at that port."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield CloudTasksAsyncClient(transport=CloudTasksGrpcAsyncIOTransport(channel=channel))


def post(url: str, name: str = "", body: bytes = b"{}", at: datetime | None = None) -> Task:
    """A task that posts a body, scheduled at a time or for now; `name` is its short name."""
    full_name = f"{QUEUE}/tasks/{name}" if name else ""
    return Task(name=full_name, http_request=HttpRequest(url=url, body=body), schedule_time=at)
