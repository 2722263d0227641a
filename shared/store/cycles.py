"""Cycles."""

from typing import Any

from shared.models.projects import Cycle
from shared.store import firestore
from shared.store.firestore import Query, Write

CYCLES = "cycles"


async def get(cycle_id: str) -> Cycle | None:
    """A cycle, deleted or not; one read."""
    return await firestore.get(Cycle, f"{CYCLES}/{cycle_id}")


async def page(project_id: str, limit: int, after: tuple[Any, ...] | None) -> list[Cycle]:
    """Living cycles of a project, newest first; one read for each."""
    asked = Query(
        CYCLES,
        where=(("project_id", "==", project_id), ("deleted_at", "==", None)),
        order=("-created_at",),
        limit=limit,
        start_after=after,
    )
    return await firestore.query(Cycle, asked)


def create(cycle: Cycle) -> Write:
    """Writes a new cycle."""
    return firestore.create(CYCLES, cycle)
