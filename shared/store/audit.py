"""The audit log: append only."""

from typing import Any

from shared.models.audit import AuditEntry
from shared.store import firestore
from shared.store.firestore import Condition, Query, Write

AUDIT = "audit"


def append(entry: AuditEntry) -> Write:
    """Writes an entry; there is no verb that changes or deletes one."""
    return firestore.create(AUDIT, entry)


async def page(where: tuple[Condition, ...], limit: int, after: tuple[Any, ...] | None) -> list[AuditEntry]:
    """Entries, newest first."""
    asked = Query(AUDIT, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(AuditEntry, asked)
