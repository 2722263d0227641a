"""Corrections of a text: every revision is kept, and shows how well the machine read."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.models.assets import INLINE_TEXT_LIMIT
from shared.store import assets, audit
from tests.functions.http.desk import Desk, decided, refusal
from tests.functions.http.walking import walked
from tests.people import Person

MACHINE = "Dear Sir, the rlver rose again on Monday."
TRUTH = "Dear Sir, the river rose again on Monday."


async def _correct(by: Person, document_id: str, text: str, **more: Any) -> httpx.Response:
    headers = {"If-Match": more.pop("etag")} if "etag" in more else {}
    path = f"/api/documents/{document_id}/text"
    return await by.http.put(path, json={"text": text, **more}, headers=headers)


async def _text(by: Person, document_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await by.http.get(f"/api/documents/{document_id}/text")).json()
    return found


async def _revisions(by: Person, document_id: str) -> list[dict[str, Any]]:
    return await walked(by.http, f"/api/documents/{document_id}/revisions", page_size="1")


async def test_every_revision_is_kept_with_author_and_difference_and_the_machines_too(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)
    assert await _revisions(desk.one, document_id) == []

    first = await _correct(desk.contributor, document_id, TRUTH, comment="A slip.")
    second = await desk.one.http.patch(f"/api/documents/{document_id}/text", json={"text": f"{TRUTH} Yours, J."})

    assert (first.status_code, first.json()["text"], first.json()["revision"]) == (200, TRUTH, 2)
    assert (second.json()["revision"], second.json()["excerpt"]) == (3, f"{TRUTH} Yours, J.")
    latest, correction, machine = await _revisions(desk.one, document_id)
    assert (machine["number"], machine["author_id"], machine["diff"]) == (1, None, [])
    assert (correction["author_id"], correction["comment"]) == (desk.contributor.user.id, "A slip.")
    assert correction["diff"] == [{"at": 14, "removed": "rlver", "added": "river"}]
    assert latest["diff"] == [{"at": len(TRUTH), "removed": "", "added": " Yours, J."}]
    assert latest["author_id"] == desk.one.user.id
    kept = await desk.one.http.get(f"/api/documents/{document_id}/revisions/1")
    assert kept.json()["text"] == MACHINE
    told = await audit.page((("target_id", "==", document_id),), 5, None)
    assert [(one.action, one.after["revision"]) for one in told] == [("text.corrected", 3), ("text.corrected", 2)]


async def test_an_earlier_revision_is_brought_back_as_a_new_one(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)
    await _correct(desk.one, document_id, TRUTH)
    answer = await desk.one.http.post(f"/api/documents/{document_id}/revisions/1/restore")
    assert (answer.json()["text"], answer.json()["revision"]) == (MACHINE, 3)
    missing = await desk.one.http.post(f"/api/documents/{document_id}/revisions/9/restore")
    assert refusal(missing) == (404, "not_found")


async def test_the_same_text_again_is_no_revision(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)
    answer = await _correct(desk.one, document_id, MACHINE)
    assert (answer.status_code, answer.json()["revision"]) == (200, 0)


@pytest.mark.parametrize("end", ["short", "long"])
async def test_a_text_of_any_length_comes_back_whole(desk: Desk, end: str) -> None:
    machine = "x" * 10 if end == "short" else "é" * INLINE_TEXT_LIMIT
    long = "Wörter und Wörter. " * 10_000
    (document_id,) = await desk.documents(0.9, text=machine[:1])
    await _correct(desk.one, document_id, machine)

    answer = await _correct(desk.one, document_id, long)

    assert answer.json()["text_truncated"] is True
    assert len(answer.json()["text"].encode()) <= INLINE_TEXT_LIMIT
    assert (await _text(desk.one, document_id))["text"] == long
    before = await desk.one.http.get(f"/api/documents/{document_id}/revisions/2")
    assert before.json()["text"] == machine
    latest, *_ = await _revisions(desk.one, document_id)
    assert (latest["diff_truncated"], latest["characters"]) == (True, len(long))


async def test_of_many_that_correct_at_once_each_is_a_revision(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)

    answers = await asyncio.gather(*(_correct(desk.one, document_id, f"{TRUTH} {number}") for number in range(5)))

    done = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert sorted(answer.json()["revision"] for answer in done) == list(range(2, 2 + len(done)))
    assert len(await _revisions(desk.one, document_id)) == 1 + len(done)


async def test_a_correction_of_another_version_than_was_seen_is_refused(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)
    seen = (await desk.one.http.get(f"/api/documents/{document_id}/text")).headers["ETag"]
    assert (await _correct(desk.one, document_id, TRUTH, etag=seen)).status_code == 200
    assert refusal(await _correct(desk.other, document_id, "Mine.", etag=seen)) == (412, "precondition_failed")


async def test_who_may_correct_depends_on_where_the_review_stands(desk: Desk) -> None:
    (document_id,) = await desk.documents(0.9, text=MACHINE)
    assert (await _correct(desk.contributor, document_id, "One.")).status_code == 200
    await desk.submit(document_id)
    assert refusal(await _correct(desk.contributor, document_id, "Two.")) == (403, "forbidden")
    assert (await _correct(desk.one, document_id, "Two.")).status_code == 200
    await desk.take(desk.other)
    assert refusal(await _correct(desk.one, document_id, "Three.")) == (409, "taken_by_other")
    await decided(desk.other, document_id)
    assert refusal(await _correct(desk.one, document_id, "Three.")) == (409, "state_conflict")
    await desk.one.http.post(f"/api/review/{document_id}/send-back", json={})
    assert (await _correct(desk.one, document_id, "Three.")).status_code == 200


async def test_what_is_still_being_read_is_not_corrected(desk: Desk) -> None:
    (document_id,) = await desk.documents(None, text="", state="processing", settled=False)
    assert refusal(await _correct(desk.one, document_id, "Early.")) == (409, "state_conflict")
    (voice,) = await desk.documents(0.9, kind="voice")
    assert refusal(await _correct(desk.one, voice, "Of another kind.")) == (404, "not_found")


async def test_a_correction_ends_the_approvals_of_the_text_before(desk: Desk) -> None:
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})
    (document_id,) = await desk.submitted(0.9, text=MACHINE)
    await decided(desk.one, document_id)

    corrected = await _correct(desk.other, document_id, TRUTH)

    assert corrected.json()["review"]["approved_by"] == []
    assert (await decided(desk.other, document_id)).json()["review"]["state"] == "submitted"
    assert (await decided(desk.one, document_id)).json()["review"]["state"] == "approved"


async def test_the_machine_is_measured_against_the_approved_text(desk: Desk) -> None:
    corrected, untouched = await desk.submitted(0.9, 0.95, text=MACHINE)
    await _correct(desk.one, corrected, TRUTH)

    measured = (await decided(desk.one, corrected)).json()
    perfect = (await decided(desk.one, untouched)).json()

    assert measured["character_error_rate"] == pytest.approx(1 / len(TRUTH))
    assert measured["word_error_rate"] == pytest.approx(1 / 8)
    assert (perfect["character_error_rate"], perfect["word_error_rate"]) == (0, 0)
    await desk.one.http.post(f"/api/review/{corrected}/send-back", json={})
    stored = await assets.get(corrected)
    assert stored is not None
    assert stored.word_error_rate is None


async def test_what_is_before_reviewers_is_not_recognised_again(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.9)
    answer = await desk.contributor.http.post(f"/api/documents/{document_id}/reprocess")
    assert refusal(answer) == (409, "state_conflict")
