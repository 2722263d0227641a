"""What reviewers decide: approval, as often as the project wants it, or rejection; one by one or many at once."""

import asyncio

from shared.errors import AltaError, StateConflict
from shared.models.assets import Asset
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import now
from shared.models.review import (
    BulkDecision,
    Decision,
    DecisionResult,
    NewDecision,
    Refusal,
    Review,
    ReviewState,
    Step,
)
from shared.services import quality, review
from shared.services.access import Access
from shared.services.review import Outcome, Said

AT_ONCE = 10
"""Decisions of one request that are made at the same time."""

_STEPS = {Decision.APPROVE: Step.APPROVE, Decision.REJECT: Step.REJECT}


async def decide(caller: Caller, document_id: str, asked: NewDecision, version: int | None) -> Asset:
    """The document after the caller's decision; a read and a commit.

    Raises OwnUpload, TakenByOther, and StateConflict when it was not submitted or the caller has approved it already.
    """
    said = Said(caller, _STEPS[asked.decision], asked.comment, asked.reason, version)

    async def outcome(asset: Asset, found: Access) -> Outcome:
        review.require_reviewer(caller, asset)
        if caller.user_id in asset.review.approved_by:
            raise StateConflict(
                "You have approved this already; others are to follow.", details={"state": asset.review.state}
            )
        decided = _decided(said, asset.review, found.project.approvals)
        approved = decided.state is ReviewState.APPROVED
        return Outcome(decided, await quality.measured(asset) if approved else {})

    return await review.take_step(said, document_id, Permission.REVIEW, outcome)


def _decided(said: Said, before: Review, required: int) -> Review:
    """How the review stands after an approval or a rejection."""
    approves = said.step is Step.APPROVE
    approved_by = [*before.approved_by, said.caller.user_id] if approves else before.approved_by
    changed = {
        "comment": said.comment,
        "reason": said.reason,
        "approvals_required": required,
        "approved_by": approved_by,
        "taken_by": None,
        "taken_until": now(),
    }
    if not approves:
        outcome, agreement = ReviewState.REJECTED, 1 / (len(approved_by) + 1)
    elif len(approved_by) >= required:
        outcome, agreement = ReviewState.APPROVED, 1.0
    else:
        return before.model_copy(update=changed)
    decided = {"state": outcome, "agreement": agreement, "decided_by": said.caller.user_id, "decided_at": now()}
    return before.model_copy(update={**changed, **decided})


async def decide_many(caller: Caller, decisions: list[BulkDecision]) -> list[DecisionResult]:
    """What became of each decision, in their order: each stands for itself."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(asked: BulkDecision) -> DecisionResult:
        async with turns:
            try:
                asset = await decide(caller, asked.document_id, asked, None)
            except AltaError as error:
                refusal = Refusal(code=error.code, message=error.message, details=error.details)
                return DecisionResult(document_id=asked.document_id, status=error.status, error=refusal)
            return DecisionResult(document_id=asked.document_id, status=200, review=asset.review)

    return list(await asyncio.gather(*(one(asked) for asked in decisions)))
