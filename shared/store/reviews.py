"""Reviews: the queue over the assets that wait for one, and the steps of each, which are kept for good."""

from typing import Any

from shared.models.assets import AssetSummary
from shared.models.review import ReviewEntry
from shared.models.review_queue import QueueFilter
from shared.store import assets, firestore
from shared.store.firestore import Condition, Query, Write

REVIEWS = "reviews"


def append(entry: ReviewEntry) -> Write:
    """Writes a step; there is no verb that changes or deletes one."""
    return firestore.create(REVIEWS, entry)


async def step(entry_id: str) -> ReviewEntry | None:
    """One step; one read."""
    return await firestore.get(ReviewEntry, f"{REVIEWS}/{entry_id}")


async def history(asset_id: str, limit: int, after: tuple[Any, ...] | None) -> list[ReviewEntry]:
    """The steps of an asset's review, newest first; one read for each."""
    asked = Query(
        REVIEWS, where=(("asset_id", "==", asset_id),), order=("-created_at",), limit=limit, start_after=after
    )
    return await firestore.query(ReviewEntry, asked)


async def queue(
    asked: QueueFilter, limit: int, after: tuple[Any, ...] | None, *, not_of: str | None = None
) -> list[AssetSummary]:
    """Living assets whose review is meant, the least certain first, without their text; one read for each.

    What has no confidence comes before all that have one. `not_of` leaves out what this person uploaded.
    """
    where: list[Condition] = [("project_id", "==", asked.project_id), ("review.state", "==", asked.state)]
    where += [("deleted_at", "==", None), *_bounds(asked)]
    if not_of is not None and asked.contributor is None:
        where.append(("uploader_id", "!=", not_of))
    query = Query(
        assets.ASSETS,
        where=tuple(where),
        order=_order(asked),
        limit=limit,
        start_after=after,
        select=assets.SUMMARY,
    )
    return await firestore.query(AssetSummary, query)


def position(asked: QueueFilter, asset: AssetSummary) -> tuple[Any, ...]:
    """Where an asset is in the queue: the values that order it, and its id."""
    values = {
        "confidence": asset.confidence,
        "review.submitted_at": asset.review.submitted_at,
        "uploader_id": asset.uploader_id,
    }
    return (*(values[field] for field in _order(asked)), asset.id)


def _order(asked: QueueFilter) -> tuple[str, ...]:
    # One order for every bound that may be asked, so that few indexes serve all of them.
    ordered = ("confidence", "review.submitted_at")
    return ordered if asked.contributor is not None else (*ordered, "uploader_id")


def _bounds(asked: QueueFilter) -> list[Condition]:
    bounds: list[Condition] = [
        ("kind", "==", asked.kind),
        ("uploader_id", "==", asked.contributor),
        ("confidence", "<", asked.confidence_below),
        ("review.submitted_at", ">=", asked.submitted_after),
        ("review.submitted_at", "<", asked.submitted_before),
    ]
    return [bound for bound in bounds if bound[2] is not None]
