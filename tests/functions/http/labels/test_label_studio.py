"""Labels to Label Studio and back."""

from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.models.assets import Asset, Kind
from shared.models.labels import Annotations, AnyAnnotation, LabelField, Task
from shared.models.records import now
from shared.services import label_studio
from tests.functions.http.desk import Desk
from tests.functions.http.labels.test_labels import FIELDS, TEXT
from tests.functions.http.walking import walked

SAID: list[dict[str, Any]] = [
    {"id": "c1", "field": "quality", "type": "choice", "labels": ["good"]},
    {"id": "c2", "field": "scripts", "type": "choice", "labels": ["latin", "greek"]},
    {"id": "t1", "field": "topics", "type": "tags", "labels": ["river", "1880s"]},
    {"id": "s1", "field": "entities", "type": "span", "labels": ["Person"], "start": 7, "end": 10},
    {"id": "b1", "field": "areas", "type": "box", "labels": ["Stamp"], "page": 2, "box": [0.1, 0.2, 0.3, 0.7]},
]
_FIELDS = TypeAdapter(list[LabelField]).validate_python(FIELDS)
_annotations: TypeAdapter[list[AnyAnnotation]] = TypeAdapter(list[AnyAnnotation])


async def _labelled(desk: Desk) -> str:
    (document_id,) = await desk.documents(0.9, text=TEXT, pages=2)
    await desk.admin.http.put(f"/api/labels/{desk.project_id}", json={"fields": FIELDS})
    answer = await desk.one.http.put(f"/api/documents/{document_id}/labels", json={"annotations": SAID})
    assert answer.status_code == 200, answer.text
    return document_id


async def test_what_is_said_goes_to_label_studio_and_comes_back_without_loss(desk: Desk) -> None:
    document_id = await _labelled(desk)
    path = f"/api/labels/{desk.project_id}/label-studio/tasks"
    labels = f"/api/documents/{document_id}/labels"
    before = (await desk.one.http.get(labels)).json()["annotations"]
    (task,) = await walked(desk.one.http, path)
    await desk.one.http.put(labels, json={"annotations": []})

    answer = await desk.one.http.post(path, json=[task])

    assert answer.json()["results"] == [
        {"document_id": document_id, "status": 200, "annotations": len(SAID), "error": None}
    ]
    assert (await desk.one.http.get(labels)).json()["annotations"] == before


async def test_a_task_is_what_label_studio_documents(desk: Desk) -> None:
    document_id = await _labelled(desk)
    (task,) = await walked(desk.one.http, f"/api/labels/{desk.project_id}/label-studio/tasks")

    assert (task["data"]["document_id"], task["data"]["text"]) == (document_id, TEXT)
    assert [page.rpartition("#")[2] for page in task["data"]["pages"]] == ["page=1", "page=2"]
    (annotation,) = task["annotations"]
    by_id = {one["id"]: one for one in annotation["result"]}
    assert by_id["s1"] == {
        "id": "s1", "from_name": "entities", "to_name": "text", "type": "labels",
        "value": {"start": 7, "end": 10, "text": "Ada", "labels": ["Person"]},
    }  # fmt: skip
    assert by_id["b1"] == {
        "id": "b1", "from_name": "areas", "to_name": "pages", "type": "rectanglelabels", "item_index": 1,
        "value": {"x": 10.0, "y": 20.0, "width": 20.0, "height": 50.0, "rotation": 0, "rectanglelabels": ["Stamp"]},
    }  # fmt: skip


async def test_tasks_come_page_by_page_labelled_or_not(desk: Desk) -> None:
    document_ids = await desk.documents(0.9, 0.8, 0.7)
    await desk.documents(0.9, kind="voice")
    path = f"/api/labels/{desk.project_id}/label-studio/tasks"
    tasks = await walked(desk.one.http, path, page_size="2")
    assert {task["data"]["document_id"] for task in tasks} == set(document_ids)
    assert all(task["annotations"] == [] for task in tasks)
    (voice,) = await walked(desk.one.http, path, kind="voice")
    assert voice["data"]["audio"].startswith("http")


async def test_the_configuration_shows_every_field_that_fits_the_kind(desk: Desk) -> None:
    await _labelled(desk)
    path = f"/api/labels/{desk.project_id}/label-studio/config"
    document = ET.fromstring((await desk.one.http.get(path)).text)
    voice = ET.fromstring((await desk.one.http.get(path, params={"kind": "voice"})).text)
    names = [[one.get("name") for one in view] for view in (document, voice)]
    shared = ["quality", "scripts", "topics", "entities"]
    assert names == [["text", "pages", *shared, "areas"], ["text", "audio", *shared, "speakers"]]
    assert document[2][0].attrib == {"value": "good"}
    assert document[5][0].attrib == {"value": "Person", "background": "#3366cc"}


async def test_each_task_of_an_import_stands_for_itself(desk: Desk) -> None:
    document_id = await _labelled(desk)
    result = {"id": "x", "from_name": "nowhere", "to_name": "text", "type": "labels", "value": {"labels": ["A"]}}
    tasks = [
        {"data": {"text": "of somebody else"}, "annotations": []},
        {"data": {"document_id": "ast_nowhere"}, "annotations": []},
        {"data": {"document_id": document_id}, "annotations": [{"result": [result]}]},
        {"data": {"document_id": document_id}, "annotations": [{"result": []}]},
    ]
    answer = await desk.one.http.post(f"/api/labels/{desk.project_id}/label-studio/tasks", json=tasks)
    assert [one["status"] for one in answer.json()["results"]] == [422, 404, 422, 200]


def test_the_ground_truth_counts_before_what_is_newer_and_what_was_cancelled_not_at_all() -> None:
    def chosen(quality: str, **about: Any) -> dict[str, Any]:
        value = {"choices": [quality]}
        result = {"id": "q", "from_name": "quality", "to_name": "text", "type": "choices", "value": value}
        return {"result": [result], **about}

    old, new = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
    task = Task(data={}, annotations=[chosen("good", updated_at=old), chosen("bad", updated_at=new)])
    assert label_studio.annotations(task, _FIELDS)[0].labels == ["bad"]
    truth = [chosen("good", updated_at=old, ground_truth=True), chosen("bad", updated_at=new)]
    assert label_studio.annotations(Task(data={}, annotations=truth), _FIELDS)[0].labels == ["good"]
    cancelled = [chosen("good", updated_at=new, was_cancelled=True), chosen("bad", updated_at=old)]
    assert label_studio.annotations(Task(data={}, annotations=cancelled), _FIELDS)[0].labels == ["bad"]


_names = st.sampled_from(["Stamp", "Signature"])
_part = st.integers(0, 10**8).map(lambda number: number / 10**8)


@given(st.tuples(_part, _part), st.tuples(_part, _part), _names, st.integers(1, 9))
def test_any_box_comes_back_as_it_was(
    one: tuple[float, float], other: tuple[float, float], name: str, page: int
) -> None:
    (left, right), (top, bottom) = sorted(one), sorted(other)
    assume(left < right and top < bottom)
    place = {"page": page, "box": [left, top, right, bottom]}
    box = {"id": "b", "field": "areas", "type": "box", "labels": [name], **place}
    foreign = {"foreign": {"origin": "manual", "original_width": 800, "value": {"ellipsis": True}}}
    said = _annotations.validate_python([{**box, **foreign}])
    moment = now()
    record = {"id": "ast_1", "created_at": moment, "updated_at": moment, "company_id": "c", "project_id": "p"}
    file = {"kind": Kind.DOCUMENT, "path": "a", "name": "a", "content_type": "image/png", "size": 1}
    asset = Asset.model_validate({**record, **file, "uploader_id": "u"})

    task = label_studio.task(asset, "", "http://a", Annotations(**record, annotations=said, annotated_by="u"))

    assert task["annotations"][0]["result"][0]["origin"] == "manual"
    assert label_studio.annotations(Task.model_validate(task), _FIELDS) == said
