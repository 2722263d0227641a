"""Faults of notifications, for tests: the next messages are dropped, sent twice, late, or in reverse."""

import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

HELD = 1e18
"""The moment at which a held message may go: never, until it is released."""


class NotificationFault(StrEnum):
    """What becomes of a message."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"


class NotificationPlan(BaseModel):
    """What happens to the next `times` messages; `seconds` is how late a delayed one is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: NotificationFault
    times: Annotated[int, Field(ge=1)] = 1
    seconds: Annotated[float, Field(ge=0)] = 0


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one message: its copies, when it may go (seconds since 1970), how far its place in the queue is
    moved, and whether held messages are released with it."""

    name: str = "sent"
    copies: int = 1
    ready: float = 0
    shift: int = 0
    releases: bool = False


class NotificationFaults:
    """The plans that are still to be carried out, first in, first out."""

    def __init__(self) -> None:
        self._plans: list[NotificationPlan] = []
        self._done = 0

    def plan(self, plan: NotificationPlan) -> None:
        """Add a plan."""
        self._plans.append(plan)

    def clear(self) -> None:
        """Forget all plans."""
        self._plans.clear()
        self._done = 0

    def next_fate(self) -> Fate:
        """What becomes of the next message."""
        if not self._plans:
            return Fate()
        plan, index = self._plans[0], self._done
        self._done += 1
        last = self._done == plan.times
        if last:
            self._plans.pop(0)
            self._done = 0
        match plan.action:
            case NotificationFault.DROP:
                return Fate("dropped", copies=0)
            case NotificationFault.DUPLICATE:
                return Fate("duplicated", copies=2)
            case NotificationFault.DELAY:
                return Fate("delayed", ready=time.time() + plan.seconds)
            case NotificationFault.REORDER:
                return Fate("reordered", ready=HELD, shift=plan.times - 1 - 2 * index, releases=last)
