"""How the platform is."""

from typing import Literal

from shared.models.records import Frozen


class Alive(Frozen):
    """The function runs. `revision` is the deployed one; null on a machine of one's own."""

    status: Literal["alive"] = "alive"
    version: str
    revision: str | None


class Dependency(Frozen):
    """One thing the platform stands on."""

    name: str
    up: bool
    latency_ms: float
    """Milliseconds until it answered or was given up on."""


class Readiness(Frozen):
    """Everything the platform stands on; `ready` when all of it is up."""

    ready: bool
    dependencies: list[Dependency]
