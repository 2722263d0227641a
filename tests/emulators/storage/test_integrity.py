"""What must hold whatever happens: checksums, preconditions that race, restarts, flat memory."""

import asyncio
import base64
import hashlib
from collections.abc import Iterator

import google_crc32c
import httpx
import psutil
import pytest
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Bucket

from tests import loopback
from tests.emulators.storage.server import Account, Server
from tests.emulators.storage.test_signed_urls import code

MIB = 1024 * 1024


def crc32c(content: bytes) -> str:
    """As resources and headers show it."""
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def md5(content: bytes) -> str:
    """As resources and headers show it."""
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"x-goog-hash": f"crc32c={crc32c(b'other')}"},
        {"x-goog-hash": f"crc32c={crc32c(b'content')},md5={md5(b'other')}"},
        {"content-md5": md5(b"other")},
        {"content-md5": md5(b"content"), "x-goog-hash": f"md5={md5(b'other')}"},
    ],
    ids=["crc32c", "md5 beside crc32c", "content-md5", "two that differ"],
)
def test_a_put_with_a_wrong_checksum_stores_nothing(
    headers: dict[str, str], bucket: Bucket, server: Server, account: Account, http: httpx.Client
) -> None:
    before = len(server.files())
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    assert code(http.put(url, content=b"content", headers=headers)) == (400, "BadDigest")
    assert bucket.get_blob("a") is None
    assert len(server.files()) == before


def test_a_put_with_right_checksums_is_stored(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    headers = {"content-md5": md5(b"content"), "x-goog-hash": f"crc32c={crc32c(b'content')},md5={md5(b'content')}"}
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    assert http.put(url, content=b"content", headers=headers).status_code == 200


@pytest.mark.parametrize("digest", ["nonsense!", "AAAA", ""])
def test_a_checksum_that_is_none_is_refused(digest: str, bucket: Bucket, account: Account, http: httpx.Client) -> None:
    headers = {"x-goog-hash": f"crc32c={digest}"}
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    assert code(http.put(url, content=b"x", headers=headers)) == (400, "InvalidDigest")


@pytest.mark.parametrize("field", ["crc32c", "md5Hash"])
def test_a_multipart_upload_with_a_wrong_checksum_stores_nothing(
    field: str, bucket: Bucket, server: Server, http: httpx.Client
) -> None:
    wrong = crc32c(b"other") if field == "crc32c" else md5(b"other")
    body = f'--b\r\n\r\n{{"name": "a", "{field}": "{wrong}"}}\r\n--b\r\n\r\ncontent\r\n--b--'.encode()
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    response = http.post(url, content=body, headers={"content-type": "multipart/related; boundary=b"})
    assert response.status_code == 400
    assert "doesn't match calculated" in response.json()["error"]["message"]
    assert bucket.get_blob("a") is None


def test_preconditions_speak_about_the_present_object(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"1", if_generation_match=5)
    blob.upload_from_string(b"1", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"2", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        blob.upload_from_string(b"2", if_generation_not_match=blob.generation)
    with pytest.raises(PreconditionFailed):
        blob.delete(if_metageneration_match=7)
    blob.metadata = {"k": "v"}
    blob.patch(if_metageneration_match=1)
    with pytest.raises(PreconditionFailed):
        blob.patch(if_metageneration_match=1)
    with pytest.raises(NotFound):
        bucket.blob("b").delete(if_generation_match=1)
    blob.delete(if_generation_match=blob.generation, if_metageneration_match=2)
    assert bucket.get_blob("a") is None


async def test_of_many_that_create_the_same_object_one_succeeds(
    bucket: Bucket, account: Account, server: Server
) -> None:
    headers = {"x-goog-if-generation-match": "0"}
    before = len(server.files())
    contents = [bytes([number]) * 200_000 for number in range(12)]
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    async with loopback.client() as http:
        answers = await asyncio.gather(*(http.put(url, content=content, headers=headers) for content in contents))
    assert sorted(answer.status_code for answer in answers) == [200, *[412] * 11]
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert bucket.blob("a").download_as_bytes() == contents[winner]
    assert len(server.files()) == before + 1


async def test_overwrites_at_once_leave_one_object_whole(bucket: Bucket, account: Account, server: Server) -> None:
    before = len(server.files())
    contents = [bytes([number]) * 200_000 for number in range(12)]
    url = account.sign(bucket.blob("a"), "PUT")
    async with loopback.client() as http:
        answers = await asyncio.gather(*(http.put(url, content=content) for content in contents))
    generations = [int(answer.headers["x-goog-generation"]) for answer in answers]
    assert len(set(generations)) == len(generations)
    stored = bucket.get_blob("a")
    last = generations.index(max(generations))
    assert stored.generation == max(generations)
    assert stored.download_as_bytes() == contents[last]
    assert len(server.files()) == before + 1


def test_a_reader_finishes_what_is_deleted_meanwhile(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    content = bytes(range(256)) * 80_000
    bucket.blob("a").upload_from_string(content)
    with http.stream("GET", account.sign(bucket.blob("a"), "GET")) as response:
        chunks = response.iter_raw(65536)
        first = next(chunks)
        bucket.blob("a").delete()
        assert first + b"".join(chunks) == content
    assert bucket.get_blob("a") is None


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_everything_is_there_after_a_restart(
    end: str, own_server: Server, own_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    own_bucket.cors = [{"origin": ["*"], "method": ["GET"]}]
    own_bucket.patch()
    for number in range(5):
        own_bucket.blob(f"n/{number}").upload_from_string(str(number), content_type="text/plain")
    before = [(found.name, found.generation, found.etag) for found in own_server.client.list_blobs(own_bucket)]
    if end == "stop":
        assert own_server.stop() == 0
    else:
        own_server.kill()
    own_server.start()
    assert [(found.name, found.generation, found.etag) for found in own_server.client.list_blobs(own_bucket)] == before
    assert own_server.client.get_bucket(own_bucket.name).cors == own_bucket.cors
    assert http.get(account.sign(own_bucket.blob("n/3"), "GET")).content == b"3"
    newer = own_bucket.blob("n/3")
    newer.upload_from_string(b"new")
    assert newer.generation > max(generation for _, generation, _ in before)


def test_an_upload_that_a_kill_interrupts_leaves_no_file(
    own_server: Server, own_bucket: Bucket, account: Account
) -> None:
    own_bucket.blob("kept").upload_from_string(b"kept")
    url = account.sign(own_bucket.blob("a"), "PUT")

    def until_killed() -> Iterator[bytes]:
        yield bytes(3 * MIB)
        own_server.kill()
        yield bytes(MIB)

    with loopback.blocking() as http, pytest.raises(httpx.TransportError):
        http.put(url, content=until_killed())
    own_server.start()
    assert len(own_server.files()) == 1
    assert own_bucket.get_blob("a") is None
    assert own_bucket.blob("kept").download_as_bytes() == b"kept"


def test_memory_stays_flat_whatever_the_size(own_server: Server, own_bucket: Bucket, account: Account) -> None:
    size, block = 256 * MIB, bytes(MIB)
    process = psutil.Process(own_server.pid)
    with loopback.blocking(timeout=120) as http:
        http.put(account.sign(own_bucket.blob("small"), "PUT"), content=block).raise_for_status()
        before = process.memory_info().rss
        url = account.sign(own_bucket.blob("big"), "PUT")
        answer = http.put(url, content=(block for _ in range(size // MIB)), headers={"content-length": str(size)})
        assert answer.status_code == 200
        received = 0
        with http.stream("GET", account.sign(own_bucket.blob("big"), "GET")) as response:
            for chunk in response.iter_raw(MIB):
                received += len(chunk)
    assert received == size
    assert process.memory_info().rss - before < 48 * MIB
