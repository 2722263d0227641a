"""The JSON API through the real google-cloud-storage client."""

import base64
import hashlib
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound, PreconditionFailed
from google.cloud.storage import Bucket

from tests.emulators.storage.server import PROJECT, Server


def names(found: Iterator[object]) -> list[str]:
    """The names of what a list gives."""
    return [str(getattr(item, "name", "")) for item in found]


def test_a_bucket_keeps_its_settings_and_can_be_changed(server: Server, bucket: Bucket) -> None:
    bucket.cors = [{"origin": ["https://a.test"], "method": ["PUT"], "responseHeader": ["x"], "maxAgeSeconds": 60}]
    bucket.versioning_enabled = True
    bucket.add_lifecycle_delete_rule(age=30)
    bucket.patch()
    again = server.client.get_bucket(bucket.name)
    assert again.cors == bucket.cors
    assert again.versioning_enabled
    assert [rule["action"]["type"] for rule in again.lifecycle_rules] == ["Delete"]
    assert again.metageneration == 2
    assert bucket.name in names(server.client.list_buckets(prefix="bucket-"))


def test_a_bucket_exists_once_and_is_deleted_only_empty(server: Server, bucket: Bucket) -> None:
    with pytest.raises(Conflict):
        server.client.create_bucket(bucket.name)
    bucket.blob("a").upload_from_string(b"x")
    with pytest.raises(Conflict):
        bucket.delete()
    bucket.blob("a").delete()
    bucket.delete()
    with pytest.raises(NotFound):
        server.client.get_bucket(bucket.name)


@pytest.mark.parametrize("name", ["documents/a b/ü?#%25&+.pdf", "a//b/", "/leading", "x/o/compose", "日本語"])
def test_an_object_of_any_name_is_stored_and_read(name: str, server: Server, bucket: Bucket) -> None:
    blob = bucket.blob(name)
    blob.metadata = {"asset": "ast_1", "note": "ü"}
    blob.cache_control = "no-store"
    blob.upload_from_string(b"content", content_type="image/png")
    found = server.client.bucket(bucket.name).get_blob(name)
    assert (found.name, found.size, found.content_type) == (name, 7, "image/png")
    assert (found.metadata, found.cache_control) == ({"asset": "ast_1", "note": "ü"}, "no-store")
    assert found.md5_hash == base64.b64encode(hashlib.md5(b"content").digest()).decode()
    assert found.download_as_bytes() == b"content"
    assert found.download_as_bytes(start=1, end=3) == b"ont"
    assert names(server.client.list_blobs(bucket)) == [name]


def test_a_large_file_goes_and_comes_back_in_chunks(bucket: Bucket) -> None:
    content = bytes(range(256)) * 50_000
    blob = bucket.blob("large", chunk_size=1024 * 1024)
    blob.upload_from_file(BytesIO(content), size=len(content))
    assert blob.size == len(content)
    assert bucket.blob("large", chunk_size=3 * 1024 * 1024).download_as_bytes() == content


def test_a_stream_of_unknown_length_is_stored(bucket: Bucket) -> None:
    with bucket.blob("stream").open("wb", chunk_size=256 * 1024) as file:
        for _ in range(10):
            file.write(b"x" * 100_000)
    assert bucket.get_blob("stream").size == 1_000_000


def test_an_empty_object_is_an_object(bucket: Bucket) -> None:
    bucket.blob("empty").upload_from_string(b"")
    found = bucket.get_blob("empty")
    assert (found.size, found.crc32c, found.download_as_bytes()) == (0, "AAAAAA==", b"")


def test_metadata_is_merged_and_null_removes(bucket: Bucket) -> None:
    blob = bucket.blob("a")
    blob.metadata = {"keep": "1", "drop": "2"}
    blob.upload_from_string(b"x", content_type="text/plain")
    blob.metadata = {"drop": None, "new": "3"}
    blob.patch()
    found = bucket.get_blob("a")
    assert (found.metadata, found.content_type, found.metageneration) == ({"keep": "1", "new": "3"}, "text/plain", 2)


def test_lists_have_prefixes_pages_and_offsets(server: Server, bucket: Bucket) -> None:
    every = [*(f"{folder}/{number}" for folder in "abc" for number in range(5)), "top"]
    for name in every:
        bucket.blob(name).upload_from_string(b"x")
    client = server.client
    assert names(client.list_blobs(bucket, page_size=4)) == every
    assert names(client.list_blobs(bucket, max_results=3)) == every[:3]
    assert names(client.list_blobs(bucket, prefix="b/")) == [name for name in every if name.startswith("b/")]
    assert names(client.list_blobs(bucket, start_offset="b/3", end_offset="c/1")) == ["b/3", "b/4", "c/0"]
    grouped = client.list_blobs(bucket, delimiter="/", page_size=2)
    assert names(grouped) == ["top"]
    assert grouped.prefixes == {"a/", "b/", "c/"}


def test_versions_stay_in_a_versioned_bucket(server: Server, bucket: Bucket) -> None:
    bucket.versioning_enabled = True
    bucket.patch()
    generations = []
    for content in (b"one", b"two"):
        blob = bucket.blob("a")
        blob.upload_from_string(content)
        generations.append(blob.generation)
    bucket.blob("a").delete()
    assert bucket.get_blob("a") is None
    assert [found.generation for found in server.client.list_blobs(bucket, versions=True)] == generations
    old = bucket.blob("a", generation=generations[0])
    assert old.download_as_bytes() == b"one"
    old.delete()
    assert [found.generation for found in server.client.list_blobs(bucket, versions=True)] == generations[1:]


def test_objects_are_copied_renamed_and_rewritten(bucket: Bucket) -> None:
    source = bucket.blob("a/source")
    source.metadata = {"k": "v"}
    source.upload_from_string(b"content", content_type="text/plain")
    copied = bucket.copy_blob(source, bucket, "copy ü")
    assert (copied.metadata, copied.content_type, copied.download_as_bytes()) == ({"k": "v"}, "text/plain", b"content")
    assert bucket.blob("rewritten").rewrite(source) == (None, 7, 7)
    renamed = bucket.rename_blob(source, "renamed")
    assert renamed.download_as_bytes() == b"content"
    assert bucket.get_blob("a/source") is None


def test_objects_are_composed(bucket: Bucket) -> None:
    parts = []
    for text in ("one ", "two ", "three"):
        blob = bucket.blob(text.strip())
        blob.upload_from_string(text)
        parts.append(blob)
    whole = bucket.blob("whole")
    whole.content_type = "text/plain"
    whole.compose(parts)
    whole.reload()
    assert whole.download_as_bytes() == b"one two three"
    assert (whole.component_count, whole.md5_hash, whole.content_type) == (3, None, "text/plain")
    with pytest.raises(PreconditionFailed):
        whole.compose(parts, if_generation_match=0)


def test_a_batch_runs_each_of_its_calls(server: Server, bucket: Bucket) -> None:
    for number in range(3):
        bucket.blob(f"n/{number}").upload_from_string(b"x")
    with server.client.batch():
        bucket.blob("n/0").delete()
        changed = bucket.blob("n/1")
        changed.metadata = {"k": "v"}
        changed.patch()
    assert names(server.client.list_blobs(bucket)) == ["n/1", "n/2"]
    assert bucket.get_blob("n/1").metadata == {"k": "v"}
    batch = server.client.batch()
    server.client._push_batch(batch)
    bucket.blob("missing").delete()
    bucket.blob("n/2").delete()
    server.client._pop_batch()
    with pytest.raises(NotFound):
        batch.finish()
    assert names(server.client.list_blobs(bucket)) == ["n/1"]


def test_errors_have_the_form_of_google(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    response = http.get(f"{server.url}/storage/v1/b/{bucket.name}/o/missing")
    assert response.status_code == 404
    error = response.json()["error"]
    assert error["code"] == 404
    assert error["errors"][0]["reason"] == "notFound"
    assert http.get(f"{server.url}/storage/v1/nothing/here").json()["error"]["code"] == 404


def test_unchanged_objects_are_not_sent_again(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    blob = bucket.blob("a")
    blob.upload_from_string(b"x")
    url = f"{server.url}/storage/v1/b/{bucket.name}/o/a?alt=media"
    assert http.get(f"{url}&ifGenerationNotMatch={blob.generation}").status_code == 304
    etag = http.get(url).headers["etag"]
    assert http.get(url, headers={"if-none-match": etag}).status_code == 304
    assert http.get(url, headers={"if-match": '"other"'}).status_code == 412


@pytest.mark.parametrize("name", ["", "Upper", "a", "x" * 64 + "." + "y" * 200, "has space"])
def test_a_bucket_name_that_cannot_be_is_refused(name: str, server: Server, http: httpx.Client) -> None:
    response = http.post(f"{server.url}/storage/v1/b?project=p", json={"name": name})
    assert response.status_code == 400


@pytest.mark.parametrize("name", ["", ".", "..", "a\nb", "x" * 1025])
def test_an_object_name_that_cannot_be_is_refused(
    name: str, server: Server, bucket: Bucket, http: httpx.Client
) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o"
    assert http.post(url, params={"uploadType": "media", "name": name}, content=b"x").status_code == 400


@pytest.mark.parametrize(
    "body",
    [b"", b"--b\r\n\r\n{}\r\n--b--", b"--b\r\n\r\n{\r\n--b\r\n\r\nx\r\n--b--", b"--b\r\n\r\n{}\r\n--b\r\n\r\nx"],
    ids=["empty", "one part", "no json", "no end"],
)
def test_a_multipart_upload_that_is_broken_stores_nothing(
    body: bytes, server: Server, bucket: Bucket, http: httpx.Client
) -> None:
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart&name=a"
    response = http.post(url, content=body, headers={"content-type": "multipart/related; boundary=b"})
    assert response.status_code == 400
    assert bucket.get_blob("a") is None


def test_content_that_looks_like_a_boundary_is_content(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    content = b"\r\n--bound\r\n--boundar\r\n-" * 1000
    body = b'--boundary\r\n\r\n{"name": "a"}\r\n--boundary\r\ncontent-type: x/y\r\n\r\n' + content + b"\r\n--boundary--"
    url = f"{server.url}/upload/storage/v1/b/{bucket.name}/o?uploadType=multipart"
    pieces = (body[at : at + 7] for at in range(0, len(body), 7))
    response = http.post(url, content=pieces, headers={"content-type": 'multipart/related; boundary="boundary"'})
    assert response.status_code == 200
    assert bucket.get_blob("a").content_type == "x/y"
    assert bucket.blob("a").download_as_bytes() == content


def test_the_publishing_service_account_is_that_of_the_project(server: Server) -> None:
    email = server.client.get_service_account_email()
    assert email == f"service-{PROJECT}@gs-project-accounts.iam.gserviceaccount.com"
    with pytest.raises(NotFound):
        server.client.get_service_account_email(project="another")


def test_what_a_list_cannot_do_here_is_refused(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    response = http.get(f"{server.url}/storage/v1/b/{bucket.name}/o", params={"matchGlob": "a*"})
    assert response.status_code == 501


def test_a_page_token_of_somebody_elses_making_is_refused(server: Server, bucket: Bucket) -> None:
    with pytest.raises(BadRequest):
        list(server.client.list_blobs(bucket, page_token="nonsense"))
