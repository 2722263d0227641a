"""Cycles."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.listing import Listing
from shared.models.projects import Cycle
from shared.store import firestore, listing
from shared.store.firestore import Condition, Write

CYCLES = "cycles"


async def get(cycle_id: str) -> Cycle | None:
    """A cycle, deleted or not; one read."""
    return await firestore.get(Cycle, f"{CYCLES}/{cycle_id}")


async def page(where: Sequence[Condition], asked: Listing) -> list[Cycle]:
    """Cycles that meet these conditions, as the listing asks; one read for each."""
    return await listing.page(Cycle, CYCLES, where, asked)


def create(cycle: Cycle) -> Write:
    """Writes a new cycle."""
    return listing.named(firestore.create(CYCLES, cycle))


def change(cycle: Cycle, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a cycle, if it still is the version that was read."""
    return listing.named(firestore.change(CYCLES, cycle, fields))
