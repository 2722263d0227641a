"""What the functions say of themselves: every `function.yaml`, read and checked.

This is the only reader of those files. The local runner, the packager and the parity test build on it, and Terraform
reads the same files with `yamldecode`, so that a route, topic, queue or schedule is written once.
"""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = ROOT / "functions"


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    """What wakes a function; also the folder under functions/ that it lives in."""

    HTTP = "http"
    EVENTS = "events"
    TASKS = "tasks"
    SCHEDULES = "schedules"


class HttpTrigger(_Described):
    """Answers clients under these path prefixes."""

    kind: Literal[Kind.HTTP] = Kind.HTTP
    paths: Annotated[tuple[str, ...], Field(min_length=1)]


class Retry(_Described):
    """Back-off of a push subscription; Pub/Sub allows 0 to 600 seconds and 5 to 100 attempts."""

    minimum_backoff_seconds: Annotated[int, Field(ge=0, le=600)] = 10
    maximum_backoff_seconds: Annotated[int, Field(ge=0, le=600)] = 600
    max_delivery_attempts: Annotated[int, Field(ge=5, le=100)] = 10


class EventTrigger(_Described):
    """Woken by messages of one topic; with `object_prefix`, the bucket publishes finalised objects below it there."""

    kind: Literal[Kind.EVENTS] = Kind.EVENTS
    topic: str
    object_prefix: str | None = None
    retry: Retry = Retry()
    dead_letter: bool = True


class QueueTrigger(_Described):
    """Woken by the tasks of one Cloud Tasks queue. `max_attempts` counts the first try; -1 has no limit."""

    kind: Literal[Kind.TASKS] = Kind.TASKS
    queue: str
    max_dispatches_per_second: float = 100
    max_concurrent_dispatches: int = 20
    max_attempts: int = -1
    min_backoff_seconds: float = 1
    max_backoff_seconds: float = 300
    max_doublings: int = 8


class ScheduleTrigger(_Described):
    """Woken by the clock: a unix-cron expression and its time zone."""

    kind: Literal[Kind.SCHEDULES] = Kind.SCHEDULES
    cron: str
    time_zone: str = "Etc/UTC"


Trigger = HttpTrigger | EventTrigger | QueueTrigger | ScheduleTrigger


class Instances(_Described):
    min: int = 0
    max: int = 20


class Function(_Described):
    """One deployed function, as its `function.yaml` describes it.

    `roles` are IAM roles on the project, `bucket_roles` on the platform's bucket; `enqueues` names the queues it may
    add tasks to, `publishes` the topics it may publish to; one that `signs` URLs or tokens does so as its own account.
    `entry_point` is always `main`.
    """

    name: str
    description: str
    trigger: Annotated[Trigger, Field(discriminator="kind")]
    memory: str = "512Mi"
    cpu: str = "1"
    timeout_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    concurrency: Annotated[int, Field(ge=1, le=1000)] = 80
    instances: Instances = Instances()
    why_sized: str = ""
    roles: tuple[str, ...] = ()
    bucket_roles: tuple[str, ...] = ()
    enqueues: tuple[str, ...] = ()
    publishes: tuple[str, ...] = ()
    signs: bool = False
    secrets: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """The folder it lives in."""
        return self.trigger.kind

    @property
    def folder(self) -> Path:
        """Where its `main.py` is."""
        return FUNCTIONS / self.kind / self.name

    @model_validator(mode="after")
    def _acknowledged_in_time(self) -> "Function":
        if isinstance(self.trigger, EventTrigger) and self.timeout_seconds > 600:
            raise ValueError("an event function answers within Pub/Sub's longest ack deadline, 600 s")
        return self


def read(path: Path) -> Function:
    """One `function.yaml`; the name and kind come from its folders."""
    described = yaml.safe_load(path.read_text())
    described["trigger"]["kind"] = path.parent.parent.name
    return Function.model_validate({"name": path.parent.name, **described})


@lru_cache
def functions() -> tuple[Function, ...]:
    """Every function of the platform, ordered by kind and name."""
    return tuple(read(path) for path in sorted(FUNCTIONS.glob("*/*/function.yaml")))
