"""Lists of named records: the conditions and the order that a listing stands for."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from shared.models.listing import Listing, Named, name_key
from shared.store import firestore
from shared.store.firestore import AnyOf, Condition, Query, Write

N = TypeVar("N", bound=Named)

NAME_KEY = "name_key"
"""The stored field that names are ordered and found by."""
_LAST = "\uf8ff"
"""Sorts behind every letter that a name may go on with."""
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
DELETED: Condition = ("deleted_at", ">", _BEGINNING)
"""What is deleted, in a list that is ordered by when."""


def named(write: Write) -> Write:
    """The write, with what its record is ordered and found by, if it writes the name."""
    if write.fields is None or "name" not in write.fields:
        return write
    fields = {**write.fields, NAME_KEY: name_key(write.fields["name"])}
    return replace(write, fields=fields, mask=(*write.mask, NAME_KEY) if write.mask is not None else None)


async def page(
    model: type[N],
    collection: str,
    where: Iterable[Condition | AnyOf],
    listing: Listing,
    *,
    select: tuple[str, ...] | None = None,
) -> list[N]:
    """The records of a listing; one read for each."""
    asked = Query(
        collection,
        where=(*where, *_conditions(listing)),
        order=(_order(listing),),
        limit=listing.size,
        start_after=listing.after,
        select=select,
    )
    return await firestore.query(model, asked)


def _order(listing: Listing) -> str:
    if listing.deleted:
        return "-deleted_at"
    return listing.order.replace("name", NAME_KEY)


def _conditions(listing: Listing) -> list[Condition]:
    if listing.deleted:
        return [DELETED]
    where: list[Condition] = [
        ("deleted_at", "==", None),
        *created_between(listing.created_after, listing.created_before),
    ]
    if listing.name_prefix is not None:
        key = name_key(listing.name_prefix)
        where += [(NAME_KEY, ">=", key), (NAME_KEY, "<", key + _LAST)]
    return where


def created_between(after: datetime | None, before: datetime | None) -> list[Condition]:
    """Made from `after` on, and before `before`; None is no bound."""
    where: list[Condition] = []
    if after is not None:
        where.append(("created_at", ">=", after))
    if before is not None:
        where.append(("created_at", "<", before))
    return where
