"""What reviewers decide, and what it takes to change it."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared.cloud import tasks
from shared.errors import NotFound
from shared.models.identity import Caller
from shared.models.records import now
from shared.models.review import Review, ReviewState
from shared.services import callers, review
from shared.store import assets, audit, firestore, reviews
from shared.store.firestore import Write
from tests.functions.http.desk import Desk, decided, refusal
from tests.functions.http.walking import walked
from tests.people import Person


async def test_a_contributor_submits_a_reviewer_approves_and_both_see_it(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9)
    answer = await desk.submit(document_id, comment="The first page is torn.")
    assert answer.status_code == 200
    submitted = answer.json()["items"][0]["review"]
    assert (submitted["state"], submitted["comment"]) == ("submitted", "The first page is torn.")
    assert submitted["submitted_by"] == desk.contributor.user.id

    approved = await decided(desk.one, document_id)

    assert (approved.status_code, approved.json()["review"]["state"]) == (200, "approved")
    seen = (await desk.contributor.http.get(f"/api/documents/{document_id}")).json()["review"]
    assert (seen["state"], seen["decided_by"], seen["agreement"]) == ("approved", desk.one.user.id, 1.0)
    assert await desk.queue() == []


async def test_a_contributor_sees_why_something_was_rejected_and_submits_it_again(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id, "reject", reason="unreadable", comment="Too dark.")
    seen = (await desk.contributor.http.get(f"/api/review/{document_id}")).json()["review"]
    assert (seen["state"], seen["reason"], seen["comment"]) == ("rejected", "unreadable", "Too dark.")

    again = (await desk.submit(document_id)).json()["items"][0]["review"]

    assert (again["state"], again["reason"], again["decided_by"]) == ("submitted", None, None)


async def test_any_other_step_is_refused(desk: Desk) -> None:
    fresh, approved = await desk.documents(0.9, 0.9)
    assert refusal(await decided(desk.one, fresh)) == (409, "state_conflict")
    assert refusal(await desk.one.http.post(f"/api/review/{fresh}/send-back", json={})) == (409, "state_conflict")
    assert refusal(await desk.one.http.post(f"/api/review/{fresh}/undo")) == (409, "state_conflict")
    assert refusal(await desk.one.http.post(f"/api/review/{fresh}/take")) == (409, "state_conflict")
    await desk.submit(approved)
    assert refusal(await desk.submit(approved)) == (409, "state_conflict")
    await decided(desk.one, approved)
    assert refusal(await decided(desk.other, approved)) == (409, "state_conflict")
    assert refusal(await decided(desk.other, approved, "reject")) == (409, "state_conflict")


async def test_submitting_is_all_or_nothing_and_names_what_is_wrong(desk: Desk) -> None:
    good, rejected = await desk.submitted(0.9, 0.9)
    (fresh,) = await desk.documents(0.8)
    (pending,) = await desk.documents(None, state="pending", settled=False)
    await decided(desk.one, rejected, "reject")

    answer = await desk.submit(fresh, rejected, good, pending)

    assert refusal(answer) == (409, "state_conflict")
    wrong = {one["document_id"]: one["state"] for one in answer.json()["error"]["details"]}
    assert wrong == {good: "submitted", pending: "pending"}
    assert (await desk.one.http.get(f"/api/review/{fresh}")).json()["review"]["state"] == "none"
    missing = await desk.submit(fresh, "ast_nowhere")
    assert refusal(missing) == (404, "not_found")
    assert missing.json()["error"]["details"] == [{"document_id": "ast_nowhere"}]


async def test_a_document_that_goes_while_others_were_written_is_refused_and_the_others_are_said_to_be_submitted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, gone, last = await desk.documents(*[0.9] * 3)
    queues = _recorded(monkeypatch)
    monkeypatch.setattr(review, "TOGETHER", 1)
    _after_the_first_commit(monkeypatch, {gone: {"deleted_at": now()}})
    caller = await _caller(desk.contributor)

    with pytest.raises(NotFound, match="the others were submitted") as refused:
        await review.submit(caller, desk.project_id, [first, gone, last], None)

    assert refused.value.details == [{"document_id": gone}]
    assert sorted(await desk.queue()) == sorted([first, last])
    assert queues == ["rollups"]


async def test_a_document_that_is_only_renamed_meanwhile_is_submitted_with_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    document_ids = await desk.documents(*[0.9] * 3)
    monkeypatch.setattr(review, "TOGETHER", 1)
    _after_the_first_commit(monkeypatch, {document_ids[1]: {"name": "b.png"}})

    found = await review.submit(await _caller(desk.contributor), desk.project_id, document_ids, None)

    assert [one.id for one in found] == document_ids
    assert sorted(await desk.queue()) == sorted(document_ids)


async def test_what_is_said_at_the_greatest_length_fits_into_a_commit(desk: Desk) -> None:
    longest = "\N{PAGE FACING UP}" * 5000
    rejected = Review(state=ReviewState.REJECTED, comment=longest)
    document_ids = await desk.documents(*[0.9] * review.TOGETHER, review=rejected)
    assert (await desk.submit(*document_ids, comment=longest)).status_code == 200


async def _caller(person: Person) -> Caller:
    return await callers.caller(person.http.headers["Authorization"].removeprefix("Bearer "))


def _recorded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queues of what is enqueued from now on; nothing comes there."""
    queues: list[str] = []

    async def enqueue(queue: str, *_: Any, **__: Any) -> None:
        queues.append(queue)

    monkeypatch.setattr(tasks, "enqueue", enqueue)
    return queues


def _after_the_first_commit(monkeypatch: pytest.MonkeyPatch, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Changes these documents as soon as anything is written, as somebody else does."""
    commit = firestore.commit

    async def meanwhile(*writes: Write) -> int:
        version = await commit(*writes)
        monkeypatch.setattr(firestore, "commit", commit)
        for document_id, fields in changed.items():
            stored = await assets.get(document_id)
            assert stored is not None
            await commit(assets.change(stored, fields))
        return version

    monkeypatch.setattr(firestore, "commit", meanwhile)


async def test_what_is_recognised_again_is_neither_sent_back_nor_approved_before_it_is_ready(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id, "reject")
    await _recognised(document_id, state="uploaded", settled=False)

    back = await desk.other.http.post(f"/api/review/{document_id}/send-back", json={})
    undone = await desk.one.http.post(f"/api/review/{document_id}/undo")

    for answer in (back, undone):
        assert refusal(answer) == (409, "state_conflict")
        assert answer.json()["error"]["details"] == {"state": "uploaded"}
    await _recognised(document_id, state="processed", settled=True, processed_at=now())
    assert (await desk.other.http.post(f"/api/review/{document_id}/send-back", json={})).status_code == 200


async def test_what_is_being_recognised_is_not_approved_but_may_be_rejected(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    await _recognised(document_id, state="processing", settled=False)
    assert refusal(await decided(desk.one, document_id)) == (409, "state_conflict")
    assert (await decided(desk.one, document_id, "reject")).status_code == 200


async def test_a_decision_on_a_text_that_is_another_since_is_not_undone(desk: Desk) -> None:
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id)
    await decided(desk.other, document_id, "reject")
    await _recognised(document_id, processed_at=now())

    assert refusal(await desk.other.http.post(f"/api/review/{document_id}/undo")) == (409, "state_conflict")
    back = await desk.other.http.post(f"/api/review/{document_id}/send-back", json={})
    assert (back.json()["review"]["state"], back.json()["review"]["approved_by"]) == ("submitted", [])


async def _recognised(document_id: str, **fields: Any) -> None:
    """Leaves a document as recognition does on its way."""
    stored = await assets.get(document_id)
    assert stored is not None
    await firestore.commit(assets.change(stored, fields))


async def test_nobody_decides_on_what_they_uploaded_themselves(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, uploader_id=desk.admin.user.id)
    await desk.submit(document_id)
    for decision in ("approve", "reject"):
        assert refusal(await decided(desk.admin, document_id, decision)) == (403, "own_upload")
    assert refusal(await desk.admin.http.post(f"/api/review/{document_id}/take")) == (403, "own_upload")
    await decided(desk.one, document_id)
    answer = await desk.admin.http.post(f"/api/review/{document_id}/send-back", json={})
    assert refusal(answer) == (403, "own_upload")


async def test_a_contributor_decides_nothing_and_a_reviewer_submits_nothing(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    (fresh,) = await desk.documents(0.9)
    assert refusal(await decided(desk.contributor, document_id)) == (403, "forbidden")
    assert refusal(await desk.submit(fresh, by=desk.one)) == (403, "forbidden")


async def test_a_project_may_want_several_approvals_and_shows_the_agreement(desk: Desk) -> None:
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})
    agreed, disputed = await desk.submitted(0.9, 0.8)

    first = (await decided(desk.one, agreed)).json()["review"]
    assert (first["state"], first["approved_by"], first["agreement"]) == ("submitted", [desk.one.user.id], None)
    assert refusal(await decided(desk.one, agreed)) == (409, "state_conflict")
    second = (await decided(desk.other, agreed)).json()["review"]
    assert (second["state"], second["agreement"], second["approvals_required"]) == ("approved", 1.0, 2)

    await decided(desk.one, disputed)
    against = (await decided(desk.other, disputed, "reject", reason="wrong_text")).json()["review"]
    assert (against["state"], against["agreement"]) == ("rejected", 0.5)


async def test_a_reviewer_takes_back_their_own_last_decision(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id, "reject", comment="Wrong button.")
    undo = f"/api/review/{document_id}/undo"
    assert refusal(await desk.other.http.post(undo)) == (409, "state_conflict")

    undone = await desk.one.http.post(undo)

    assert undone.status_code == 200, undone.text
    assert (undone.json()["review"]["state"], undone.json()["review"]["decided_by"]) == ("submitted", None)
    assert refusal(await desk.one.http.post(undo)) == (409, "state_conflict")
    assert (await decided(desk.other, document_id)).json()["review"]["state"] == "approved"


async def test_an_approval_of_several_is_taken_back_alone(desk: Desk) -> None:
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 3})
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id)
    await decided(desk.other, document_id)

    undone = (await desk.other.http.post(f"/api/review/{document_id}/undo")).json()["review"]

    assert (undone["state"], undone["approved_by"]) == ("submitted", [desk.one.user.id])


async def test_a_decision_is_not_undone_after_its_time_but_sent_back(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    await decided(desk.one, document_id)
    (last, *_) = await reviews.history(document_id, 1, None)
    long_ago = now() - review.UNDO_WITHIN - timedelta(seconds=1)
    await firestore.commit(firestore.change(reviews.REVIEWS, last, {"created_at": long_ago}))

    assert refusal(await desk.one.http.post(f"/api/review/{document_id}/undo")) == (409, "state_conflict")
    back = await desk.one.http.post(f"/api/review/{document_id}/send-back", json={"comment": "Look again."})

    assert (back.status_code, back.json()["review"]["state"]) == (200, "submitted")
    assert (back.json()["review"]["comment"], back.json()["review"]["approved_by"]) == ("Look again.", [])
    assert await desk.queue() == [document_id]


async def test_many_are_decided_at_once_each_with_its_own_result(desk: Desk) -> None:
    good, bad, decided_before = await desk.submitted(0.9, 0.8, 0.7)
    (own,) = await desk.submitted(0.6, uploader_id=desk.one.user.id)
    await decided(desk.other, decided_before)
    body = {
        "decisions": [
            {"document_id": good, "decision": "approve"},
            {"document_id": decided_before, "decision": "approve"},
            {"document_id": own, "decision": "approve"},
            {"document_id": "ast_nowhere", "decision": "approve"},
            {"document_id": bad, "decision": "reject", "reason": "duplicate"},
        ]
    }

    answer = await desk.one.http.post("/api/review/decisions", json=body)

    results = answer.json()["results"]
    assert [one["document_id"] for one in results] == [good, decided_before, own, "ast_nowhere", bad]
    assert [one["status"] for one in results] == [200, 409, 403, 404, 200]
    assert [one["error"] and one["error"]["code"] for one in results] == [
        None, "state_conflict", "own_upload", "not_found", None
    ]  # fmt: skip
    assert [results[0]["review"]["state"], results[4]["review"]["state"]] == ["approved", "rejected"]


async def test_of_two_that_decide_at_once_one_is_refused(desk: Desk) -> None:
    document_ids = await desk.submitted(*[0.9] * 10)

    async def both(document_id: str) -> list[int]:
        answers = await asyncio.gather(decided(desk.one, document_id), decided(desk.other, document_id, "reject"))
        return sorted(answer.status_code for answer in answers)

    assert await asyncio.gather(*(both(one) for one in document_ids)) == [[200, 409]] * 10


async def test_a_decision_on_another_version_than_was_seen_is_refused(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    seen = (await desk.one.http.get(f"/api/review/{document_id}")).headers["ETag"]
    stored = await assets.get(document_id)
    assert stored is not None
    await firestore.commit(assets.change(stored, {"excerpt": "Changed"}))

    answer = await desk.one.http.patch(
        f"/api/review/{document_id}", json={"decision": "approve"}, headers={"If-Match": seen}
    )

    assert refusal(answer) == (412, "precondition_failed")


async def test_every_step_is_in_the_history_and_in_the_audit_log(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9)
    await desk.submit(document_id, comment="Please.")
    await decided(desk.one, document_id, "reject", reason="incomplete", comment="Page 2 is missing.")
    await desk.one.http.post(f"/api/review/{document_id}/undo")
    await decided(desk.one, document_id)
    await desk.other.http.post(f"/api/review/{document_id}/send-back", json={"comment": "Really?"})

    steps = await walked(desk.contributor.http, f"/api/review/{document_id}/history", page_size="2")

    assert [(one["step"], one["before"], one["after"], one["comment"]) for one in reversed(steps)] == [
        ("submit", "none", "submitted", "Please."),
        ("reject", "submitted", "rejected", "Page 2 is missing."),
        ("undo", "rejected", "submitted", None),
        ("approve", "submitted", "approved", None),
        ("send_back", "approved", "submitted", "Really?"),
    ]
    assert steps[-2]["reason"] == "incomplete"
    assert steps[0]["by"] == desk.other.user.id
    told = await audit.page((("target_id", "==", document_id),), 10, None)
    assert [one.action for one in reversed(told)] == [
        "review.submitted", "review.rejected", "review.undone", "review.approved", "review.sent_back"
    ]  # fmt: skip
