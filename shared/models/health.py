"""How the platform is."""

from enum import StrEnum
from typing import Literal

from shared.models.records import Frozen


class Alive(Frozen):
    """The function runs. `revision` is the deployed one; null on a machine of one's own."""

    status: Literal["alive"] = "alive"
    version: str
    revision: str | None


class Part(StrEnum):
    """What the platform stands on. Without the first two nothing works; what others do waits until they are back."""

    FIRESTORE = "firestore"
    STORAGE = "storage"
    TASKS = "tasks"
    PUBSUB = "pubsub"
    IDENTITY = "identity"
    DOCUMENTAI = "documentai"
    SPEECH = "speech"
    MAIL = "mail"


class Dependency(Frozen):
    """One thing the platform stands on."""

    name: Part
    up: bool
    latency_ms: float
    """Milliseconds until it answered or was given up on."""


class Readiness(Frozen):
    """The parts that were asked about; `ready` when all of them are up."""

    ready: bool
    dependencies: list[Dependency]
