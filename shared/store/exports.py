"""Exports, and the assets that go into them."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

from shared.models.assets import Asset
from shared.models.exports import EXPORT_STEPS, Export, ExportFilter
from shared.models.review import ReviewState
from shared.store import firestore
from shared.store.assets import ASSETS
from shared.store.firestore import Condition, Query, Write
from shared.store.listing import created_between

EXPORTS = "exports"


async def get(export_id: str) -> Export | None:
    """An export; one read."""
    return await firestore.get(Export, f"{EXPORTS}/{export_id}")


async def page(project_id: str, limit: int, after: tuple[Any, ...] | None) -> list[Export]:
    """The exports of a project, newest first; one read for each."""
    where: tuple[Condition, ...] = (("project_id", "==", project_id), ("deleted_at", "==", None))
    asked = Query(EXPORTS, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Export, asked)


async def unfinished(before: datetime, limit: int) -> list[Export]:
    """Exports that are being built and were last written before this moment, the oldest first; one read for each."""
    building = [state for state, steps in EXPORT_STEPS.items() if steps]
    where: tuple[Condition, ...] = (("state", "in", building), ("updated_at", "<", before))
    return await firestore.query(Export, Query(EXPORTS, where=where, order=("updated_at",), limit=limit))


def create(export: Export) -> Write:
    """Writes a new export."""
    return firestore.create(EXPORTS, export)


def change(export: Export, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of an export, if it still is the version that was read."""
    return firestore.change(EXPORTS, export, fields)


async def count(project_id: str, wanted: ExportFilter, until: datetime) -> int:
    """How many assets meet a filter; one read for each 1,000."""
    asked = Query(ASSETS, where=_meets(project_id, wanted, until), order=("-created_at",))
    return (await firestore.totals(asked)).count


def assets(export: Export, limit: int, after: tuple[Any, ...] | None) -> AsyncGenerator[Asset, None]:
    """The next assets of an export with their text, newest first, one after the other; one read for each."""
    where = _meets(export.project_id, export.filter, export.created_at)
    order, timeout = ("-created_at",), firestore.UNHURRIED
    asked = Query(ASSETS, where=where, order=order, limit=limit, start_after=after, timeout=timeout)
    return firestore.stream(Asset, asked)


def _meets(project_id: str, wanted: ExportFilter, until: datetime) -> tuple[Condition, ...]:
    where: list[Condition] = [("project_id", "==", project_id), ("deleted_at", "==", None)]
    if wanted.approved_only:
        where.append(("review.state", "==", ReviewState.APPROVED))
    if wanted.kind is not None:
        where.append(("kind", "==", wanted.kind))
    if wanted.cycle_id is not None:
        where.append(("cycle_id", "==", wanted.cycle_id))
    before = min(until, wanted.created_before) if wanted.created_before else until
    return (*where, *created_between(wanted.created_after, before))
