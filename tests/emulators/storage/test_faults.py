"""The control API: what it lets tests do to requests."""

from datetime import UTC, datetime

import httpx
import pytest
from google.cloud.storage import Bucket

from tests.emulators.storage.server import Account, Server


def test_the_next_requests_are_answered_with_an_error(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    url = account.sign(bucket.blob("a"), "PUT")
    server.fail("PUT", f"/{bucket.name}/", status=503, times=2)
    assert [http.put(url, content=b"x").status_code for _ in range(3)] == [503, 503, 200]


def test_only_matching_requests_fail(server: Server, bucket: Bucket, account: Account, http: httpx.Client) -> None:
    server.fail("PUT", f"/{bucket.name}/ü/", status=500)
    assert http.put(account.sign(bucket.blob("other"), "PUT"), content=b"x").status_code == 200
    assert http.get(account.sign(bucket.blob("ü/1"), "GET")).status_code == 404
    assert http.put(account.sign(bucket.blob("ü/1"), "PUT"), content=b"x").status_code == 500


def test_a_connection_is_cut_in_the_middle_of_an_upload(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    before = len(server.files())
    server.fail("PUT", f"/{bucket.name}/", after_bytes=1_500_000)
    with pytest.raises(httpx.TransportError):
        http.put(account.sign(bucket.blob("a"), "PUT"), content=bytes(3_000_000))
    assert bucket.get_blob("a") is None
    assert len(server.files()) == before


def test_an_answer_can_be_lost_after_the_upload_was_carried_out(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    headers = {"x-goog-if-generation-match": "0"}
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    server.fail("PUT", f"/{bucket.name}/", after_bytes=1000)
    with pytest.raises(httpx.TransportError):
        http.put(url, content=b"x", headers=headers)
    assert bucket.blob("a").download_as_bytes() == b"x"
    assert http.put(url, content=b"x", headers=headers).status_code == 412


def test_a_connection_is_cut_in_the_middle_of_a_download(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    bucket.blob("a").upload_from_string(bytes(3_000_000))
    server.fail("GET", f"/{bucket.name}/", after_bytes=1_500_000)
    received: list[int] = []
    with (
        http.stream("GET", account.sign(bucket.blob("a"), "GET")) as response,
        pytest.raises(httpx.TransportError),
    ):
        received.extend(len(chunk) for chunk in response.iter_raw())
    assert sum(received) == 1_500_000


def test_the_client_reads_on_after_a_cut_download(own_server: Server, own_bucket: Bucket) -> None:
    content = bytes(range(256)) * 10_000
    own_bucket.blob("a").upload_from_string(content)
    own_server.fail("GET", "/download/", after_bytes=1_000_000)
    assert own_bucket.blob("a").download_as_bytes() == content
    assert own_server.counters()["requests"]["faults"] == 1


def test_planned_faults_can_be_taken_back(
    own_server: Server, own_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    own_server.fail("PUT", "/", status=503, times=9)
    assert http.delete(f"{own_server.url}/_alta/faults").status_code == 204
    assert http.put(account.sign(own_bucket.blob("a"), "PUT"), content=b"x").status_code == 200


@pytest.mark.parametrize("fault", [{"status": 200}, {"times": 0}, {"unknown": 1}, {"after_bytes": -1}])
def test_a_fault_that_makes_no_sense_is_refused(fault: dict[str, int], server: Server, http: httpx.Client) -> None:
    assert http.post(f"{server.url}/_alta/faults", json=fault).status_code == 422


def test_an_object_can_be_made_older_than_it_is(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    bucket.blob("a").upload_from_string(b"x")
    asked = {"bucket": bucket.name, "name": "a", "created": "2026-01-02T03:04:05Z"}
    assert http.post(f"{server.url}/_alta/objects", json=asked).status_code == 204
    found = bucket.get_blob("a")
    assert found is not None
    assert found.time_created == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert http.post(f"{server.url}/_alta/objects", json={**asked, "name": "b"}).status_code == 404
