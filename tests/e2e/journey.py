"""A client that takes files the way through the platform, over HTTP alone."""

import asyncio
import base64
import json
import mimetypes
import time
from collections.abc import Mapping, Sequence
from typing import Any

import google_crc32c
import httpx

from tests import loopback
from tests.emulators.waiting import until

KINDS = {"document": "documents", "voice": "voice"}


def described(path: str, content: bytes, content_type: str | None = None) -> dict[str, Any]:
    """A file as a manifest names it."""
    return {
        "path": path,
        "size": len(content),
        "content_type": content_type or mimetypes.guess_type(path)[0] or "application/octet-stream",
        "crc32c": base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode(),
    }


async def new_session(http: httpx.AsyncClient, **project: Any) -> dict[str, Any]:
    """A session in a project of its own."""
    made = (await http.post("/api/projects", json={"name": "Archive", **project})).raise_for_status().json()
    answer = await http.post("/api/sessions", json={"project_id": made["id"], "name": "Folder"})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def start(http: httpx.AsyncClient, session_id: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Announces files; the job."""
    answer = await http.post("/api/uploads/start", json={"session_id": session_id, "files": files})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def send(upload: Mapping[str, Any], content: bytes) -> httpx.Response:
    """Sends the bytes where they are to go."""
    async with loopback.client() as storage:
        answer = await storage.request(
            upload["method"],
            upload["url"],
            headers=upload["headers"],
            content=content if upload["protocol"] == "put" else b"",
        )
        if upload["protocol"] == "put":
            return answer
        size = len(content)
        return await storage.put(
            answer.headers["Location"], content=content, headers={"Content-Range": f"bytes 0-{size - 1}/{size}"}
        )


async def take(http: httpx.AsyncClient, files: Mapping[str, bytes], **types: str) -> dict[str, Any]:
    """Takes a folder of files all the way; the status at the end. `types` gives content types by path."""
    session = await new_session(http)
    manifest = [described(path, content, types.get(path)) for path, content in files.items()]
    job = await start(http, session["id"], manifest)
    for file in job["files"]:
        if file["upload"]:
            (await send(file["upload"], files[file["path"]])).raise_for_status()
    return await ended(http, job["job_id"])


async def ended(http: httpx.AsyncClient, job_id: str, limit: float = 120) -> dict[str, Any]:
    """The status of the job once it is at its end; fails when that does not come in time (seconds)."""
    latest = time.monotonic() + limit
    while True:
        status: dict[str, Any] = (await http.get(f"/api/uploads/status/{job_id}")).raise_for_status().json()
        if status["status"] not in ("pending", "in_progress"):
            return status
        assert time.monotonic() < latest, f"not at its end within {limit} s: {status}"
        await asyncio.sleep(0.2)


async def assets_of(http: httpx.AsyncClient, session_id: str) -> dict[str, dict[str, Any]]:
    """Every document and recording of a session, with text, by path."""
    found: dict[str, dict[str, Any]] = {}
    for path in KINDS.values():
        listed = (await http.get(f"/api/{path}", params={"session_id": session_id, "page_size": 200})).json()
        for item in listed["items"]:
            asset = (await http.get(f"/api/{path}/{item['id']}")).raise_for_status().json()
            found[asset["path"]] = asset
    return found


async def read_again(http: httpx.AsyncClient, before: Mapping[str, Any], limit: float = 60) -> dict[str, Any]:
    """The asset once it is at its end another time than `before`; fails when that does not come in time (seconds)."""
    found: dict[str, Any] = {}

    async def ended_again() -> bool:
        found.update((await http.get(f"/api/{KINDS[before['kind']]}/{before['id']}")).raise_for_status().json())
        return found["state"] in ("processed", "failed") and bool(found["processed_at"] > before["processed_at"])

    await until(ended_again, limit, every=0.1)
    return found


async def rows(http: httpx.AsyncClient, project_id: str) -> list[dict[str, Any]]:
    """Every row of an export of the project."""
    made = (await http.post("/api/exports", json={"project_id": project_id, "format": "jsonl"})).raise_for_status()
    path = f"/api/exports/{made.json()['id']}"

    async def ready() -> bool:
        return bool((await http.get(path)).raise_for_status().json()["state"] == "ready")

    await until(ready, 60, every=0.1)
    files = {file["name"]: file["url"] for file in (await http.get(f"{path}/files")).raise_for_status().json()["items"]}
    async with loopback.client() as anyone:
        lines = (await anyone.get(files["data/train-00000.jsonl"])).raise_for_status().text
    return [json.loads(line) for line in lines.splitlines()]
