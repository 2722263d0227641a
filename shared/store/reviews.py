"""Reviews: the queue over the assets that wait for one, and the steps of each, which are kept for good."""

from typing import Any

from shared.models.assets import AssetSummary
from shared.models.records import now
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


async def queue(asked: QueueFilter, limit: int, after: tuple[Any, ...] | None) -> list[AssetSummary]:
    """Living assets whose review is meant, the least certain first, without their text; one read for each.

    What has no confidence comes before all that have one.
    """
    return await _found(asked, [], _order(asked), limit, after)


async def free(asked: QueueFilter, limit: int, after: tuple[Any, ...] | None, *, reviewer: str) -> list[AssetSummary]:
    """Those of the queue that nobody has before them now and this person did not upload, in its order."""
    where: list[Condition] = [("review.taken_until", "<=", now())]
    if asked.contributor is None:
        where.append(("uploader_id", "!=", reviewer))
    return await _found(asked, where, _order(asked, free=True), limit, after)


async def _found(
    asked: QueueFilter, more: list[Condition], order: tuple[str, ...], limit: int, after: tuple[Any, ...] | None
) -> list[AssetSummary]:
    where: list[Condition] = [("project_id", "==", asked.project_id), ("review.state", "==", asked.state)]
    where += [("deleted_at", "==", None), *_bounds(asked), *more]
    query = Query(assets.ASSETS, where=tuple(where), order=order, limit=limit, start_after=after, select=assets.SUMMARY)
    return await firestore.query(AssetSummary, query)


def position(asked: QueueFilter, asset: AssetSummary, *, free: bool = False) -> tuple[Any, ...]:
    """Where an asset is in the queue, or among those that are free: the values that order it, and its id."""
    values = {
        "confidence": asset.confidence,
        "review.submitted_at": asset.review.submitted_at,
        "uploader_id": asset.uploader_id,
        "review.taken_until": asset.review.taken_until,
    }
    return (*(values[field] for field in _order(asked, free=free)), asset.id)


def _order(asked: QueueFilter, *, free: bool = False) -> tuple[str, ...]:
    # One order for every bound that may be asked, so that few indexes serve all of them: a field that is bounded by
    # an inequality is part of it.
    uploader = ("uploader_id",) if asked.contributor is None else ()
    taken = ("review.taken_until",) if free else ()
    return ("confidence", "review.submitted_at", *uploader, *taken)


def _bounds(asked: QueueFilter) -> list[Condition]:
    bounds: list[Condition] = [
        ("kind", "==", asked.kind),
        ("uploader_id", "==", asked.contributor),
        ("confidence", "<", asked.confidence_below),
        ("review.submitted_at", ">=", asked.submitted_after),
        ("review.submitted_at", "<", asked.submitted_before),
    ]
    return [bound for bound in bounds if bound[2] is not None]
