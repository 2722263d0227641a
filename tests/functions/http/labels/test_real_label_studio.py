"""Our labels in Label Studio itself: it imports what we export, and what it exports comes back without loss.

`python -m pytest -m tools -s` installs Label Studio into an environment of its own, for minutes; with
`LABEL_STUDIO=/path/to/label-studio` it starts that one. It listens on loopback and keeps a SQLite file.
"""

import asyncio
import json
import os
import secrets
import subprocess
import sys
import venv
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulators.ports import free_ports
from tests import loopback
from tests.emulators.waiting import until
from tests.functions.http.desk import Desk
from tests.functions.http.labels.test_label_studio import SAID
from tests.functions.http.labels.test_labels import FIELDS, TEXT
from tests.functions.http.walking import made

VERSION = "1.23.2"
"""The version of Label Studio that this was last seen with."""
STARTED_WITHIN = 180
"""Seconds; it makes its database first."""
SPOKEN: list[dict[str, Any]] = [
    {"id": "q1", "field": "quality", "type": "choice", "labels": ["bad"]},
    {"id": "r1", "field": "speakers", "type": "range", "labels": ["A"], "start": 0.25, "end": 1.123456},
    {"id": "r2", "field": "speakers", "type": "range", "labels": ["B"], "start": 1.123456, "end": 2.0},
    {"id": "s1", "field": "entities", "type": "span", "labels": ["Person"], "start": 7, "end": 10},
]

pytestmark = [pytest.mark.tools, pytest.mark.timeout(1_200)]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executable."""
    if "LABEL_STUDIO" in os.environ:
        return Path(os.environ["LABEL_STUDIO"])
    folder = tmp_path_factory.mktemp("label-studio")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", f"label-studio=={VERSION}"], check=True)
    return folder / "bin" / "label-studio"


@contextmanager
def _started(program: Path, folder: Path) -> Iterator[httpx.AsyncClient]:
    (port,), token = free_ports(1), secrets.token_hex(20)
    somebody = ("--username", "somebody@example.org", "--password", secrets.token_urlsafe(12))
    command = (program, "start", "--no-browser", "--data-dir", folder, "--internal-host", "127.0.0.1", "--port", port)
    environment = {
        **{name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG"}},
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*map(str, command), *somebody, "--user-token", token, "--enable-legacy-api-token"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        headers = {"Authorization": f"Token {token}"}
        try:
            yield loopback.client(f"http://127.0.0.1:{port}", headers=headers)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
async def studio(program: Path, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A new Label Studio, signed in."""
    with _started(program, tmp_path) as http:

        async def ready() -> bool:
            try:
                return (await http.get("/api/version")).status_code == 200
            except httpx.TransportError:
                return False

        await until(ready, STARTED_WITHIN, every=0.5)
        told = (await http.get("/api/version")).json()
        print(f"\nLabel Studio {told['release']}, Python {sys.version.split()[0]}")
        yield http
        await http.aclose()


Labelled = dict[str, tuple[str, list[dict[str, Any]]]]
"""Kind → the path of a document's or recording's labels, and what is said there."""


async def _labelled(desk: Desk) -> Labelled:
    (document_id,) = await desk.documents(0.9, text=TEXT, pages=2)
    (voice_id,) = await desk.documents(0.8, text=TEXT, kind="voice", duration_seconds=2.0, content_type="audio/wav")
    await desk.admin.http.put(f"/api/labels/{desk.project_id}", json={"fields": FIELDS})
    wanted: Labelled = {
        "document": (f"/api/documents/{document_id}/labels", SAID),
        "voice": (f"/api/voice/{voice_id}/labels", SPOKEN),
    }
    return {kind: (path, await _put(desk, path, said)) for kind, (path, said) in wanted.items()}


async def _put(desk: Desk, path: str, said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    answer = await desk.one.http.put(path, json={"annotations": said})
    assert answer.status_code == 200, answer.text
    annotations: list[dict[str, Any]] = answer.json()["annotations"]
    return annotations


async def _exported(desk: Desk, kind: str) -> list[dict[str, Any]]:
    """The tasks of an export."""
    http = desk.one.http
    asked = {"project_id": desk.project_id, "format": "label_studio", "filter": {"kind": kind}}
    export = await made(http, "/api/exports", **asked)

    async def ready() -> bool:
        return bool((await http.get(f"/api/exports/{export['id']}")).json()["state"] == "ready")

    await until(ready, 60, every=0.2)
    files = (await http.get(f"/api/exports/{export['id']}/files")).json()["items"]
    (part,) = [file["url"] for file in files if file["name"].startswith("data/")]
    async with loopback.client() as anyone:
        tasks: list[dict[str, Any]] = (await anyone.get(part)).raise_for_status().json()
    return tasks


async def _through(studio: httpx.AsyncClient, config: str, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What Label Studio exports of the tasks that it imported into a new project of this configuration."""
    project = await studio.post("/api/projects", json={"title": "Of ours", "label_config": config})
    assert project.status_code == 201, project.text
    path = f"/api/projects/{project.json()['id']}"
    imported = await studio.post(f"{path}/import", json=tasks)
    assert imported.status_code == 201, imported.text
    assert (imported.json()["task_count"], imported.json()["annotation_count"]) == (len(tasks), len(tasks))
    exported = await studio.get(f"{path}/export", params={"exportType": "JSON"})
    assert exported.status_code == 200, exported.text
    found: list[dict[str, Any]] = json.loads(exported.content)
    return found


async def test_our_export_goes_through_label_studio_and_comes_back_without_loss(
    desk: Desk, studio: httpx.AsyncClient
) -> None:
    path = f"/api/labels/{desk.project_id}/label-studio"
    for kind, (labels, said) in (await _labelled(desk)).items():
        config = (await desk.one.http.get(f"{path}/config", params={"kind": kind})).text
        tasks = await _exported(desk, kind)

        came_back = await _through(studio, config, tasks)

        assert [task["data"] for task in came_back] == [task["data"] for task in tasks]
        await _put(desk, labels, [])
        answer = await desk.one.http.post(f"{path}/tasks", json=came_back)
        assert [one["status"] for one in answer.json()["results"]] == [200], answer.text
        assert (await desk.one.http.get(labels)).json()["annotations"] == said


async def test_what_is_said_in_label_studio_comes_to_us_and_goes_back_as_it_was(
    desk: Desk, studio: httpx.AsyncClient
) -> None:
    labels, _ = (await _labelled(desk))["document"]
    path = f"/api/labels/{desk.project_id}/label-studio"
    config = (await desk.one.http.get(f"{path}/config")).text
    (task,) = await _exported(desk, "document")
    drawn = {
        "id": "drawn",
        "from_name": "areas",
        "to_name": "pages",
        "type": "rectanglelabels",
        "item_index": 1,
        "origin": "manual",
        "original_width": 800,
        "original_height": 1200,
        "image_rotation": 0,
        "value": {"x": 12.5, "y": 25.0, "width": 40.125, "height": 9.75, "rotation": 0, "rectanglelabels": ["Stamp"]},
    }
    (there,) = await _through(studio, config, [task])
    said = {"result": [drawn], "ground_truth": True}
    answer = await studio.post(f"/api/tasks/{there['id']}/annotations/", json=said)
    assert answer.status_code == 201, answer.text
    exported = await studio.get(f"/api/projects/{there['project']}/export", params={"exportType": "JSON"})

    taken = await desk.one.http.post(f"{path}/tasks", json=json.loads(exported.content))

    assert [one["annotations"] for one in taken.json()["results"]] == [1], taken.text
    (box,) = (await desk.one.http.get(labels)).json()["annotations"]
    assert (box["page"], box["labels"]) == (2, ["Stamp"])
    assert box["box"] == pytest.approx([0.125, 0.25, 0.52625, 0.3475])
    (again,) = await _exported(desk, "document")
    assert again["annotations"][0]["result"] == [drawn]
    await asyncio.to_thread(print, "said there, and the same after both ways:", json.dumps(drawn))
