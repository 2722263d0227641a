"""Erasures, and the documents that they find and remove, whatever collection these are in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from shared.models.erasures import Erasure
from shared.models.records import Record
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

ERASURES = "erasures"
OWNERS_AT_ONCE = 30
"""Values that one query may ask for (https://cloud.google.com/firestore/docs/query-data/queries#in_not-in)."""

R = TypeVar("R", bound=Record)


async def get(erasure_id: str) -> Erasure | None:
    """An erasure that is not at its end; one read."""
    return await firestore.get(Erasure, f"{ERASURES}/{erasure_id}")


async def open_since(before: datetime, limit: int, after: tuple[Any, ...] | None) -> list[Erasure]:
    """Erasures in which nothing moved since this moment, the oldest first; one read for each."""
    where: tuple[Condition, ...] = (("updated_at", "<", before),)
    asked = Query(ERASURES, where=where, order=("updated_at",), limit=limit, start_after=after)
    return await firestore.query(Erasure, asked)


def create(erasure: Erasure) -> Write:
    """Writes a new erasure."""
    return firestore.create(ERASURES, erasure)


def change(erasure: Erasure, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of an erasure, if it still is the version that was read."""
    return firestore.change(ERASURES, erasure, fields)


def finish(erasure: Erasure) -> Write:
    """Forgets an erasure that is at its end, if it still is the version that was read."""
    return remove(ERASURES, erasure)


# --- whatever is erased


async def deleted_before(
    model: type[R], collection: str, moment: datetime, limit: int, *conditions: Condition
) -> list[R]:
    """Records that were deleted before this moment, the longest ago first; one read for each."""
    where: tuple[Condition, ...] = (*conditions, ("deleted_at", "<", moment))
    asked = Query(collection, where=where, order=("deleted_at",), limit=limit, select=_fields(model))
    return await firestore.query(model, asked)


async def belonging(model: type[R], collection: str, field: str, owners: Sequence[str], limit: int) -> list[R]:
    """Records of which this field names one of at most `OWNERS_AT_ONCE` owners; one read for each."""
    where: tuple[Condition, ...] = ((field, "in", list(owners)),)
    return await firestore.query(model, Query(collection, where=where, limit=limit, select=_fields(model)))


async def below(path: str, limit: int) -> list[str]:
    """The paths of documents in a sub-collection; one read for each."""
    found = await firestore.query(Record, Query(path, limit=limit, select=_fields(Record)))
    return [f"{path}/{one.id}" for one in found]


async def existing(collection: str, ids: Sequence[str]) -> list[str]:
    """The paths of those documents of a collection that are there; one read for each asked."""
    found = await firestore.get_many(Record, [f"{collection}/{one}" for one in ids], select=_fields(Record))
    return [f"{collection}/{one}" for one in found]


def remove(collection: str, record: Record) -> Write:
    """Deletes a record for good, if it still is the version that was read."""
    return Write(f"{collection}/{record.id}", None, version=record.version)


def remove_at(path: str) -> Write:
    """Deletes a document for good; the commit conflicts when somebody else did, so that it is counted once."""
    return Write(path, None, exists=True)


def _fields(model: type[Record]) -> tuple[str, ...]:
    return tuple(model.model_fields.keys() - {"id", "version"})
