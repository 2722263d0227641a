"""Reviews; the queue, decisions and history: /api/review."""

from typing import Annotated

from shared.models.assets import AssetItem, Kind
from shared.models.records import AskedMoment
from shared.models.review import BulkDecisions, DecisionResults, NewDecision, Remark, ReviewState, StepView
from shared.models.review_queue import QueueFilter, Take, Taken
from shared.services import decisions, review, review_queue
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

from fastapi import Query, Response

router = router_at("/api/review")


@router.get("")
async def list_reviews(
    caller: SignedIn,
    paging: Paged,
    project_id: Annotated[str, Query(description="Of this project.")],
    state: Annotated[ReviewState, Query(description="In this state.")] = ReviewState.SUBMITTED,
    kind: Annotated[Kind | None, Query(description="Only of this kind.")] = None,
    confidence_below: Annotated[float | None, Query(gt=0, le=1, description="Only less certain ones.")] = None,
    contributor: Annotated[str | None, Query(description="Only uploaded by this user.")] = None,
    submitted_after: Annotated[AskedMoment | None, Query(description="Submitted then or later; RFC 3339.")] = None,
    submitted_before: Annotated[AskedMoment | None, Query(description="Submitted earlier; RFC 3339.")] = None,
) -> Page[AssetItem]:
    """The queue of a project: what waits for a reviewer unless another state is named, the least certain first."""
    asked = QueueFilter(
        project_id=project_id,
        state=state,
        kind=kind,
        confidence_below=confidence_below,
        contributor=contributor,
        submitted_after=submitted_after,
        submitted_before=submitted_before,
    )
    found = await review_queue.page(caller, asked, paging.size, paging.after)
    return paging.page(found, AssetItem.of, lambda one: review_queue.position(asked, one))


@router.post("/take")
async def take_reviews(caller: SignedIn, asked: Take) -> Taken:
    """Gives the caller the next free ones, for 15 minutes theirs alone; none when nothing is left for them."""
    return Taken(items=[AssetItem.of(one) for one in await review_queue.take(caller, asked)])


@router.post("/decisions")
async def decide_many(caller: SignedIn, asked: BulkDecisions) -> DecisionResults:
    """Decides on many; each has its own result."""
    return DecisionResults(results=await decisions.decide_many(caller, asked.decisions))


@router.get("/{document_id}")
async def get_review(caller: SignedIn, document_id: str, etag: Conditional) -> AssetItem:
    """Where the review of a document or recording stands."""
    asset, _ = await review.get(caller, document_id)
    etag.answer(asset.version)
    return AssetItem.of(asset)


@router.patch("/{document_id}")
async def decide(caller: SignedIn, document_id: str, asked: NewDecision, etag: Conditional) -> AssetItem:
    """Approves or rejects what was submitted, unless the caller uploaded it or another reviewer has taken it."""
    asset = await decisions.decide(caller, document_id, asked, etag.expected)
    etag.answer(asset.version)
    return AssetItem.of(asset)


@router.post("/{document_id}/take")
async def take_review(caller: SignedIn, document_id: str, etag: Conditional) -> AssetItem:
    """Gives the caller this one, for 15 minutes theirs alone; again, if they have it already."""
    asset = await review_queue.take_one(caller, document_id)
    etag.answer(asset.version)
    return AssetItem.of(asset)


@router.delete("/{document_id}/take", status_code=204)
async def give_back_review(caller: SignedIn, document_id: str) -> Response:
    """Lets others have what the caller took."""
    await review_queue.give_back(caller, document_id)
    return Response(status_code=204)


@router.post("/{document_id}/send-back")
async def send_back(caller: SignedIn, document_id: str, asked: Remark, etag: Conditional) -> AssetItem:
    """Puts what was decided before the reviewers again."""
    asset = await review.send_back(caller, document_id, asked.comment, etag.expected)
    etag.answer(asset.version)
    return AssetItem.of(asset)


@router.post("/{document_id}/undo")
async def undo_decision(caller: SignedIn, document_id: str, etag: Conditional) -> AssetItem:
    """Takes back the caller's own last decision, within 15 minutes."""
    asset = await review.undo(caller, document_id, etag.expected)
    etag.answer(asset.version)
    return AssetItem.of(asset)


@router.get("/{document_id}/history")
async def get_review_history(caller: SignedIn, document_id: str, paging: Paged) -> Page[StepView]:
    """Everything that happened to a review, newest first: who, when, why."""
    found = await review.history(caller, document_id, paging.size, paging.after)
    return paging.page(found, review.step_view, newest_first)


main = http_function("review", router)
