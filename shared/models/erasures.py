"""Erasures: what was deleted long ago and goes for good, with all that hangs on it."""

from shared.models.records import Frozen, Record


class Root(Frozen):
    """A record that is erased; `objects` is what it has in the bucket: names, and folders that end in `/`."""

    id: str
    objects: list[str] = []


class Erasure(Record):
    """Records that are gone, and whose belongings are being removed: it lives until nothing of them is left.

    It is written in the commit that deletes the records themselves, so that nobody restores what is half gone.
    """

    company_id: str | None
    collection: str
    roots: list[Root]
    step: int = 0
    """Steps done."""
    records: int
    """Documents removed so far, the roots included."""
    objects: int = 0
    """Objects removed so far."""


class ErasureStep(Frozen):
    """Do this step of an erasure; one that is done already came twice."""

    erasure_id: str
    step: int
