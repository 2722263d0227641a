"""How far the walk over the bucket has come."""

from shared.models.records import Record, now
from shared.store import firestore

SWEEPS = "sweeps"
ID = "objects"


class Sweep(Record):
    """A walk that goes on with every run; `position` is the last name that was looked at."""

    position: str = ""


async def get() -> Sweep:
    """Where the walk is; one read."""
    moment = now()
    return await firestore.get(Sweep, f"{SWEEPS}/{ID}") or Sweep(id=ID, created_at=moment, updated_at=moment)


async def put(sweep: Sweep, position: str) -> None:
    """Remembers where the walk is; of two at once the last counts, and what it skips the next round sees."""
    await firestore.commit(
        firestore.replace(SWEEPS, sweep.model_copy(update={"position": position, "updated_at": now()}))
    )
