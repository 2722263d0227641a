"""Reviews: what people say of the documents and recordings that others collected."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from shared.models.records import Asked, Frozen, Id, Moment, Record, Text

SUBMIT_LIMIT = 1_000
"""Documents in one submission."""
BULK_LIMIT = 100
"""Decisions in one request."""


class ReviewState(StrEnum):
    """How far the review of an asset has come."""

    NONE = "none"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"


class Step(StrEnum):
    """What happens to a review."""

    SUBMIT = "submit"
    APPROVE = "approve"
    REJECT = "reject"
    SEND_BACK = "send_back"
    UNDO = "undo"
    CORRECT = "correct"
    LABEL = "label"


REVIEW_STEPS: dict[Step, frozenset[ReviewState]] = {
    Step.SUBMIT: frozenset({ReviewState.NONE, ReviewState.APPROVED, ReviewState.REJECTED}),
    Step.APPROVE: frozenset({ReviewState.SUBMITTED}),
    Step.REJECT: frozenset({ReviewState.SUBMITTED}),
    Step.SEND_BACK: frozenset({ReviewState.APPROVED, ReviewState.REJECTED}),
    Step.UNDO: frozenset({ReviewState.SUBMITTED, ReviewState.APPROVED, ReviewState.REJECTED}),
    Step.CORRECT: frozenset({ReviewState.NONE, ReviewState.SUBMITTED, ReviewState.REJECTED}),
    Step.LABEL: frozenset({ReviewState.NONE, ReviewState.SUBMITTED, ReviewState.REJECTED}),
}
"""The states in which each step may be taken. What is approved is corrected or labelled only after it was sent back."""


class Decision(StrEnum):
    """What a reviewer decides."""

    APPROVE = "approve"
    REJECT = "reject"


class Reason(StrEnum):
    """Why something is rejected."""

    UNREADABLE = "unreadable"
    INCOMPLETE = "incomplete"
    WRONG_TEXT = "wrong_text"
    WRONG_CONTENT = "wrong_content"
    DUPLICATE = "duplicate"
    NOT_PERMITTED = "not_permitted"
    OTHER = "other"


class Review(Frozen):
    """Where the review of an asset stands."""

    state: ReviewState = ReviewState.NONE
    comment: str | None = None
    reason: Reason | None = None
    """Why it was rejected."""
    submitted_by: str | None = None
    submitted_at: Moment | None = None
    decided_by: str | None = None
    decided_at: Moment | None = None
    approvals_required: int = 1
    """How many different reviewers must approve."""
    approved_by: list[str] = []
    """Those who approved since the submission, in their order."""
    agreement: float | None = None
    """Part of the reviewers who agree with the outcome, 0 to 1; null until it is decided."""
    taken_by: str | None = None
    """The reviewer who has it before them ..."""
    taken_until: Moment | None = None
    """... until this moment; from then on it is free. Set while it is submitted, so that the queue can ask for it."""
    steps: int = 0
    """Steps taken so far: the length of its history."""

    def held_by(self, moment: datetime) -> str | None:
        """The reviewer who has it before them at this moment."""
        return self.taken_by if self.taken_until is not None and self.taken_until > moment else None


class ReviewEntry(Record):
    """One step of a review, kept for good: who, what, why, and how the review stood before and after."""

    company_id: str
    project_id: str
    asset_id: str
    uploader_id: str
    step: Step
    by: str
    reason: Reason | None = None
    comment: str | None = None
    before: Review
    after: Review


# --- on the wire


class Submission(Asked):
    """Documents and recordings that are ready to be reviewed."""

    document_ids: Annotated[list[Id], Field(min_length=1, max_length=SUBMIT_LIMIT)]
    comment: Text | None = None


class NewDecision(Asked):
    """What a reviewer decides, and why."""

    decision: Decision
    reason: Reason | None = None
    comment: Text | None = None


class BulkDecision(NewDecision):
    """A decision on one of many."""

    document_id: Id


class BulkDecisions(Asked):
    """Decisions on many documents; each has its own result."""

    decisions: Annotated[list[BulkDecision], Field(min_length=1, max_length=BULK_LIMIT)]


class Remark(Asked):
    """Why something is sent back."""

    comment: Text | None = None


class Refusal(Frozen):
    """Why one decision of many was refused."""

    code: str
    message: str
    details: dict[str, Any] | list[dict[str, Any]] | None = None


class DecisionResult(Frozen):
    """What became of one decision of many: an HTTP status, and the review or the refusal."""

    document_id: str
    status: Annotated[int, Field(examples=[200])]
    review: Review | None = None
    error: Refusal | None = None


class DecisionResults(Frozen):
    """What became of each decision, in the order they were sent."""

    results: list[DecisionResult]


class StepView(Frozen):
    """One step of a review as people see it."""

    id: str
    created_at: Moment
    step: Step
    by: str
    reason: Reason | None
    comment: str | None
    before: ReviewState
    after: ReviewState
    approvals: int
    """Approvals after this step."""
    approvals_required: int
