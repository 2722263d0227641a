"""Files and manifests that are wrong get a clear error with a code, and the rest goes on."""

from typing import Any

import httpx
import pytest

from tests import material
from tests.e2e.journey import assets_of, described, new_session, start, take


async def test_each_bad_file_gets_its_code_and_the_rest_of_the_session_goes_on(http: httpx.AsyncClient) -> None:
    letter = material.picture("png", "A good letter goes on.")
    folder = {
        "good.png": letter,
        "empty.pdf": b"",
        "not-a-picture.png": material.text_named_png(),
        "truncated.pdf": material.truncated_pdf(),
        "silent.wav": material.silent(3),
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "table.csv": b"a,b\n1,2\n",
    }

    status = await take(http, folder)

    assert status["status"] == "completed"
    assert {error["path"]: error["code"] for error in status["errors"]} == {
        "empty.pdf": "empty_file",
        "not-a-picture.png": "content_mismatch",
        "truncated.pdf": "unreadable_content",
        "silent.wav": "no_speech",
        "drawing.svg": "unsupported_content_type",
    }
    assert all(error["message"].endswith(".") or ":" in error["message"] for error in status["errors"])
    stats = status["stats"]
    assert (stats["files_total"], stats["files_processed"], stats["files_failed"]) == (7, 2, 5)
    assert stats["percent"] == 100.0
    assets = await assets_of(http, status["session_id"])
    assert "good letter" in assets["good.png"]["text"]
    assert assets["silent.wav"]["error"]["code"] == "no_speech"


@pytest.mark.parametrize(
    ("paths", "code"),
    [
        (["/etc/passwd"], "path_absolute"),
        (["C:/windows.txt"], "path_absolute"),
        (["a/../../b.txt"], "path_traversal"),
        (["a//b.txt"], "path_malformed"),
        (["a\\b.txt"], "path_malformed"),
        (["a\x00b.txt"], "path_malformed"),
        (["same.txt", "other.txt", "same.txt"], "path_duplicate"),
    ],
)
async def test_a_bad_path_refuses_the_page_and_nothing_is_written(
    http: httpx.AsyncClient, paths: list[str], code: str
) -> None:
    session = await new_session(http)
    manifest = [described("fine.txt", b"fine"), *(described(path, b"some", "text/plain") for path in paths)]

    answer = await http.post("/api/uploads/start", json={"session_id": session["id"], "files": manifest})

    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "manifest_invalid"
    assert [one["code"] for one in error["details"]] == [code]
    after = (await http.get(f"/api/sessions/{session['id']}")).json()
    assert (after["status"], after["updated_at"]) == ("pending", session["updated_at"])


@pytest.mark.crowd
async def test_a_manifest_of_1001_files_is_refused_and_one_of_1000_is_taken(http: httpx.AsyncClient) -> None:
    session = await new_session(http)
    manifest = [described(f"{number}.txt", b"one") for number in range(1001)]

    refused = await http.post("/api/uploads/start", json={"session_id": session["id"], "files": manifest})
    taken = await start(http, session["id"], manifest[:1000])

    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "validation_failed"
    assert refused.json()["error"]["details"][0]["field"] == "files"
    assert len(taken["files"]) == 1000


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"size": -1}, "files.0.size"),
        ({"size": 5 * 2**30 + 1}, "files.0.size"),
        ({"crc32c": "AAAA"}, "files.0.crc32c"),
        ({"content_type": "nonsense"}, "files.0.content_type"),
        ({"colour": "red"}, "files.0.colour"),
    ],
)
async def test_a_wrong_field_is_named(http: httpx.AsyncClient, change: dict[str, Any], field: str) -> None:
    session = await new_session(http)

    answer = await http.post(
        "/api/uploads/start", json={"session_id": session["id"], "files": [described("a.txt", b"a") | change]}
    )

    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["error"]["details"]] == [field]
