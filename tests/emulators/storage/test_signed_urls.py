"""What a signed URL allows, and everything it does not, at the door of the XML API."""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit
from xml.etree.ElementTree import fromstring

import httpx
import pytest
from google.cloud.storage import Bucket

from tests.emulators.storage.server import Account, Server

NAME = "documents/acme/ü & co/a+b ~1.pdf"
HEADERS = {
    "content-type": "application/pdf",
    "x-goog-content-length-range": "3,5",
    "x-goog-if-generation-match": "0",
    "x-goog-meta-asset": "ast_1",
}


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and error code of a refusal."""
    return response.status_code, fromstring(response.text).findtext("Code", "")


@pytest.fixture
def upload_url(bucket: Bucket, account: Account) -> str:
    """A URL that lets its holder put one object, as the platform signs them."""
    return account.sign(bucket.blob(NAME), "PUT", headers=HEADERS)


def test_a_signed_put_stores_what_was_signed(
    bucket: Bucket, upload_url: str, http: httpx.Client, account: Account
) -> None:
    response = http.put(upload_url, content=b"%PDF", headers=HEADERS)
    stored = bucket.get_blob(NAME)
    assert response.status_code == 200
    assert response.headers["x-goog-generation"] == str(stored.generation)
    assert response.headers["x-goog-hash"] == f"crc32c={stored.crc32c},md5={stored.md5_hash}"
    assert (stored.content_type, stored.metadata, stored.size) == ("application/pdf", {"asset": "ast_1"}, 4)
    assert http.get(account.sign(stored, "GET")).content == b"%PDF"


Change = Callable[[str, dict[str, str]], tuple[str, str, dict[str, str], bytes]]

REFUSALS: dict[str, tuple[Change, int, str]] = {
    "another path": (lambda url, h: ("PUT", url.replace("acme", "evil"), h, b"%PDF"), 403, "SignatureDoesNotMatch"),
    "another method": (lambda url, h: ("DELETE", url, h, b""), 403, "SignatureDoesNotMatch"),
    "another content type": (
        lambda url, h: ("PUT", url, {**h, "content-type": "text/html"}, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "no content type": (
        lambda url, h: ("PUT", url, {k: v for k, v in h.items() if k != "content-type"}, b"%PDF"),
        400,
        "MalformedSecurityHeader",
    ),
    "another size range": (
        lambda url, h: ("PUT", url, {**h, "x-goog-content-length-range": "0,999"}, b"%PDF"),
        403,
        "SignatureDoesNotMatch",
    ),
    "too many bytes": (lambda url, h: ("PUT", url, h, b"123456"), 400, "EntityTooLarge"),
    "too few bytes": (lambda url, h: ("PUT", url, h, b"12"), 400, "EntityTooSmall"),
    "a longer expiry": (
        lambda url, h: ("PUT", url.replace("X-Goog-Expires=600", "X-Goog-Expires=6000"), h, b"%PDF"),
        403,
        "SignatureDoesNotMatch",
    ),
    "an expiry beyond a week": (
        lambda url, h: ("PUT", url.replace("X-Goog-Expires=600", "X-Goog-Expires=604801"), h, b"%PDF"),
        400,
        "MalformedSecurityHeader",
    ),
    "another signature": (
        lambda url, h: ("PUT", url[:-1] + ("0" if url[-1] != "0" else "1"), h, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "a signature that is none": (
        lambda url, h: ("PUT", url[:-512] + "zz", h, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "another account": (
        lambda url, h: ("PUT", url.replace("signer%40", "somebody%40"), h, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "another metadata value": (
        lambda url, h: ("PUT", url, {**h, "x-goog-meta-asset": "ast_2"}, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "an x-goog header that was not signed": (
        lambda url, h: ("PUT", url, {**h, "x-goog-meta-more": "1"}, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "a parameter that was not signed": (
        lambda url, h: ("PUT", f"{url}&generation=1", h, b"%PDF"), 403, "SignatureDoesNotMatch",
    ),
    "no signature": (lambda url, h: ("PUT", url.partition("?")[0], h, b"%PDF"), 403, "AccessDenied"),
    "a parameter twice": (
        lambda url, h: ("PUT", f"{url}&X-Goog-Expires=9999", h, b"%PDF"), 400, "MalformedSecurityHeader",
    ),
    "half of the parameters": (
        lambda url, h: ("PUT", url.partition("&X-Goog-Expires")[0], h, b"%PDF"), 400, "MalformedSecurityHeader",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_a_signed_put_is_refused_with(
    case: str, bucket: Bucket, server: Server, upload_url: str, http: httpx.Client
) -> None:
    change, status, error = REFUSALS[case]
    before = len(server.files())
    method, url, headers, body = change(upload_url, dict(HEADERS))
    assert code(http.request(method, url, headers=headers, content=body)) == (status, error)
    assert list(server.client.list_blobs(bucket)) == []
    assert len(server.files()) == before
    assert http.put(upload_url, content=b"%PDF", headers=HEADERS).status_code == 200


def test_an_expired_url_is_refused(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    signed_at = datetime.now(UTC) - timedelta(seconds=61)
    url = account.sign(bucket.blob("a"), "PUT", seconds=60, signed_at=signed_at)
    assert code(http.put(url, content=b"x")) == (400, "ExpiredToken")


def test_a_url_from_the_future_is_refused(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    url = account.sign(bucket.blob("a"), "PUT", signed_at=datetime.now(UTC) + timedelta(hours=1))
    assert code(http.put(url, content=b"x")) == (403, "RequestTimeTooSkewed")


def test_a_key_that_is_not_registered_signs_in_vain(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    forger = Account.create(account.email)
    assert code(http.put(forger.sign(bucket.blob("a"), "PUT"), content=b"x")) == (403, "SignatureDoesNotMatch")


def test_a_second_put_to_a_name_that_exists_is_refused(bucket: Bucket, upload_url: str, http: httpx.Client) -> None:
    http.put(upload_url, content=b"%PDF", headers=HEADERS)
    assert code(http.put(upload_url, content=b"%PDE", headers=HEADERS)) == (412, "PreconditionFailed")
    assert bucket.blob(NAME).download_as_bytes() == b"%PDF"


def test_a_body_that_was_announced_as_chunks_is_measured_while_it_comes(
    bucket: Bucket, server: Server, account: Account, http: httpx.Client
) -> None:
    headers = {"x-goog-content-length-range": "0,1000000"}
    url = account.sign(bucket.blob("big"), "PUT", headers=headers)
    response = http.put(url, content=(bytes(100_000) for _ in range(20)), headers=headers)
    assert code(response) == (400, "EntityTooLarge")
    assert not bucket.blob("big").exists()


def test_a_signed_get_may_change_how_it_is_shown(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    blob = bucket.blob("scan")
    blob.upload_from_string(b"0123456789", content_type="image/png")
    shown = {"response-content-disposition": 'attachment; filename="ü b.png"', "response-content-type": "text/plain"}
    url = account.sign(blob, "GET", query=shown)
    response = http.get(url)
    assert response.headers["content-type"] == "text/plain"
    assert response.headers["content-disposition"] == 'attachment; filename="ü b.png"'
    assert code(http.get(url.replace("text%2Fplain", "text%2Fhtml"))) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [("bytes=2-4", 206, b"234"), ("bytes=7-", 206, b"789"), ("bytes=-2", 206, b"89"), ("bytes=5-99", 206, b"56789")],
)
def test_a_signed_get_gives_a_range(
    asked: str, status: int, content: bytes, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    bucket.blob("digits").upload_from_string(b"0123456789")
    response = http.get(account.sign(bucket.blob("digits"), "GET"), headers={"range": asked})
    assert (response.status_code, response.content) == (status, content)
    assert response.headers["content-range"].endswith("/10")


def test_a_range_beyond_the_end_is_refused(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    bucket.blob("digits").upload_from_string(b"0123456789")
    response = http.get(account.sign(bucket.blob("digits"), "GET"), headers={"range": "bytes=10-"})
    assert code(response) == (416, "InvalidRange")
    assert response.headers["content-range"] == "bytes */10"


def test_head_and_delete_are_signed_like_the_others(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    blob = bucket.blob("scan")
    blob.upload_from_string(b"12345")
    head = http.head(account.sign(blob, "HEAD"))
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "5", b"")
    assert http.head(account.sign(blob, "GET")).status_code == 403
    assert http.delete(account.sign(blob, "DELETE")).status_code == 204
    assert code(http.get(account.sign(blob, "GET"))) == (404, "NoSuchKey")


def test_a_virtual_host_names_the_bucket(bucket: Bucket, server: Server, account: Account, http: httpx.Client) -> None:
    bucket.blob("a/b").upload_from_string(b"content")
    host = f"{bucket.name}.storage.googleapis.com"
    url = bucket.blob("a/b").generate_signed_url(
        version="v4",
        expiration=60,
        credentials=account.credentials,
        api_access_endpoint="http://storage.googleapis.com",
        virtual_hosted_style=True,
    )
    assert urlsplit(url).netloc == host
    local = url.replace(f"http://{host}", server.url)
    assert http.get(local, headers={"host": host}).content == b"content"
    assert code(http.get(local)) == (403, "SignatureDoesNotMatch")


def test_a_host_bound_to_the_bucket_names_it(server: Server, account: Account, http: httpx.Client) -> None:
    bucket = server.client.create_bucket("files.alta.test")
    bucket.blob("a/b").upload_from_string(b"content")
    url = bucket.blob("a/b").generate_signed_url(
        version="v4", expiration=60, credentials=account.credentials, bucket_bound_hostname="files.alta.test"
    )
    local = url.replace("http://files.alta.test", server.url)
    assert http.get(local, headers={"host": "files.alta.test"}).content == b"content"


def test_a_signed_payload_hash_binds_the_content(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    headers = {"x-goog-content-sha256": hashlib.sha256(b"right").hexdigest()}
    url = account.sign(bucket.blob("a"), "PUT", headers=headers)
    assert code(http.put(url, content=b"wrong", headers=headers)) == (400, "BadDigest")
    assert http.put(url, content=b"right", headers=headers).status_code == 200


def test_a_url_signed_with_an_hmac_key_works(bucket: Bucket, server: Server, http: httpx.Client) -> None:
    bucket.blob("a").upload_from_string(b"content")
    date = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{date[:8]}/auto/storage/goog4_request"
    query = (
        f"X-Goog-Algorithm=GOOG4-HMAC-SHA256&X-Goog-Credential={quote(f'GOOG1ALTA/{scope}', safe='')}"
        f"&X-Goog-Date={date}&X-Goog-Expires=60&X-Goog-SignedHeaders=host"
    )
    canonical = f"GET\n/{bucket.name}/a\n{query}\nhost:{server.address}\n\nhost\nUNSIGNED-PAYLOAD"
    key = b"GOOG4secret"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"GOOG4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    url = f"{server.url}/{bucket.name}/a?{query}&X-Goog-Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    assert http.get(url).content == b"content"
    assert code(http.get(url.replace("GOOG1ALTA", "GOOG1EVIL"))) == (403, "SignatureDoesNotMatch")


def test_a_signed_list_shows_the_bucket(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    for name in ("a/1", "a/2", "b"):
        bucket.blob(name).upload_from_string(b"x")
    url = account.sign(bucket, "GET", query={"delimiter": "/"})
    root = fromstring(http.get(url).text)
    assert [key.text for key in root.iterfind("Contents/Key")] == ["b"]
    assert [prefix.text for prefix in root.iterfind("CommonPrefixes/Prefix")] == ["a/"]


def test_what_is_not_served_is_refused_rather_than_ignored(
    bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    bucket.blob("a").upload_from_string(b"x")
    assert code(http.get(account.sign(bucket.blob("a"), "GET", query={"acl": ""}))) == (501, "NotImplemented")
    headers = {"x-goog-copy-source": "other/a"}
    url = account.sign(bucket.blob("b"), "PUT", headers=headers)
    assert code(http.put(url, headers=headers)) == (501, "NotImplemented")
