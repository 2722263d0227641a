"""The labels of a project, and what they allow to be said of its documents."""

from typing import Any

import httpx
import pytest

from tests.functions.http.desk import Desk, decided, refusal
from tests.people import Person

FIELDS = [
    {"name": "quality", "type": "choice", "labels": [{"name": "good", "color": "#00aa00"}, {"name": "bad"}]},
    {"name": "scripts", "type": "choice", "labels": [{"name": "latin"}, {"name": "greek"}], "multiple": True},
    {"name": "topics", "type": "tags"},
    {"name": "entities", "type": "span", "labels": [{"name": "Person"}, {"name": "Place"}]},
    {"name": "speakers", "type": "range", "labels": [{"name": "A"}, {"name": "B"}]},
    {"name": "areas", "type": "box", "labels": [{"name": "Stamp"}, {"name": "Signature"}]},
]
TEXT = "Dear 🦆 Ada, the river rose."


async def _labels(desk: Desk) -> None:
    answer = await desk.admin.http.put(f"/api/labels/{desk.project_id}", json={"fields": FIELDS})
    assert answer.status_code == 200, answer.text


async def _put(by: Person, document_id: str, *said: dict[str, Any], kind: str = "documents") -> httpx.Response:
    return await by.http.put(f"/api/{kind}/{document_id}/labels", json={"annotations": list(said)})


def _said(field: str, type_: str, *labels: str, **place: Any) -> dict[str, Any]:
    return {"field": field, "type": type_, "labels": list(labels), **place}


async def test_a_project_has_one_set_of_labels_that_its_managers_change(desk: Desk) -> None:
    path = f"/api/labels/{desk.project_id}"
    empty = await desk.one.http.get(path)
    assert empty.json()["fields"] == []
    assert refusal(await desk.one.http.put(path, json={"fields": FIELDS})) == (403, "forbidden")

    put = await desk.admin.http.put(path, json={"fields": FIELDS}, headers={"If-Match": empty.headers["ETag"]})

    assert put.status_code == 200, put.text
    assert (await desk.one.http.get(path)).json() == put.json()
    assert put.json()["fields"][0]["labels"] == [
        {"name": "good", "color": "#00aa00"}, {"name": "bad", "color": "#3366cc"}
    ]  # fmt: skip
    late = await desk.admin.http.put(path, json={"fields": []}, headers={"If-Match": empty.headers["ETag"]})
    assert refusal(late) == (412, "precondition_failed")
    changed = await desk.admin.http.put(path, json={"fields": FIELDS[:1]}, headers={"If-Match": put.headers["ETag"]})
    assert len(changed.json()["fields"]) == 1


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "a", "type": "choice"}],
        [{"name": "a", "type": "tags"}, {"name": "a", "type": "tags"}],
        [{"name": "a", "type": "span", "labels": [{"name": "x"}, {"name": "x"}]}],
        [{"name": "a b", "type": "tags"}],
        [{"name": "text", "type": "tags"}],
        [{"name": "a", "type": "span", "labels": [{"name": "x", "color": "red"}]}],
    ],
)
async def test_a_set_that_makes_no_sense_is_refused(desk: Desk, fields: list[dict[str, Any]]) -> None:
    answer = await desk.admin.http.put(f"/api/labels/{desk.project_id}", json={"fields": fields})
    assert refusal(answer) == (422, "validation_failed")


async def test_everything_that_was_said_comes_back(desk: Desk) -> None:
    await _labels(desk)
    (document_id,) = await desk.documents(0.9, text=TEXT, pages=2)
    (voice,) = await desk.documents(0.9, kind="voice", text=TEXT, duration_seconds=12.5)

    put = await _put(
        desk.contributor,
        document_id,
        _said("quality", "choice", "good"),
        _said("scripts", "choice", "latin", "greek"),
        _said("topics", "tags", "river", "1880s"),
        _said("entities", "span", "Person", start=7, end=10, id="ada"),
        _said("areas", "box", "Stamp", page=2, box=[0.1, 0.2, 0.30000000001, 0.4]),
    )
    heard = await _put(desk.one, voice, _said("speakers", "range", "A", start=0.5, end=12.5), kind="voice")

    assert put.status_code == 200, put.text
    assert heard.status_code == 200, heard.text
    found = await desk.one.http.get(f"/api/documents/{document_id}/labels")
    assert found.json() == put.json()
    assert found.headers["ETag"] == put.headers["ETag"]
    assert put.json()["annotated_by"] == desk.contributor.user.id
    span, box = put.json()["annotations"][3:]
    assert (span["id"], span["start"], span["end"]) == ("ada", 7, 10)
    assert box["box"] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (_said("colour", "choice", "red"), "there is no field colour"),
        (_said("quality", "tags", "good"), "the field quality is a choice"),
        (_said("quality", "choice", "medium"), "the field quality has no label medium"),
        (_said("quality", "choice", "good", "bad"), "the field quality takes one label"),
        (_said("entities", "span", "Person", start=0, end=99), "the text has 27 characters"),
        (_said("speakers", "range", "A", start=0, end=1), "only a recording has time ranges"),
        (_said("areas", "box", "Stamp", page=3, box=[0, 0, 1, 1]), "the document has 2 pages"),
    ],
)
async def test_what_the_labels_or_the_document_do_not_allow_is_refused(
    desk: Desk, said: dict[str, Any], message: str
) -> None:
    await _labels(desk)
    (document_id,) = await desk.documents(0.9, text=TEXT, pages=2)
    answer = await _put(desk.one, document_id, {**said, "id": "wrong"}, _said("topics", "tags", "fine"))
    assert refusal(answer) == (422, "validation_failed")
    assert answer.json()["error"]["details"] == [{"annotation_id": "wrong", "message": message}]
    assert (await desk.one.http.get(f"/api/documents/{document_id}/labels")).json()["annotations"] == []


async def test_a_choice_is_answered_once_and_a_recording_ends(desk: Desk) -> None:
    await _labels(desk)
    (voice,) = await desk.documents(0.9, kind="voice", text=TEXT, duration_seconds=3.0)
    good, bad = _said("quality", "choice", "good"), _said("quality", "choice", "bad")
    assert (await _put(desk.one, voice, good, bad, kind="voice")).status_code == 422
    late = _said("speakers", "range", "A", start=1, end=4)
    assert (await _put(desk.one, voice, late, kind="voice")).status_code == 422
    backwards = _said("speakers", "range", "A", start=2, end=1)
    assert (await _put(desk.one, voice, backwards, kind="voice")).status_code == 422


async def test_labels_follow_the_review(desk: Desk) -> None:
    await _labels(desk)
    await desk.admin.http.patch(f"/api/projects/{desk.project_id}", json={"approvals": 2})
    (document_id,) = await desk.submitted(0.9, text=TEXT)
    said = _said("quality", "choice", "good")
    assert refusal(await _put(desk.contributor, document_id, said)) == (403, "forbidden")
    await decided(desk.one, document_id)
    assert (await _put(desk.other, document_id, said)).status_code == 200
    assert (await decided(desk.one, document_id)).json()["review"]["approved_by"] == [desk.one.user.id]
    await decided(desk.other, document_id)
    assert refusal(await _put(desk.one, document_id, said)) == (409, "state_conflict")
    history = (await desk.one.http.get(f"/api/review/{document_id}/history")).json()["items"]
    assert [one["step"] for one in history] == ["approve", "approve", "label", "approve", "submit"]


async def test_spans_of_a_text_that_was_corrected_since_are_said_to_be_outdated(desk: Desk) -> None:
    await _labels(desk)
    (document_id,) = await desk.documents(0.9, text=TEXT)
    said = _said("entities", "span", "Person", start=7, end=10)
    assert (await _put(desk.one, document_id, said)).json()["outdated"] is False
    await desk.one.http.put(f"/api/documents/{document_id}/text", json={"text": f"My {TEXT}"})
    assert (await desk.one.http.get(f"/api/documents/{document_id}/labels")).json()["outdated"] is True
