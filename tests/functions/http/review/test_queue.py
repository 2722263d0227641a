"""The queue of reviews: its order, its filters, and that nobody gets what another has."""

import asyncio
import os
from datetime import timedelta

import pytest

from shared.models.identity import Role
from shared.models.records import now
from shared.services import review_queue
from shared.store import assets, audit, companies, firestore, reviews
from shared.store.firestore import Condition, Query
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.functions.http.desk import Desk, decided, refusal
from tests.functions.http.walking import ids
from tests.people import Person, join


async def test_the_least_certain_come_first_page_by_page(desk: Desk) -> None:
    certain, blank, doubtful, middling = await desk.submitted(0.99, None, 0.31, 0.7)
    await desk.documents(0.1)

    found = await ids(desk.one.http, "/api/review", project_id=desk.project_id, page_size="2")

    assert found == [blank, doubtful, middling, certain]


async def test_the_queue_is_filtered_by_kind_confidence_contributor_state_and_age(desk: Desk) -> None:
    low, high = await desk.submitted(0.2, 0.8)
    (voice,) = await desk.submitted(0.5, kind="voice")
    (foreign,) = await desk.submitted(0.6, uploader_id=desk.admin.user.id)
    (rejected,) = await desk.submitted(0.1)
    await decided(desk.one, rejected, "reject")

    assert await desk.queue(kind="voice") == [voice]
    assert await desk.queue(confidence_below=0.55) == [low, voice]
    assert await desk.queue(contributor=desk.admin.user.id) == [foreign]
    assert await desk.queue(state="rejected") == [rejected]
    assert await desk.queue(kind="document", contributor=desk.contributor.user.id, confidence_below=0.9) == [low, high]
    an_hour_ago = (now() - timedelta(hours=1)).isoformat()
    assert await desk.queue(submitted_before=an_hour_ago) == []
    assert await desk.queue(submitted_after=an_hour_ago, confidence_below=0.9) == [low, voice, foreign, high]


async def test_what_one_takes_nobody_else_gets_or_decides_until_it_is_given_back(desk: Desk) -> None:
    first, second = await desk.submitted(0.1, 0.2)
    assert await desk.take(desk.one) == [first]
    assert await desk.take(desk.other, count=5) == [second]
    assert await desk.take(desk.one) == []
    assert refusal(await decided(desk.other, first)) == (409, "taken_by_other")
    assert refusal(await desk.other.http.post(f"/api/review/{first}/take")) == (409, "taken_by_other")
    assert (await desk.one.http.post(f"/api/review/{first}/take")).status_code == 200

    assert (await desk.one.http.delete(f"/api/review/{first}/take")).status_code == 204

    assert (await decided(desk.other, first)).status_code == 200


async def test_what_was_taken_too_long_ago_is_free_again(desk: Desk) -> None:
    (document_id,) = await desk.submitted(0.1)
    await desk.take(desk.one)
    stored = await assets.get(document_id)
    assert stored is not None
    await firestore.commit(assets.change(stored, {"review.taken_until": now() - timedelta(seconds=1)}))
    assert await desk.take(desk.other) == [document_id]


async def test_a_take_offers_neither_own_uploads_nor_what_one_approved_already(desk: Desk) -> None:
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})
    (approved,) = await desk.submitted(0.1)
    await decided(desk.one, approved)
    (own,) = await desk.submitted(0.2, uploader_id=desk.one.user.id)
    (free,) = await desk.submitted(0.3)
    assert await desk.take(desk.one, count=5) == [free]
    assert await desk.take(desk.other, count=5) == [approved, own]


async def test_a_take_follows_the_filters_of_the_queue(desk: Desk) -> None:
    low, high = await desk.submitted(0.2, 0.8)
    (voice,) = await desk.submitted(0.1, kind="voice")
    assert await desk.take(desk.one, kind="document", confidence_below=0.5) == [low]
    assert await desk.take(desk.one, contributor=desk.contributor.user.id, kind="voice", count=3) == [voice]
    assert await desk.take(desk.one, submitted_before=now().isoformat(), count=3) == [high]


async def test_a_take_looks_past_many_that_others_hold(desk: Desk) -> None:
    taken = await desk.submitted(*[0.1] * (review_queue.LOOKED_AT + 5))
    (free,) = await desk.submitted(0.9)
    got = await desk.take(desk.one, count=50) + await desk.take(desk.one, count=5)
    assert sorted(got) == sorted(taken)
    assert await desk.take(desk.other) == [free]


@pytest.mark.crowd
@pytest.mark.parametrize(
    ("reviewers", "documents", "at_once"), [(2, 1000, 50), (8, int(os.environ.get("REVIEW_QUEUE", "160")), 5)]
)
async def test_reviewers_on_one_queue_never_get_the_same_and_every_decision_is_in_history_and_audit(
    desk: Desk, cloud: Cloud, reviewers: int, documents: int, at_once: int
) -> None:
    document_ids = await desk.documents(*[number / documents for number in range(documents)])
    assert (await desk.submit(*document_ids)).status_code == 200
    company = await companies.get(desk.company_id)
    people = [desk.one, desk.other, *[await join(cloud, company, Role.USER) for _ in range(reviewers - 2)]]

    async def work(person: Person) -> list[str]:
        mine: list[str] = []
        while got := await desk.take(person, count=at_once):
            body = {"decisions": [{"document_id": one, "decision": "approve"} for one in got]}
            answer = (await person.http.post("/api/review/decisions", json=body)).json()
            assert {one["status"] for one in answer["results"]} == {200}
            mine += got
        return mine

    decided_by = await asyncio.gather(*map(work, people))

    assert sorted(one for mine in decided_by for one in mine) == sorted(document_ids)
    print(f"\n{documents} documents, decided by {reviewers}: {[len(mine) for mine in decided_by]}")
    told: tuple[Condition, ...] = (("company_id", "==", desk.company_id), ("action", "==", "review.approved"))
    assert (await firestore.totals(Query(audit.AUDIT, where=told))).count == documents
    kept: tuple[Condition, ...] = (("project_id", "==", desk.project_id), ("step", "==", "approve"))
    assert (await firestore.totals(Query(reviews.REVIEWS, where=kept))).count == documents
    for person in people[2:]:
        await person.http.aclose()


async def test_the_queue_of_a_project_is_shown_to_who_is_in_it(desk: Desk, staff: Staff) -> None:
    (document_id,) = await desk.submitted(0.9)
    asked = {"project_id": desk.project_id}
    stranger = staff.admin.http
    assert (await desk.contributor.http.get("/api/review", params=asked)).status_code == 200
    assert (await stranger.get("/api/review", params=asked)).status_code == 404
    assert (await stranger.get(f"/api/review/{document_id}")).status_code == 404
    assert (await stranger.post("/api/review/take", json=asked)).status_code == 404
    assert (await desk.contributor.http.post("/api/review/take", json=asked)).status_code == 403
    assert (await stranger.patch(f"/api/review/{document_id}", json={"decision": "approve"})).status_code == 404
