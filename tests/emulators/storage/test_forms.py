"""Uploads by a signed HTML form (V4 POST policies)."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from google.cloud.storage import Bucket, Client

from tests.emulators.storage.server import Account, Server
from tests.emulators.storage.test_signed_urls import code

Form = dict[str, str]


def signed_form(client: Client, bucket: Bucket, account: Account, **more: str) -> tuple[str, Form]:
    """Address and fields of a form that lets its holder upload one file of 3 to 5 bytes."""
    policy = client.generate_signed_post_policy_v4(
        bucket.name,
        "forms/a ü",
        timedelta(minutes=10),
        conditions=[["content-length-range", 3, 5]],
        fields={"content-type": "text/plain", "x-goog-meta-asset": "ast_1", **more},
        credentials=account.credentials,
    )
    return policy["url"], policy["fields"]


def send(http: httpx.Client, url: str, fields: Form, content: bytes = b"1234") -> httpx.Response:
    """As a browser sends it: the file last."""
    return http.post(url, data=fields, files={"file": ("name.txt", content, "text/plain")})


def test_a_signed_form_stores_the_file(server: Server, bucket: Bucket, account: Account, http: httpx.Client) -> None:
    url, fields = signed_form(server.client, bucket, account)
    response = send(http, url, fields)
    assert response.status_code == 204
    found = bucket.get_blob("forms/a ü")
    assert (found.size, found.content_type, found.metadata) == (4, "text/plain", {"asset": "ast_1"})
    assert response.headers["x-goog-generation"] == str(found.generation)


def test_a_form_says_what_it_wants_to_be_answered(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    created = send(http, *signed_form(server.client, bucket, account, success_action_status="201"))
    assert (created.status_code, f"<Bucket>{bucket.name}</Bucket>" in created.text) == (201, True)
    moved = send(http, *signed_form(server.client, bucket, account, success_action_redirect="http://127.0.0.1/done"))
    assert moved.status_code == 303
    assert moved.headers["location"].startswith(
        f"http://127.0.0.1/done?bucket={bucket.name}&key=forms%2Fa+%C3%BC&etag="
    )


REFUSALS: dict[str, tuple[Callable[[Form], Form], int, str]] = {
    "another key": (lambda f: f | {"key": "evil"}, 403, "AccessDenied"),
    "another content type": (lambda f: f | {"content-type": "text/html"}, 403, "AccessDenied"),
    "a field that was not signed": (lambda f: f | {"x-goog-meta-more": "1"}, 403, "AccessDenied"),
    "another policy": (lambda f: f | {"policy": f["policy"][:-8] + "AAAAAAA="}, 403, "SignatureDoesNotMatch"),
    "another signature": (lambda f: f | {"x-goog-signature": "00" * 256}, 403, "SignatureDoesNotMatch"),
    "no signature": (lambda f: {k: v for k, v in f.items() if k != "x-goog-signature"}, 400, "InvalidArgument"),
    "another date": (lambda f: f | {"x-goog-date": "20200101T000000Z"}, 400, "MalformedSecurityHeader"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_form_is_refused_with(
    case: str, server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    change, status, error = REFUSALS[case]
    url, fields = signed_form(server.client, bucket, account)
    assert code(send(http, url, change(dict(fields)))) == (status, error)
    assert list(server.client.list_blobs(bucket)) == []


@pytest.mark.parametrize(("content", "error"), [(b"12", "EntityTooSmall"), (b"123456", "EntityTooLarge")])
def test_a_form_limits_the_size(
    content: bytes, error: str, server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    assert code(send(http, *signed_form(server.client, bucket, account), content)) == (400, error)
    assert bucket.get_blob("forms/a ü") is None


def test_a_form_for_one_bucket_is_no_good_for_another(
    server: Server, bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    url, fields = signed_form(server.client, bucket, account)
    other = server.client.create_bucket(f"{bucket.name}-other")
    assert code(send(http, url.replace(bucket.name, other.name), fields)) == (403, "AccessDenied")


def test_a_form_without_a_file_is_refused(server: Server, bucket: Bucket, account: Account, http: httpx.Client) -> None:
    url, fields = signed_form(server.client, bucket, account)
    parts = {name: (None, value) for name, value in fields.items()}
    assert code(http.post(url, files=parts)) == (400, "InvalidArgument")
