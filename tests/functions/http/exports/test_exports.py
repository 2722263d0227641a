"""Exports as clients get them: every format is opened by who it is for, and checked against the manifest."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pandas
import pytest

from shared.models.assets import Asset, AssetState, Kind
from shared.models.exports import Export, ExportFilter, ExportFormat, ExportState, ExportStep
from shared.models.records import new_id, now
from shared.models.review import Review, ReviewState
from shared.services import exporting
from shared.services import exports as asking
from shared.store import assets, exports, firestore
from tests import loopback
from tests.emulators.waiting import until
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import ids, made
from tests.people import Person
from tests.recognised import recognised

BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)


async def _collected(person: Person, count: int) -> str:
    """A project with so many recognised pages, every third approved, one recording, one that failed."""
    project = await made(person.http, "/api/projects", name="River")
    records = [_asset(project, person, number) for number in range(count)]
    records.append(_asset(project, person, count, kind=Kind.VOICE, duration_seconds=1.5, pages=None))
    records.append(_asset(project, person, count + 1, state=AssetState.FAILED))
    for start in range(0, len(records), 250):
        await firestore.commit(*map(assets.create, records[start : start + 250]))
    project_id: str = project["id"]
    return project_id


def _asset(project: Mapping[str, Any], person: Person, number: int, **fields: Any) -> Asset:
    described = {
        "created_at": BEGAN + timedelta(seconds=number),
        "updated_at": BEGAN,
        "path": f"folder/{number}.png",
        "name": f"{number}.png",
        "size": 1000 + number,
        "pages": 2,
        "confidence": 0.5,
        "text": f'Text {number}, "quoted",\nover two lines: ä€😀',
        "processed_at": BEGAN,
        "review": Review(state=ReviewState.APPROVED if number % 3 == 0 else ReviewState.NONE).model_dump(),
    }
    return recognised(project, person.user.id, **{**described, **fields})


async def _exported(http: httpx.AsyncClient, project_id: str, form: str, **wanted: Any) -> dict[str, bytes]:
    """The files of an export, by name, each checked against the manifest."""
    export = await made(http, "/api/exports", project_id=project_id, format=form, filter=wanted)

    async def ready() -> bool:
        return bool((await http.get(f"/api/exports/{export['id']}")).json()["state"] == "ready")

    await until(ready, 120, every=0.2)
    assert (await http.get(f"/api/exports/{export['id']}")).json()["percent"] == 100.0
    found = (await http.get(f"/api/exports/{export['id']}/files")).json()["items"]
    files: dict[str, bytes] = {}
    async with loopback.client() as anyone:
        for file in found:
            files[file["name"]] = (await anyone.get(file["url"])).raise_for_status().content
    manifest = json.loads(files["manifest.json"])
    assert {one["name"]: one["sha256"] for one in manifest["files"]} == {
        name: hashlib.sha256(raw).hexdigest() for name, raw in files.items() if name != "manifest.json"
    }
    assert manifest["rows"] == sum(one["rows"] or 0 for one in manifest["files"])
    return files


async def test_text_formats_hold_every_good_asset_as_it_is(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _collected(staff.user, 7)
    lines = (await _exported(http, project_id, "jsonl"))["data/train-00000.jsonl"].decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["path"] for row in rows] == [f"folder/{number}.png" for number in range(7, -1, -1)]
    assert (rows[1]["text"], rows[1]["size"]) == ('Text 6, "quoted",\nover two lines: ä€😀', 1006)

    table = (await _exported(http, project_id, "csv"))["data/train-00000.csv"].decode()
    assert [(row["path"], row["text"]) for row in csv.DictReader(io.StringIO(table))] == [
        (row["path"], row["text"]) for row in rows
    ]

    tasks = json.loads((await _exported(http, project_id, "label_studio"))["data/train-00000.json"])
    assert [task["data"]["document_id"] for task in tasks] == [row["id"] for row in rows]
    assert tasks[0]["data"]["audio"].startswith("gs://")


async def test_filters_choose_what_is_in_it(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _collected(staff.user, 6)

    async def paths(**wanted: Any) -> set[str]:
        lines = (await _exported(http, project_id, "jsonl", **wanted))["data/train-00000.jsonl"].decode().splitlines()
        return {Path(json.loads(line)["path"]).stem for line in lines if line}

    assert await paths(approved_only=True) == {"0", "3", "6"}
    assert await paths(kind="voice") == {"6"}
    assert await paths(
        created_after=(BEGAN + timedelta(seconds=2)).isoformat(),
        created_before=(BEGAN + timedelta(seconds=4)).isoformat(),
    ) == {"2", "3"}
    assert await paths(created_after=now().replace(tzinfo=None).isoformat()) == set()  # without a zone it is UTC


async def test_parquet_opens_in_duckdb_and_pandas_with_the_right_types(staff: Staff, tmp_path: Path) -> None:
    project_id = await _collected(staff.user, 5)
    files = await _exported(staff.user.http, project_id, "hugging_face")
    path = tmp_path / "part.parquet"
    path.write_bytes(files["data/train-00000.parquet"])

    types = dict(_queried(f"select column_name, column_type from (describe select * from '{path}')"))
    assert (types["text"], types["size"], types["pages"]) == ("VARCHAR", "BIGINT", "INTEGER")
    assert (types["confidence"], types["created_at"]) == ("DOUBLE", "TIMESTAMP WITH TIME ZONE")
    assert _queried(f"select count(*), sum(pages) from '{path}' where kind = 'document'") == [(5, 10)]
    frame = pandas.read_parquet(path)
    assert str(frame["created_at"].dt.tz) == "UTC"
    assert frame["created_at"].min().to_pydatetime() == BEGAN
    assert b"data/*.parquet" in files["README.md"]


SAID = [
    {"id": "s1", "field": "entities", "type": "span", "labels": ["Person"], "start": 0, "end": 3},
    {"id": "t1", "field": "topics", "type": "tags", "labels": ["river", "Ufer"]},
    {"id": "b1", "field": "areas", "type": "box", "labels": ["Stamp"], "page": 2, "box": [0.1, 0.2, 0.3, 0.75]},
    {"id": "r1", "field": "speakers", "type": "range", "labels": ["A"], "start": 0.25, "end": 1.5},
]
FIELDS = [
    {"name": "entities", "type": "span", "labels": [{"name": "Person"}]},
    {"name": "topics", "type": "tags"},
    {"name": "areas", "type": "box", "labels": [{"name": "Stamp"}]},
    {"name": "speakers", "type": "range", "labels": [{"name": "A"}]},
]
LONG = "Ada und der Fluß 🦆. " * 8_000
"""Longer than what a record holds of a text."""


async def _labelled(staff: Staff) -> str:
    """A project with a page that was corrected and labelled, one that was corrected afterwards, and a recording."""
    http = staff.admin.http
    project_id = await _collected(staff.user, 2)
    await http.put(f"/api/labels/{project_id}", json={"fields": FIELDS})
    first, second = reversed(await ids(http, "/api/documents", project_id=project_id, state="processed"))
    (voice,) = await ids(http, "/api/voice", project_id=project_id)
    await http.post(f"/api/review/{first}/send-back", json={})  # what is approved is not changed
    for path, text, said in (
        (f"/api/documents/{first}", LONG, SAID[:3]),
        (f"/api/documents/{second}", "Ada.", SAID[:1]),
        (f"/api/voice/{voice}", "Heard.", SAID[3:]),
    ):
        answer = await http.put(f"{path}/text", json={"text": text})
        assert answer.status_code == 200, answer.text
        answer = await http.put(f"{path}/labels", json={"annotations": said})
        assert answer.status_code == 200, answer.text
    assert (await http.put(f"/api/documents/{second}/text", json={"text": "Eve."})).status_code == 200
    return project_id


async def test_labels_and_corrected_texts_are_in_every_format_with_types(staff: Staff, tmp_path: Path) -> None:
    project_id = await _labelled(staff)
    http = staff.user.http

    lines = (await _exported(http, project_id, "jsonl"))["data/train-00000.jsonl"].decode().splitlines()
    table = (await _exported(http, project_id, "csv"))["data/train-00000.csv"].decode()
    path = tmp_path / "part.parquet"
    path.write_bytes((await _exported(http, project_id, "parquet"))["data/train-00000.parquet"])

    voice, second, first = (json.loads(line) for line in lines)
    assert [first["text"], second["text"], voice["text"]] == [LONG, "Eve.", "Heard."]
    assert [one["revision"] for one in (first, second, voice)] == [2, 3, 2]
    assert [one["annotations_outdated"] for one in (first, second, voice)] == [False, True, False]
    span, tags, box = first["annotations"]
    assert (span["labels"], span["start"], span["end"], span["page"]) == (["Person"], 0, 3, None)
    assert (tags["type"], tags["labels"]) == ("tags", ["river", "Ufer"])
    assert (box["page"], box["box"], box["rotation"]) == (2, [0.1, 0.2, 0.3, 0.75], 0)
    (heard,) = voice["annotations"]
    assert (heard["start"], heard["start_seconds"], heard["end_seconds"]) == (None, 0.25, 1.5)
    csv.field_size_limit(10_000_000)  # a long text is longer than the reader takes unless it is told
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [json.loads(row["annotations"]) for row in rows] == [json.loads(line)["annotations"] for line in lines]
    assert [row["text"] for row in rows] == ["Heard.", "Eve.", LONG]
    assert pandas.read_parquet(path)["annotations"].map(len).tolist() == [1, 1, 3]
    assert _queried(
        f"select one.field, one.labels, one.start, one.start_seconds, one.box from "
        f"(select unnest(annotations) as one from '{path}') order by one.field"
    ) == [
        ("areas", ["Stamp"], None, None, [0.1, 0.2, 0.3, 0.75]),
        ("entities", ["Person"], 0, None, None),
        ("entities", ["Person"], 0, None, None),
        ("speakers", ["A"], None, 0.25, None),
        ("topics", ["river", "Ufer"], None, None, None),
    ]
    types = dict(_queried(f"select column_name, column_type from (describe select * from '{path}')"))
    assert types["annotations"].startswith('STRUCT(id VARCHAR, field VARCHAR, "type" VARCHAR, labels VARCHAR[]')
    assert _queried(f"select text from '{path}' where revision = 2 and kind = 'document'") == [(LONG,)]


def _queried(sql: str) -> list[Any]:
    with duckdb.connect() as database:
        return database.execute(sql).fetchall()


async def test_a_large_export_is_built_in_parts_in_memory_that_does_not_grow(
    staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody_else(_: Export) -> None:
        """The queue would have the functions of the cloud build it, in parts of their own size."""

    monkeypatch.setattr(exporting, "PART_ASSETS", 400)
    monkeypatch.setattr(asking, "next_step", nobody_else)
    project_id = await _collected(staff.user, 1_300)
    export = await _built_here(staff, project_id)
    assert [file.rows for file in export.files] == [399, 400, 400, 102, None]  # the first saw the one that failed
    assert export.rows == 1_301
    assert len(await ids(staff.user.http, "/api/exports", project_id=project_id)) == 1


async def _built_here(staff: Staff, project_id: str) -> Export:
    moment = now()
    record = Export(
        id=new_id("exp"),
        created_at=moment,
        updated_at=moment,
        company_id=staff.company.id,
        project_id=project_id,
        format=ExportFormat.PARQUET,
        filter=ExportFilter(),
        assets_total=1_302,
        created_by=staff.user.user.id,
    )
    await firestore.commit(exports.create(record))

    async def settled() -> bool:
        found = await exports.get(record.id)
        assert found is not None
        if found.ready_at is None:
            await exporting.build(ExportStep(export_id=found.id, step=found.step))
        return found.ready_at is not None

    await until(settled, 60)
    built = await exports.get(record.id)
    assert built is not None
    return built


async def test_an_export_of_a_deleted_project_ends_and_does_not_go_on_when_it_is_restored(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _collected(staff.user, 1)
    asked = await made(http, "/api/exports", project_id=project_id, format="jsonl")
    record = await exports.get(asked["id"])
    assert record is not None
    waiting = record.model_copy(update={"id": new_id("exp"), "state": ExportState.PENDING, "step": 0, "after": []})
    await firestore.commit(exports.create(waiting))
    await http.delete(f"/api/projects/{project_id}")

    await exporting.build(ExportStep(export_id=waiting.id, step=0))

    assert (await http.post(f"/api/projects/{project_id}/restore")).status_code == 200
    await exporting.build(ExportStep(export_id=waiting.id, step=0))
    assert (await http.get(f"/api/exports/{waiting.id}")).json()["state"] == "cancelled"


async def test_an_export_can_be_stopped_and_is_only_for_who_sees_the_project(staff: Staff) -> None:
    http = staff.user.http
    project_id = await _collected(staff.user, 1)
    export = await made(http, "/api/exports", project_id=project_id, format="jsonl")
    path = f"/api/exports/{export['id']}"
    assert (await staff.stranger.http.get(path)).status_code == 404
    assert (await staff.stranger.http.get(f"{path}/files")).status_code == 404
    body = {"project_id": project_id, "format": "jsonl"}
    assert (await staff.stranger.http.post("/api/exports", json=body)).status_code == 404
    record = await exports.get(export["id"])
    assert record is not None
    waiting = record.model_copy(
        update={"id": new_id("exp"), "state": ExportState.PENDING}
    )  # of which no step was begun
    await firestore.commit(exports.create(waiting))
    path = f"/api/exports/{waiting.id}"
    assert (await http.get(f"{path}/files")).status_code == 409
    assert (await http.post(f"{path}/cancel")).json()["state"] == "cancelled"
    assert (await http.post(f"{path}/cancel")).status_code == 409
    await exporting.build(ExportStep(export_id=waiting.id, step=waiting.step))
    assert (await http.get(path)).json()["state"] == "cancelled"
