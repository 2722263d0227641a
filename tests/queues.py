"""Queues of a local cloud that hold their tasks back."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.cloud import tasks_v2
from google.cloud.tasks_v2.services.cloud_tasks.transports import CloudTasksGrpcTransport

from emulators.ports import Ports
from emulators.state import PROJECT, REGION


def pause(ports: Ports, queue: str) -> None:
    """From here on the tasks of this queue wait."""
    with _client(ports) as client:
        client.pause_queue(name=client.queue_path(PROJECT, REGION, queue))


@contextmanager
def paused(ports: Ports, queue: str) -> Iterator[None]:
    """The tasks of this queue wait meanwhile."""
    pause(ports, queue)
    try:
        yield
    finally:
        with _client(ports) as client:
            client.resume_queue(name=client.queue_path(PROJECT, REGION, queue))


@contextmanager
def _client(ports: Ports) -> Iterator[tasks_v2.CloudTasksClient]:
    with grpc.insecure_channel(ports.address("tasks")) as channel:
        yield tasks_v2.CloudTasksClient(transport=CloudTasksGrpcTransport(channel=channel))
