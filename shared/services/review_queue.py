"""The queue of a project's reviews: seen by everybody in the project, taken by its reviewers.

Who takes something has it before them alone until they decide, give it back, or `HELD` is over. A take demands the
version that was read, so of two reviewers who reach for the same one gets it and the other goes on to the next.
"""

import asyncio
from datetime import timedelta
from typing import Any

from shared.errors import StateConflict
from shared.models.assets import AssetSummary
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import now
from shared.models.review import ReviewState
from shared.models.review_queue import QueueFilter, Take
from shared.services import access, review
from shared.store import assets, firestore, reviews
from shared.store.firestore import Conflict

HELD = timedelta(minutes=15)
"""How long a reviewer has what they took; taking it again begins anew."""
LOOKED_AT = 50
"""Candidates that are read at a time."""


async def page(caller: Caller, asked: QueueFilter, size: int, after: tuple[Any, ...] | None) -> list[AssetSummary]:
    """Reviews of a project, the least certain first; one read for each."""
    await access.project(caller, asked.project_id, Permission.READ)
    return await reviews.queue(asked, size, after)


def position(asked: QueueFilter, asset: AssetSummary) -> tuple[Any, ...]:
    """Where an asset is in the queue, for the page that follows it."""
    return reviews.position(asked, asset)


async def take(caller: Caller, asked: Take) -> list[AssetSummary]:
    """The next that are free for the caller, at most `count`, the least certain first; empty when none is left.

    Never what they uploaded, have approved already, or somebody (they too) has taken. One read for each that is looked
    at, those that they approved already included, and one write for each that is taken.
    """
    await access.project(caller, asked.project_id, Permission.REVIEW)
    wanted = QueueFilter(**asked.model_dump(exclude={"count"}))
    taken: list[AssetSummary] = []
    after: tuple[Any, ...] | None = None
    while len(taken) < asked.count:
        candidates = await reviews.free(wanted, LOOKED_AT, after, reviewer=caller.user_id)
        free = [one for one in candidates if _is_free(caller, one)]
        while free and len(taken) < asked.count:
            missing = asked.count - len(taken)
            tried, free = free[:missing], free[missing:]
            got = await asyncio.gather(*(_try(caller, one) for one in tried))
            taken += [one for one in got if one is not None]
        if len(candidates) < LOOKED_AT:
            break
        after = reviews.position(wanted, candidates[-1], free=True)
    return taken


def _is_free(caller: Caller, asset: AssetSummary) -> bool:
    mine = caller.user_id in (asset.uploader_id, *asset.review.approved_by)
    return not mine and asset.review.held_by(now()) is None


async def _try(caller: Caller, asset: AssetSummary) -> AssetSummary | None:
    """The asset, now the caller's; None when somebody else changed it since it was read."""
    held = {"taken_by": caller.user_id, "taken_until": now() + HELD}
    try:
        version = await firestore.commit(assets.change(asset, {f"review.{name}": one for name, one in held.items()}))
    except Conflict:
        return None
    return asset.model_copy(update={"review": asset.review.model_copy(update=held), "version": version})


async def take_one(caller: Caller, document_id: str) -> AssetSummary:
    """This one, for the caller alone; anew, if they have it already. Raises TakenByOther, OwnUpload, StateConflict."""
    for _ in range(review.ATTEMPTS):
        asset, _ = await review.get(caller, document_id, Permission.REVIEW)
        if asset.review.state is not ReviewState.SUBMITTED:
            raise StateConflict("Only what was submitted is taken.", details={"state": asset.review.state})
        review.require_reviewer(caller, asset)
        taken = await _try(caller, asset)
        if taken is not None:
            return taken
    raise StateConflict("Too many requests change this document at once.")


async def give_back(caller: Caller, document_id: str) -> None:
    """Lets others have what the caller took; nothing happens if they hold it no more."""
    asset, _ = await review.get(caller, document_id, Permission.REVIEW)
    if asset.review.held_by(now()) != caller.user_id:
        return
    await firestore.commit(assets.change(asset, {"review.taken_by": None, "review.taken_until": now()}))
