"""Resumable uploads of both APIs: in chunks, interrupted, continued, cancelled, refused at the end."""

import base64
import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import fromstring

import google_crc32c
import httpx
import pytest
from google.cloud.storage import Bucket

from emulators.storage.errors import NoSuchUpload, UploadGone
from emulators.storage.storage import Config, Storage
from emulators.storage.uploads import Upload
from tests import loopback
from tests.emulators.storage.server import Account, Server

KIB = 1024
CHUNK = 256 * KIB
CONTENT = os.urandom(3 * CHUNK + 1000)
RESUMABLE = {"x-goog-resumable": "start", "content-type": "application/pdf"}


def start(bucket: Bucket, account: Account, http: httpx.Client, **more: str) -> str:
    """Start a session with a signed URL, as the platform's clients do; gives the session URI."""
    headers = RESUMABLE | {name.replace("_", "-"): value for name, value in more.items()}
    response = http.post(account.sign(bucket.blob("a"), "POST", headers=headers), headers=headers)
    assert response.status_code == 201
    return str(response.headers["location"])


def start_json(bucket: Bucket, **more: object) -> str:
    """Start a session of the JSON API with the real client."""
    return str(bucket.blob("a").create_resumable_upload_session(content_type="application/pdf", **more))


def put(http: httpx.Client, session: str, first: int, last: int, total: int | str = "*") -> httpx.Response:
    """Send CONTENT[first:last+1]."""
    headers = {"content-range": f"bytes {first}-{last}/{total}"}
    return http.put(session, content=CONTENT[first : last + 1], headers=headers)


def status(http: httpx.Client, session: str) -> tuple[int, str | None]:
    """How far the upload is: the status and the range."""
    response = http.put(session, headers={"content-range": "bytes */*"})
    return response.status_code, response.headers.get("range")


@pytest.fixture(params=["xml", "json"])
def session(request: pytest.FixtureRequest, bucket: Bucket, account: Account, http: httpx.Client) -> str:
    """A session of either API."""
    return start(bucket, account, http) if request.param == "xml" else start_json(bucket)


def test_chunks_become_an_object(session: str, bucket: Bucket, http: httpx.Client) -> None:
    assert status(http, session) == (308, None)
    response = put(http, session, 0, CHUNK - 1)
    assert (response.status_code, response.headers["range"]) == (308, f"bytes=0-{CHUNK - 1}")
    assert bucket.get_blob("a") is None
    assert put(http, session, CHUNK, 3 * CHUNK - 1).headers["range"] == f"bytes=0-{3 * CHUNK - 1}"
    assert put(http, session, 3 * CHUNK, len(CONTENT) - 1, len(CONTENT)).status_code == 200
    stored = bucket.get_blob("a")
    assert (stored.size, stored.content_type) == (len(CONTENT), "application/pdf")
    assert stored.download_as_bytes() == CONTENT
    assert status(http, session)[0] == 200


def test_all_at_once_needs_no_range(session: str, bucket: Bucket, http: httpx.Client) -> None:
    assert http.put(session, content=CONTENT).status_code == 200
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_an_empty_object_is_finished_by_its_size(session: str, bucket: Bucket, http: httpx.Client) -> None:
    assert http.put(session, headers={"content-range": "bytes */0"}).status_code == 200
    assert bucket.get_blob("a").size == 0


def test_a_chunk_that_is_sent_twice_counts_once(session: str, bucket: Bucket, http: httpx.Client) -> None:
    put(http, session, 0, 2 * CHUNK - 1)
    assert put(http, session, 0, CHUNK - 1).headers["range"] == f"bytes=0-{2 * CHUNK - 1}"
    assert put(http, session, CHUNK, len(CONTENT) - 1, len(CONTENT)).status_code == 200
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_of_a_middle_chunk_only_multiples_of_256_kib_are_kept(session: str, http: httpx.Client) -> None:
    assert put(http, session, 0, CHUNK + 99).headers["range"] == f"bytes=0-{CHUNK - 1}"
    assert put(http, session, CHUNK, CHUNK + 99).headers["range"] == f"bytes=0-{CHUNK - 1}"


def test_a_chunk_beyond_what_arrived_is_refused_as_google_does(session: str, http: httpx.Client) -> None:
    response = put(http, session, CHUNK, 2 * CHUNK - 1)
    assert response.status_code == 503
    assert response.text.startswith("Invalid request.  According to the Content-Range header, the upload offset is")
    assert put(http, session, 0, CHUNK - 1).status_code == 308


@pytest.mark.parametrize("bad", ["bytes 5-2/10", "bytes 0-10/10", "0-10/20", "bytes 0-", "bytes a-b/c"])
def test_a_range_that_is_none_is_refused_and_costs_nothing(bad: str, session: str, http: httpx.Client) -> None:
    assert http.put(session, content=b"x", headers={"content-range": bad}).status_code == 400
    assert status(http, session) == (308, None)


def test_a_total_that_changes_is_refused(session: str, http: httpx.Client) -> None:
    put(http, session, 0, CHUNK - 1, len(CONTENT))
    assert put(http, session, CHUNK, 2 * CHUNK - 1, len(CONTENT) + 1).status_code == 400


def test_a_cancelled_session_is_gone(session: str, server: Server, bucket: Bucket, http: httpx.Client) -> None:
    before = len(server.files())
    put(http, session, 0, CHUNK - 1)
    assert http.delete(session).status_code == 499
    assert http.put(session, content=CONTENT).status_code == 410
    assert bucket.get_blob("a") is None
    assert len(server.files()) == before - 1


def test_an_interrupted_chunk_keeps_what_arrived(session: str, server: Server, bucket: Bucket) -> None:
    with loopback.blocking() as http:
        prefix = "/upload" if "/upload/" in session else f"/{bucket.name}"
        server.fail("PUT", prefix, after_bytes=300 * KIB)
        with pytest.raises(httpx.TransportError):
            http.put(session, content=CONTENT)
    with loopback.blocking() as http:
        assert status(http, session) == (308, f"bytes=0-{300 * KIB - 1}")
        assert put(http, session, 300 * KIB, len(CONTENT) - 1, len(CONTENT)).status_code == 200
    assert bucket.blob("a").download_as_bytes() == CONTENT


def test_a_connection_that_the_client_drops_keeps_what_arrived(session: str, bucket: Bucket) -> None:
    def broken() -> Iterator[bytes]:
        yield CONTENT[: 2 * CHUNK]
        raise InterruptedError

    headers = {"content-range": f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}", "content-length": str(len(CONTENT))}
    with loopback.blocking() as http, pytest.raises(InterruptedError):
        http.put(session, content=broken(), headers=headers)
    with loopback.blocking() as http:
        code, arrived = status(http, session)
        received = int(arrived.rpartition("-")[2]) + 1 if arrived else 0
        assert code == 308
        assert received <= 2 * CHUNK
        assert put(http, session, received, len(CONTENT) - 1, len(CONTENT)).status_code == 200
    assert bucket.blob("a").download_as_bytes() == CONTENT


@pytest.mark.parametrize("kind", ["xml", "json"])
def test_a_session_survives_a_killed_server(
    kind: str, own_server: Server, own_bucket: Bucket, account: Account
) -> None:
    with loopback.blocking() as http:
        session = start(own_bucket, account, http) if kind == "xml" else start_json(own_bucket)
        put(http, session, 0, 2 * CHUNK - 1)
    own_server.kill()
    own_server.start()
    with loopback.blocking() as http:
        assert status(http, session) == (308, f"bytes=0-{2 * CHUNK - 1}")
        digest = base64.b64encode(hashlib.md5(CONTENT).digest()).decode()
        headers = {
            "content-range": f"bytes {2 * CHUNK}-{len(CONTENT) - 1}/{len(CONTENT)}",
            "x-goog-hash": f"md5={digest}",
        }
        assert http.put(session, content=CONTENT[2 * CHUNK :], headers=headers).status_code == 200
    assert own_bucket.blob("a").download_as_bytes() == CONTENT


def test_the_client_goes_on_by_itself_after_faults(own_server: Server, own_bucket: Bucket, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(CONTENT * 12)
    own_server.fail("PUT", "/upload", status=503, after_bytes=CHUNK + 7)
    own_server.fail("PUT", "/upload", status=503)
    blob = own_bucket.blob("large", chunk_size=16 * CHUNK)
    blob.upload_from_filename(str(path), timeout=20)
    assert blob.download_as_bytes() == CONTENT * 12
    assert own_server.counters()["requests"]["faults"] == 2


def test_the_length_range_holds_for_a_session(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    limited = {"x_goog_content_length_range": f"10,{CHUNK}"}
    session = start(bucket, account, http, **limited)
    assert fromstring(put(http, session, 0, CHUNK, CHUNK + 1).text).findtext("Code") == "EntityTooLarge"
    session = start(bucket, account, http, **limited)
    assert fromstring(http.put(session, content=CONTENT).text).findtext("Code") == "EntityTooLarge"
    assert http.put(session, content=CONTENT[:CHUNK]).status_code == 410
    session = start(bucket, account, http, **limited)
    assert fromstring(http.put(session, content=b"small").text).findtext("Code") == "EntityTooSmall"
    assert bucket.get_blob("a") is None
    session = start(bucket, account, http, **limited)
    assert http.put(session, content=CONTENT[:CHUNK]).status_code == 200


def test_the_announced_length_holds(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    session = start(bucket, account, http, x_upload_content_length="1000")
    assert http.put(session, content=b"short").status_code == 400
    assert bucket.get_blob("a") is None


def test_a_precondition_is_checked_at_the_start_and_at_the_end(
    bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    session = start(bucket, account, http, x_goog_if_generation_match="0")
    bucket.blob("a").upload_from_string(b"somebody was faster")
    assert http.put(session, content=CONTENT).status_code == 412
    assert bucket.blob("a").download_as_bytes() == b"somebody was faster"
    headers = RESUMABLE | {"x-goog-if-generation-match": "0"}
    assert http.post(account.sign(bucket.blob("a"), "POST", headers=headers), headers=headers).status_code == 412


@pytest.mark.parametrize("where", ["start", "end"])
def test_a_wrong_checksum_is_refused_at_the_end(
    where: str, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    wrong = base64.b64encode(google_crc32c.value(b"other").to_bytes(4, "big")).decode()
    session = start(bucket, account, http, **({"x_goog_hash": f"crc32c={wrong}"} if where == "start" else {}))
    headers = {"x-goog-hash": f"crc32c={wrong}"} if where == "end" else {}
    response = http.put(session, content=CONTENT, headers=headers)
    assert fromstring(response.text).findtext("Code") == "BadDigest"
    assert bucket.get_blob("a") is None


def test_a_session_uri_is_good_for_its_object_only(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    session = start(bucket, account, http)
    assert http.put(session.replace("/a?", "/b?"), content=b"x").status_code == 404
    assert http.put(session[:-5], content=b"x").status_code == 404
    assert http.put(session, content=b"x").status_code == 200


def test_a_session_ends_after_a_week(tmp_path: Path) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    storage = Storage(Config(tmp_path, "http://127.0.0.1", "p", clock=lambda: now))
    storage.buckets.create("bucket", {})
    session = storage.sessions.start(Upload(bucket="bucket", name="a"), None)
    now += timedelta(days=7)
    assert storage.sessions.get(session).id == session
    now += timedelta(seconds=1)
    with pytest.raises(UploadGone):
        storage.sessions.get(session)
    storage.database.close()
    reopened = Storage(Config(tmp_path, "http://127.0.0.1", "p", clock=lambda: now))
    with pytest.raises(NoSuchUpload):
        reopened.sessions.get(session)
    assert not list((tmp_path / "incoming").iterdir())
    reopened.database.close()
