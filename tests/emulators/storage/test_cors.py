"""Cross-origin rules, as a browser meets them."""

import httpx
import pytest
from google.cloud.storage import Bucket

from tests.emulators.storage.server import Account, Server

ORIGIN = "https://console.alta.test"
HEADERS = {"content-type": "application/pdf", "x-goog-if-generation-match": "0"}
RULE = {
    "origin": [ORIGIN],
    "method": ["PUT", "GET"],
    "responseHeader": ["Content-Type", "x-goog-if-generation-match", "x-goog-generation"],
    "maxAgeSeconds": 600,
}


@pytest.fixture
def open_bucket(bucket: Bucket) -> Bucket:
    """A bucket that lets one origin in."""
    bucket.cors = [RULE]
    bucket.patch()
    return bucket


def preflight(http: httpx.Client, url: str, origin: str, method: str, *headers: str) -> dict[str, str]:
    """What a preflight is answered about access."""
    asked = {"origin": origin, "access-control-request-method": method}
    if headers:
        asked["access-control-request-headers"] = ", ".join(headers)
    response = http.options(url, headers=asked)
    assert response.status_code == 200
    return access(response)


def access(response: httpx.Response) -> dict[str, str]:
    """The headers about access in an answer."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def test_a_preflight_is_answered_by_the_rules(open_bucket: Bucket, account: Account, http: httpx.Client) -> None:
    url = account.sign(open_bucket.blob("a"), "PUT", headers=HEADERS)
    assert preflight(http, url, ORIGIN, "PUT", "content-type", "x-goog-if-generation-match") == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "PUT, GET",
        "access-control-allow-headers": "content-type, x-goog-if-generation-match",
        "access-control-max-age": "600",
    }


@pytest.mark.parametrize(
    ("origin", "method", "header"),
    [
        ("https://evil.test", "PUT", "content-type"),
        (ORIGIN, "DELETE", "content-type"),
        (ORIGIN, "PUT", "x-goog-content-length-range"),
    ],
    ids=["another origin", "another method", "a header that is not listed"],
)
def test_a_preflight_that_no_rule_allows_gets_no_access(
    origin: str, method: str, header: str, open_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    url = account.sign(open_bucket.blob("a"), "PUT", headers=HEADERS)
    assert preflight(http, url, origin, method, header) == {}


def test_answers_carry_what_the_rules_say_and_so_do_refusals_of_the_bucket(
    open_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    url = account.sign(open_bucket.blob("a"), "PUT", headers=HEADERS)
    expected = {
        "access-control-allow-origin": ORIGIN,
        "access-control-expose-headers": "Content-Type, x-goog-if-generation-match, x-goog-generation",
    }
    first = http.put(url, content=b"x", headers=HEADERS | {"origin": ORIGIN})
    assert (first.status_code, access(first), first.headers["vary"]) == (200, expected, "Origin")
    second = http.put(url, content=b"x", headers=HEADERS | {"origin": ORIGIN})
    assert (second.status_code, access(second)) == (412, expected)
    assert access(http.put(url, content=b"x", headers=HEADERS)) == {}
    assert access(http.put(url, content=b"x", headers=HEADERS | {"origin": "https://evil.test"})) == {}


def test_a_wrong_content_type_is_refused_without_access_so_that_browsers_blame_cors(
    open_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    url = account.sign(open_bucket.blob("a"), "PUT", headers=HEADERS)
    response = http.put(url, content=b"x", headers=HEADERS | {"content-type": "text/html", "origin": ORIGIN})
    assert (response.status_code, access(response)) == (403, {})


def test_a_session_is_used_under_the_rules_of_the_bucket(
    open_bucket: Bucket, account: Account, http: httpx.Client
) -> None:
    start = {"x-goog-resumable": "start"}
    url = account.sign(open_bucket.blob("a"), "POST", headers=start)
    session = http.post(url, headers=start).headers["location"]
    assert preflight(http, session, ORIGIN, "PUT")["access-control-allow-origin"] == ORIGIN
    response = http.put(session, content=b"x", headers={"origin": ORIGIN})
    assert (response.status_code, access(response)["access-control-allow-origin"]) == (200, ORIGIN)


def test_any_origin_may_be_let_in(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    bucket.cors = [{"origin": ["*"], "method": ["*"]}]
    bucket.patch()
    bucket.blob("a").upload_from_string(b"x")
    response = http.get(account.sign(bucket.blob("a"), "GET"), headers={"origin": "https://any.test"})
    assert access(response) == {"access-control-allow-origin": "*"}


def test_a_bucket_without_rules_lets_no_origin_in(bucket: Bucket, account: Account, http: httpx.Client) -> None:
    url = account.sign(bucket.blob("a"), "PUT")
    assert preflight(http, url, ORIGIN, "PUT") == {}
    assert access(http.put(url, content=b"x", headers={"origin": ORIGIN})) == {}


def test_the_json_api_answers_every_origin(server: Server, bucket: Bucket, http: httpx.Client) -> None:
    url = f"{server.url}/storage/v1/b/{bucket.name}/o"
    assert access(http.get(url, headers={"origin": "https://any.test"}))["access-control-allow-origin"] == "*"
    allowed = preflight(http, url, "https://any.test", "PATCH", "content-type")
    assert allowed["access-control-allow-origin"] == "*"
    assert "PATCH" in allowed["access-control-allow-methods"]


def test_rules_that_are_none_are_refused_when_they_are_written(
    server: Server, bucket: Bucket, http: httpx.Client
) -> None:
    response = http.patch(f"{server.url}/storage/v1/b/{bucket.name}", json={"cors": [{"origin": "no list"}]})
    assert response.status_code == 400
