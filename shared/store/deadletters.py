"""Dead letters."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.deadletters import DeadLetter
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

DEAD_LETTERS = "deadletters"


async def get(dead_letter_id: str) -> DeadLetter | None:
    """A dead letter; one read."""
    return await firestore.get(DeadLetter, f"{DEAD_LETTERS}/{dead_letter_id}")


async def page(where: Sequence[Condition], limit: int, after: tuple[Any, ...] | None) -> list[DeadLetter]:
    """Dead letters, newest first; one read for each."""
    asked = Query(DEAD_LETTERS, where=tuple(where), order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(DeadLetter, asked)


def put(dead_letter: DeadLetter) -> Write:
    """Writes a dead letter; the same event given up on twice is one."""
    return firestore.replace(DEAD_LETTERS, dead_letter)


def change(dead_letter: DeadLetter, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a dead letter."""
    return firestore.change(DEAD_LETTERS, dead_letter, fields)
