"""How far the walks of `reconcile` have come."""

from collections.abc import Sequence
from typing import Any

from shared.models.records import Record, now
from shared.store import firestore

SWEEPS = "sweeps"


class Sweep(Record):
    """A walk over what may be there in any number, a stretch with every run.

    `after` is where the last stretch ended; empty: the next one begins at the beginning.
    """

    after: list[Any] = []

    @property
    def position(self) -> tuple[Any, ...] | None:
        """Where a query goes on."""
        return tuple(self.after) or None


async def get(name: str) -> Sweep:
    """Where a walk is; one read."""
    moment = now()
    return await firestore.get(Sweep, f"{SWEEPS}/{name}") or Sweep(id=name, created_at=moment, updated_at=moment)


async def put(sweep: Sweep, after: Sequence[Any]) -> None:
    """Remembers where the walk is; of two at once the last counts, and what it skips the next round sees."""
    moved = sweep.model_copy(update={"after": list(after), "updated_at": now()})
    await firestore.commit(firestore.replace(SWEEPS, moved))
