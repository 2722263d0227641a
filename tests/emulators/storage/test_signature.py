"""The verifier against the signer: what google-cloud-storage signs is accepted, and any single change is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.cloud.storage._signing import generate_signed_url_v4
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulators.storage.errors import StorageError
from emulators.storage.signature import SignedRequest, verify
from emulators.storage.signers import PublicKey, Signers
from emulators.storage.vectors import Vectors, run
from tests.emulators.storage.server import Account

SIGNED_AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
_printable = st.characters(min_codepoint=32, max_codepoint=126)
_names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
_values = st.text(_printable, max_size=20)
_headers = st.dictionaries(
    st.from_regex(r"(x-goog-meta-[a-z]{1,5}|content-type|content-md5|bar[A-Z]{0,2})", fullmatch=True),
    _values,
    max_size=4,
).filter(lambda found: len({name.lower() for name in found}) == len(found))
# google-cloud-storage orders `name=value` as one string, Google's documentation orders names: the two differ only where
# a name continues another one with a character before "=", which letters are not.
_query = st.dictionaries(st.text(st.sampled_from("abyzAZ_"), min_size=1, max_size=8), _names, max_size=3)


@st.composite
def signed_requests(draw: st.DrawFn, account: Account) -> SignedRequest:
    """Any request that google-cloud-storage can sign, as it would go over the wire."""
    method = draw(st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]))
    host = draw(st.sampled_from(["127.0.0.1:9023", "storage.googleapis.com", "bucket.localhost:1"]))
    headers = draw(_headers)
    url = generate_signed_url_v4(
        account.credentials,
        resource=f"/bucket/{quote(draw(_names), safe='/~')}",
        expiration=draw(st.integers(1, 604800)),
        api_access_endpoint=f"http://{host}",
        method=method,
        headers=dict(headers),
        query_parameters=draw(_query),
        _request_timestamp=SIGNED_AT.strftime("%Y%m%dT%H%M%SZ"),
    )
    sent = [("host", host), *((name.lower(), value) for name, value in headers.items())]
    _, _, rest = url.partition("//")
    path, _, query = rest.removeprefix(host).partition("?")
    return SignedRequest(method, path, query, sent)


def _edit_query(request: SignedRequest, old: str, new: str) -> SignedRequest:
    assert old in request.query
    return replace(request, query=request.query.replace(old, new, 1))


def _last_digit(request: SignedRequest) -> SignedRequest:
    return replace(request, query=request.query[:-1] + ("1" if request.query[-1] != "1" else "2"))


CHANGES: dict[str, Callable[[SignedRequest], SignedRequest]] = {
    "method": lambda r: replace(r, method="PATCH"),
    "path": lambda r: replace(r, path=r.path + "x"),
    "bucket": lambda r: replace(r, path=r.path.replace("/bucket/", "/bucket2/", 1)),
    "host": lambda r: replace(r, headers=[("host", "evil.test"), *r.headers[1:]]),
    "signature": _last_digit,
    "account": lambda r: _edit_query(r, "signer%40", "evil%40"),
    "algorithm": lambda r: _edit_query(r, "GOOG4-RSA-SHA256", "GOOG4-HMAC-SHA256"),
    "location": lambda r: _edit_query(r, "%2Fauto%2F", "%2Feu%2F"),
    "day": lambda r: _edit_query(r, "%2F20261121%2F", "%2F20261120%2F"),
    "date": lambda r: _edit_query(r, "Date=20261121T0900", "Date=20261121T0859"),
    "expiry": lambda r: _edit_query(r, "X-Goog-Expires=", "X-Goog-Expires=1"),
    "signed headers": lambda r: _edit_query(r, "SignedHeaders=", "SignedHeaders=accept%3B"),
    "more parameters": lambda r: replace(r, query=f"prefix=x&{r.query}"),
    "more headers": lambda r: replace(r, headers=[*r.headers, ("x-goog-acl", "public-read")]),
    "fewer headers": lambda r: replace(r, headers=r.headers[:-1]),
    "header value": lambda r: replace(r, headers=[*r.headers[:-1], (r.headers[-1][0], r.headers[-1][1] + "x")]),
}


@pytest.fixture(scope="module")
def signers(account: Account) -> Signers:
    """The verifier's side of the account."""
    return Signers((PublicKey.of(load_pem_public_key(account.public_key), account.email),))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_the_client_signs_is_accepted_and_any_single_change_is_refused(
    data: st.DataObject, account: Account, signers: Signers
) -> None:
    request = data.draw(signed_requests(account))
    assert verify(request, signers, SIGNED_AT) == account.email
    change = data.draw(st.sampled_from(sorted(CHANGES)))
    with pytest.raises(StorageError):
        verify(CHANGES[change](request), signers, SIGNED_AT)


def test_each_kind_of_change_is_refused(account: Account, signers: Signers) -> None:
    url = generate_signed_url_v4(
        account.credentials, "/bucket/a", 60, "http://h", _request_timestamp=SIGNED_AT.strftime("%Y%m%dT%H%M%SZ")
    )
    parts = urlsplit(url)
    request = SignedRequest("GET", parts.path, parts.query, [("host", "h")])
    assert verify(request, signers, SIGNED_AT) == account.email
    for change in CHANGES.values():
        with pytest.raises(StorageError):
            verify(change(request), signers, SIGNED_AT)


def test_headers_are_trimmed_folded_and_joined(account: Account, signers: Signers) -> None:
    url = urlsplit(
        generate_signed_url_v4(
            account.credentials,
            "/bucket/a",
            60,
            "http://h",
            headers={"x-goog-meta-a": " one \t two ", "bar": "1,2"},
            _request_timestamp=SIGNED_AT.strftime("%Y%m%dT%H%M%SZ"),
        )
    )
    sent = [("host", "h"), ("bar", "1"), ("bar", " 2"), ("x-goog-meta-a", "one two")]
    assert verify(SignedRequest("GET", url.path, url.query, sent), signers, SIGNED_AT) == account.email


def test_a_signature_holds_until_its_last_second_and_no_longer(account: Account, signers: Signers) -> None:
    url = urlsplit(
        generate_signed_url_v4(
            account.credentials, "/b/a", 60, "http://h", _request_timestamp=SIGNED_AT.strftime("%Y%m%dT%H%M%SZ")
        )
    )
    request = SignedRequest("GET", url.path, url.query, [("host", "h")])
    verify(request, signers, SIGNED_AT + timedelta(seconds=59))
    with pytest.raises(StorageError, match="expired at"):
        verify(request, signers, SIGNED_AT + timedelta(seconds=60))


def test_the_vectors_command_reports_what_passes_and_what_fails(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library signs for the emulator where this is set, as the fixture of the local cloud does.
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    # Google's file is not part of this repository; a vector of the same form shows that the command can fail.
    key = account.credentials
    url = generate_signed_url_v4(
        key, "/bucket/a", 60, headers={"Host": "storage.googleapis.com"}, _request_timestamp="20261121T090000Z"
    )
    vector = {
        "description": "one",
        "bucket": "bucket",
        "object": "a",
        "method": "GET",
        "expiration": 60,
        "timestamp": "2026-11-21T09:00:00Z",
        "expectedUrl": url,
        "expectedCanonicalRequest": "GET\n/bucket/a\n",
        "expectedStringToSign": "wrong",
    }
    vectors = Vectors.model_validate_json(json.dumps({"signingV4Tests": [vector], "postPolicyV4Tests": []}))
    lines: list[str] = []
    failures = run(vectors, account.described, lines.append)
    assert failures == 1
    assert [line.split()[:2] for line in lines] == [["ok", "signer"], ["FAIL", "verifier"]]
