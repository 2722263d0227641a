"""What a client may ask of a list: an order, a beginning of the name, a time range, what was deleted."""

import unicodedata
from enum import StrEnum
from typing import Any

from shared.models.records import Frozen, Moment, Record


class Order(StrEnum):
    """Orders of a list; `-` is descending (AIP-132)."""

    NEWEST = "-created_at"
    OLDEST = "created_at"
    NAME = "name"
    NAME_DESCENDING = "-name"

    @property
    def by_name(self) -> bool:
        """Whether names decide, not times."""
        return self in (Order.NAME, Order.NAME_DESCENDING)


class Named(Record):
    """A record that people gave a name."""

    name: str


class Listing(Frozen):
    """One page of a list: how many, behind which position, which and in what order.

    A name prefix is ordered by name, a time range by time: the query runs along one index. `deleted` shows what was
    deleted instead, latest first.
    """

    size: int
    after: tuple[Any, ...] | None = None
    order: Order = Order.NEWEST
    name_prefix: str | None = None
    created_after: Moment | None = None
    """Inclusive."""
    created_before: Moment | None = None
    """Exclusive."""
    deleted: bool = False

    def position(self, record: Named) -> tuple[Any, ...]:
        """Where a record is in this list: the value that orders it, and its id."""
        if self.deleted:
            return (record.deleted_at, record.id)
        return (name_key(record.name) if self.order.by_name else record.created_at, record.id)


def name_key(name: str) -> str:
    """What names are ordered and found by: case and form of their letters mean nothing."""
    return unicodedata.normalize("NFKC", name).casefold()
