"""Reviews: submitted, sent back, undone; every step is kept, in the commit that takes it.

The states are those of `REVIEW_STEPS`. Decisions are in `decisions`, the queue is in `review_queue`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared.errors import Changed, Forbidden, NotFound, OwnUpload, PreconditionFailed, StateConflict, TakenByOther
from shared.models.assets import Asset, AssetState, AssetSummary, Kind
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import derived_id, now
from shared.models.review import REVIEW_STEPS, Reason, Review, ReviewEntry, ReviewState, Step, StepView
from shared.models.webhooks import Delivery, Event
from shared.services import access, audit, rollups, versions, webhooks
from shared.services.access import Access
from shared.store import assets, firestore, reviews
from shared.store.firestore import Write

UNDO_WITHIN = timedelta(minutes=15)
"""How long a reviewer may take back their own last decision."""
ATTEMPTS = 8
"""How often a step without a version is decided again when somebody else was faster."""
TOGETHER = 40
"""Documents of a submission in one commit. The longest comment, 20 kB, stands in what is written for one up to five
times: 4.1 MB together. Firestore takes 10 MiB (https://cloud.google.com/firestore/quotas), entries of indexes included,
and its emulator 4 MiB."""

_ACTIONS = {
    Step.SUBMIT: Action.REVIEW_SUBMITTED,
    Step.APPROVE: Action.REVIEW_APPROVED,
    Step.REJECT: Action.REVIEW_REJECTED,
    Step.SEND_BACK: Action.REVIEW_SENT_BACK,
    Step.UNDO: Action.REVIEW_UNDONE,
    Step.CORRECT: Action.TEXT_CORRECTED,
    Step.LABEL: Action.ASSET_LABELLED,
}
_DECISIONS = frozenset({Step.APPROVE, Step.REJECT})
_OF_WHAT_IS_READY = frozenset({Step.SUBMIT, Step.APPROVE, Step.SEND_BACK, Step.UNDO})
"""Steps that put a text before the reviewers, or let it pass: it must not be replaced afterwards by recognition. Not so
a rejection, after which the text may be another."""
UNMEASURED: dict[str, Any] = {"character_error_rate": None, "word_error_rate": None}
"""The fields of an asset whose text is not approved (any more)."""


@dataclass(frozen=True)
class Said:
    """Who takes a step, what they say with it, and which version must be current, if any."""

    caller: Caller
    step: Step
    comment: str | None = None
    reason: Reason | None = None
    version: int | None = None


@dataclass(frozen=True)
class Outcome:
    """How the review stands after a step, and what else changes of the asset."""

    review: Review
    fields: Mapping[str, Any] = field(default_factory=dict)
    also: tuple[Write, ...] = ()
    """What is written in the same commit."""


Decide = Callable[[Asset, Access], Awaitable[Outcome | None]]
"""How a step ends; None when there is nothing to do."""


async def get(caller: Caller, document_id: str, permission: Permission = Permission.READ) -> tuple[Asset, Access]:
    """What is reviewed, as it is now, and the access to its project; one read when the project is cached."""
    return await access.record(caller, await assets.get(document_id), permission, "document")


async def take_step(said: Said, document_id: str, permission: Permission, decide: Decide) -> Asset:
    """The asset after a step of its review; a read and a commit each time it is tried.

    Raises StateConflict for a step that its state does not allow, PreconditionFailed when it is not of the version,
    Changed when others were faster every time.
    """
    for _ in range(ATTEMPTS):
        asset, found = await get(said.caller, document_id, permission)
        versions.require(asset, said.version)
        require_step(asset, said.step)
        outcome = await decide(asset, found)
        if outcome is None:
            return asset
        told = await _messages(said, asset, outcome)
        try:
            version = await firestore.commit(*writes(said, asset, outcome), *webhooks.writes(told))
        except firestore.Conflict as error:
            if said.version is not None:
                raise PreconditionFailed("Somebody else changed the document at the same moment.") from error
            continue
        if outcome.review.state is not asset.review.state:
            await rollups.soon(asset.project_id)
        await webhooks.send(told)
        return after(asset, outcome, version)
    raise Changed("Too many requests change this document at once.")


async def _messages(said: Said, asset: Asset, outcome: Outcome) -> list[Delivery]:
    """What webhooks are told when the step decides the review; an approval that others must follow does not yet."""
    if said.step not in _DECISIONS or outcome.review.state is ReviewState.SUBMITTED:
        return []
    decided = {"state", "reason", "comment", "decided_by", "decided_at", "approved_by", "agreement"}
    data = {
        **asset.model_dump(mode="json", include={"id", "kind", "project_id", "session_id", "path"}),
        "review": outcome.review.model_dump(mode="json", include=decided),
    }
    return await webhooks.messages(asset.project_id, Event.REVIEW_DECIDED, asset, data)


def require_step(asset: AssetSummary, step: Step) -> None:
    """Raises StateConflict unless the asset and its review may take this step."""
    state = _against(step, asset)
    if state is not None:
        what = "review" if isinstance(state, ReviewState) else asset.kind
        name = step.replace("_", " ")
        raise StateConflict(f"The {what} is at {state!s}; the step is {name}.", details={"state": state})


def _against(step: Step, asset: AssetSummary) -> AssetState | ReviewState | None:
    """The state that does not allow this step: the asset's own, or that of its review; None when both do."""
    if step in _OF_WHAT_IS_READY and not _is_ready(asset):
        return asset.state
    return None if asset.review.state in REVIEW_STEPS[step] else asset.review.state


def _is_ready(asset: AssetSummary) -> bool:
    ready = AssetState.UPLOADED if asset.kind is Kind.FILE else AssetState.PROCESSED
    return asset.settled and asset.state is ready


def require_reviewer(caller: Caller, asset: AssetSummary) -> None:
    """Raises OwnUpload for who uploaded it, TakenByOther while another reviewer has it before them."""
    if caller.user_id == asset.uploader_id:
        raise OwnUpload("Nobody reviews what they uploaded themselves.")
    require_free(caller, asset)


def require_editor(caller: Caller, asset: AssetSummary, found: Access) -> None:
    """Raises Forbidden unless the caller may correct or label it where its review stands, TakenByOther as above.

    Whoever contributes or reviews may; reviewers alone while it is before them.
    """
    submitted = asset.review.state is ReviewState.SUBMITTED
    needed = {Permission.REVIEW} if submitted else {Permission.REVIEW, Permission.CONTRIBUTE}
    if not needed & access.PERMISSIONS[found.role]:
        raise Forbidden(f"The role {found.role} may not change this {asset.kind} now.")
    if submitted:
        require_free(caller, asset)
    if asset.state is not AssetState.PROCESSED:
        raise StateConflict(f"The {asset.kind} is {asset.state}.", details={"state": asset.state})


def require_free(caller: Caller, asset: AssetSummary) -> None:
    """Raises TakenByOther while another reviewer has it before them."""
    holder = asset.review.held_by(now())
    if holder not in (None, caller.user_id):
        raise TakenByOther(
            "Another reviewer has this before them.", details={"by": holder, "until": _text(asset.review)}
        )


def _text(review: Review) -> Any:
    return review.model_dump(mode="json")["taken_until"]


def writes(said: Said, asset: AssetSummary, outcome: Outcome) -> tuple[Write, ...]:
    """Everything that a step writes: the asset, the step itself, the audit log."""
    moment = now()
    review = _counted(asset, outcome)
    entry = ReviewEntry(
        id=_entry_id(asset.id, review.steps),
        created_at=moment,
        updated_at=moment,
        company_id=asset.company_id,
        project_id=asset.project_id,
        asset_id=asset.id,
        uploader_id=asset.uploader_id,
        step=said.step,
        by=said.caller.user_id,
        reason=said.reason,
        comment=said.comment,
        before=asset.review,
        after=review,
    )
    change = assets.change(asset, {"review": review.model_dump(), **outcome.fields})
    told = audit.entry(
        _ACTIONS[said.step],
        asset.id,
        by=said.caller,
        company_id=asset.company_id,
        before={"review": asset.review.state, "revision": asset.revision},
        after={
            "review": review.state,
            "revision": outcome.fields.get("revision", asset.revision),
            "reason": said.reason,
            "comment": said.comment,
        },
    )
    return change, reviews.append(entry), told, *outcome.also


def after(asset: Asset, outcome: Outcome, version: int) -> Asset:
    """The asset as the writes of a step leave it."""
    changed = {**asset.model_dump(), **outcome.fields, "review": _counted(asset, outcome), "version": version}
    return Asset.model_validate(changed)


def _counted(asset: AssetSummary, outcome: Outcome) -> Review:
    return outcome.review.model_copy(update={"steps": asset.review.steps + 1})


def _entry_id(asset_id: str, number: int) -> str:
    # Its number makes the last step one read, and a step that was taken twice impossible.
    return derived_id("rev", asset_id, number)


# --- submitting


async def submit(caller: Caller, project_id: str, document_ids: list[str], comment: str | None) -> list[AssetSummary]:
    """Puts documents of a project before its reviewers, all of them or none; a read and three writes for each.

    Raises NotFound and StateConflict with one entry in `details` for each document that can't be submitted. Only when
    it is changed at the same moment, and so is found after others of a large submission were written, are those
    submitted all the same; the message says which of the two it is.
    """
    found = await access.project(caller, project_id, Permission.CONTRIBUTE)
    said = Said(caller, Step.SUBMIT, comment)
    wanted = list(dict.fromkeys(document_ids))
    done: dict[str, AssetSummary] = {}
    try:
        for _ in range(ATTEMPTS):
            for some in _in_commits(await _submittable(project_id, wanted, done)):
                done |= await _submit(said, found, some)
            if len(done) == len(wanted):
                return [done[one] for one in wanted]
        left = [{"document_id": one} for one in wanted if one not in done]
        raise Changed(f"Too many requests change these documents at once; {_rest(done)}.", details=left)
    finally:
        if done:
            await rollups.soon(project_id)


async def _submittable(project_id: str, wanted: list[str], done: Mapping[str, AssetSummary]) -> list[AssetSummary]:
    """Those of the documents that are still to be submitted, as they are now."""
    left = [one for one in wanted if one not in done]
    known = await assets.summaries(left)
    ours = {one.id for one in known.values() if one.project_id == project_id and one.deleted_at is None}
    missing = [{"document_id": one} for one in left if one not in ours]
    if missing:
        raise NotFound(f"Not all of these documents are in this project; {_rest(done)}.", details=missing)
    waiting = [known[one] for one in left]
    wrong = [{"document_id": one.id, "state": state} for one in waiting if (state := _against(Step.SUBMIT, one))]
    if wrong:
        raise StateConflict(f"Not all of these documents can be submitted; {_rest(done)}.", details=wrong)
    return waiting


def _rest(done: Mapping[str, AssetSummary]) -> str:
    return "the others were submitted" if done else "nothing was submitted"


def _in_commits(waiting: list[AssetSummary]) -> list[list[AssetSummary]]:
    return [waiting[start : start + TOGETHER] for start in range(0, len(waiting), TOGETHER)]


async def _submit(said: Said, found: Access, some: list[AssetSummary]) -> dict[str, AssetSummary]:
    """Those that were submitted: all, or none when one of them was changed meanwhile."""
    outcomes = {asset.id: Outcome(_submitted(said, asset, found), UNMEASURED) for asset in some}
    try:
        version = await firestore.commit(*(one for asset in some for one in writes(said, asset, outcomes[asset.id])))
    except firestore.Conflict:
        return {}
    return {
        asset.id: asset.model_copy(update={"review": _counted(asset, outcomes[asset.id]), "version": version})
        for asset in some
    }


def _submitted(said: Said, asset: AssetSummary, found: Access) -> Review:
    moment = now()
    return Review(
        state=ReviewState.SUBMITTED,
        comment=said.comment,
        submitted_by=said.caller.user_id,
        submitted_at=moment,
        taken_until=moment,
        approvals_required=found.project.approvals,
        steps=asset.review.steps,
    )


# --- going back


async def send_back(caller: Caller, document_id: str, comment: str | None, version: int | None) -> Asset:
    """Puts what was decided before the reviewers again; approvals begin anew."""
    said = Said(caller, Step.SEND_BACK, comment, version=version)

    async def decide(asset: Asset, found: Access) -> Outcome:
        require_reviewer(caller, asset)
        review = _submitted(said, asset, found).model_copy(update={"submitted_by": asset.review.submitted_by})
        return Outcome(review, UNMEASURED)

    return await take_step(said, document_id, Permission.REVIEW, decide)


async def undo(caller: Caller, document_id: str, version: int | None) -> Asset:
    """Takes back the caller's own decision, if it is the last step and not older than `UNDO_WITHIN`."""
    said = Said(caller, Step.UNDO, version=version)

    async def decide(asset: Asset, _: Access) -> Outcome:
        last = await reviews.step(_entry_id(asset.id, asset.review.steps))
        if last is None or last.step not in _DECISIONS or last.by != caller.user_id:
            raise StateConflict("The last step is no decision of yours.", details={"state": asset.review.state})
        _require_undoable(asset, last)
        return Outcome(last.before.model_copy(update={"taken_by": None, "taken_until": now()}), UNMEASURED)

    return await take_step(said, document_id, Permission.REVIEW, decide)


def _require_undoable(asset: AssetSummary, decision: ReviewEntry) -> None:
    """Raises StateConflict for a decision that is too old, or was of another text: what stood then holds no more."""
    wrong = None
    if now() - decision.created_at > UNDO_WITHIN:
        wrong = f"A decision is undone within {UNDO_WITHIN // timedelta(minutes=1)} minutes"
    elif asset.processed_at is not None and asset.processed_at > decision.created_at:
        wrong = f"The {asset.kind} was recognised again since"
    if wrong is not None:
        raise StateConflict(f"{wrong}; send it back instead.", details={"state": asset.review.state})


# --- history


async def history(caller: Caller, document_id: str, size: int, after: tuple[Any, ...] | None) -> list[ReviewEntry]:
    """The steps of a review, newest first; one read for each and one for the document."""
    asset, _ = await get(caller, document_id)
    return await reviews.history(asset.id, size, after)


def step_view(entry: ReviewEntry) -> StepView:
    """A step as people see it."""
    return StepView(
        **entry.model_dump(include={"id", "created_at", "step", "by", "reason", "comment"}),
        before=entry.before.state,
        after=entry.after.state,
        approvals=len(entry.after.approved_by),
        approvals_required=entry.after.approvals_required,
    )
