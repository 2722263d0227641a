"""Optimistic concurrency as clients see it: a change may demand the version that was read (If-Match)."""

from shared.errors import PreconditionFailed
from shared.models.records import Record


def require(record: Record, version: int | None) -> None:
    """Raises PreconditionFailed unless the record is of this version; None demands none."""
    if version is not None and version != record.version:
        raise PreconditionFailed("The record was changed since it was read.")
