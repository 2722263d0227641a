"""Verification of V4 signed URLs. Pure: no clock, no file, no socket.

The rules are those of https://cloud.google.com/storage/docs/authentication/signatures and
https://cloud.google.com/storage/docs/authentication/canonical-requests; Google's own vectors check them (`vectors.py`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import quote, unquote

from emulators.storage.errors import (
    ExpiredToken,
    MalformedSecurityHeader,
    RequestTimeTooSkewed,
    SignatureDoesNotMatch,
)
from emulators.storage.signers import HMAC, RSA, Credential, Signers

LONGEST_EXPIRY = timedelta(days=7)
"""The longest life of a signed URL (https://cloud.google.com/storage/docs/access-control/signed-urls)."""
CLOCK_SKEW = timedelta(minutes=15)
"""How far in the future a signature may be dated."""
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
SIGNATURE_PARAMETER = "x-goog-signature"
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your Google secret key and signing method."
)


@dataclass(frozen=True)
class SignedRequest:
    """A request as it came over the wire: path and query still percent-encoded, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, decoded. `+` is a plus sign, as in the signer."""
        pairs = [part.partition("=") for part in self.query.split("&") if part]
        return [(unquote(name), unquote(value)) for name, _, value in pairs]


@dataclass(frozen=True, slots=True)
class Authorization:
    """What the query of a signed URL says about its signature."""

    algorithm: str
    credential: Credential
    date: str
    signed_at: datetime
    expires_at: datetime
    signed_headers: tuple[str, ...]
    signature: str

    @classmethod
    def parse(cls, request: SignedRequest) -> "Authorization":
        """Read the X-Goog-* parameters. Raises MalformedSecurityHeader naming the parameter that is wrong."""
        pairs = [(name.lower(), value) for name, value in request.parameters if name.lower().startswith("x-goog-")]
        given = dict(pairs)
        if len(given) < len(pairs):
            raise _malformed("X-Goog-*", "A query parameter is given twice.")
        algorithm = _required(given, "X-Goog-Algorithm")
        if algorithm not in (RSA, HMAC):
            raise _malformed("X-Goog-Algorithm", f"Algorithm is neither {RSA} nor {HMAC}.")
        date = _required(given, "X-Goog-Date")
        signed_at = parse_date(date)
        return cls(
            algorithm=algorithm,
            credential=parse_credential(_required(given, "X-Goog-Credential"), date),
            date=date,
            signed_at=signed_at,
            expires_at=signed_at + _expiry(_required(given, "X-Goog-Expires")),
            signed_headers=_signed_headers(_required(given, "X-Goog-SignedHeaders")),
            signature=_required(given, "X-Goog-Signature"),
        )


def is_signed(request: SignedRequest) -> bool:
    """Whether the query claims to hold a V4 signature."""
    return any(name.lower().startswith("x-goog-") for name, _ in request.parameters)


def verify(request: SignedRequest, signers: Signers, now: datetime) -> str:
    """The account that signed the request, when its signature holds at the moment `now`.

    Raises MalformedSecurityHeader, ExpiredToken, RequestTimeTooSkewed or SignatureDoesNotMatch.
    """
    claimed = Authorization.parse(request)
    if now >= claimed.expires_at:
        raise ExpiredToken(f"Request signature expired at: {claimed.expires_at.isoformat()}")
    if claimed.signed_at - now > CLOCK_SKEW:
        raise RequestTimeTooSkewed(f"Request signature is dated {claimed.signed_at.isoformat()}")
    _check_header_names(request, claimed.signed_headers)
    for host in _hosts(request):
        canonical = canonical_request(request, claimed.signed_headers, host)
        text = string_to_sign(claimed.algorithm, claimed.date, claimed.credential.scope, canonical)
        if signers.accept(claimed.algorithm, claimed.credential, text, claimed.signature):
            return claimed.credential.account
    raise SignatureDoesNotMatch(MISMATCH, StringToSign=text, CanonicalRequest=canonical)


def canonical_request(request: SignedRequest, signed_headers: Sequence[str], host: str) -> str:
    """The canonical request of Google's documentation; `host` stands for the Host header."""
    headers = [f"{name}:{host if name == 'host' else _header(request, name)}" for name in signed_headers]
    return "\n".join(
        (
            request.method,
            quote(unquote(request.path), safe="/~"),
            canonical_query(request.parameters),
            *headers,
            "",
            ";".join(signed_headers),
            _header(request, "x-goog-content-sha256") or "UNSIGNED-PAYLOAD",
        )
    )


def canonical_query(parameters: Sequence[tuple[str, str]]) -> str:
    """Names and values percent-encoded, then ordered by name; the signature itself left out."""
    encoded = sorted(
        (quote(name, safe="~"), quote(value, safe="~"))
        for name, value in parameters
        if name.lower() != SIGNATURE_PARAMETER
    )
    return "&".join(f"{name}={value}" for name, value in encoded)


def string_to_sign(algorithm: str, date: str, scope: str, canonical: str) -> str:
    """What the key signs: algorithm, date, credential scope and the hash of the canonical request."""
    return "\n".join((algorithm, date, scope, hashlib.sha256(canonical.encode()).hexdigest()))


def parse_date(text: str) -> datetime:
    """Read `20260101T090000Z`. Raises MalformedSecurityHeader."""
    try:
        return datetime.strptime(text, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise _malformed("X-Goog-Date", "Date is not of the form YYYYMMDD'T'HHMMSS'Z'.") from None


def parse_credential(text: str, date: str) -> Credential:
    """Read `ACCOUNT/DATE/LOCATION/storage/goog4_request`; its day is that of `date`. Raises MalformedSecurityHeader."""
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or not all(parts) or parts[3:] != ["storage", "goog4_request"]:
        raise _malformed("X-Goog-Credential", "Credential is not ACCOUNT/DATE/LOCATION/storage/goog4_request.")
    if parts[1] != date[:8]:
        raise _malformed("X-Goog-Credential", "The day of the credential is not that of X-Goog-Date.")
    return Credential(parts[0], "/".join(parts[1:]))


def _check_header_names(request: SignedRequest, signed_headers: Sequence[str]) -> None:
    present = {name for name, _ in request.headers}
    for name in signed_headers:
        if name not in present:
            raise _malformed(name, "Header was included in signedheaders, but not in the request.")
    for name in sorted(present):
        if name.startswith("x-goog-") and name not in signed_headers:
            raise SignatureDoesNotMatch(f"Header {name} is in the request, but was not included in signedheaders.")


def _hosts(request: SignedRequest) -> list[str]:
    """The Host header as sent, and without its port: Google's vectors sign without, google-cloud-storage signs with."""
    host = _header(request, "host")
    bare = host.partition(":")[0]
    return [host] if bare == host else [host, bare]


def _header(request: SignedRequest, name: str) -> str:
    """All values of a header, each trimmed and its inner whitespace folded, joined by commas."""
    return ",".join(" ".join(value.split()) for given, value in request.headers if given == name)


def _expiry(text: str) -> timedelta:
    if not (text.isascii() and text.isdigit()):
        raise _malformed("X-Goog-Expires", "Expiry is not a number of seconds.")
    seconds = int(text) if len(text) < 10 else 10**9
    if not 0 < seconds <= LONGEST_EXPIRY.total_seconds():
        raise _malformed("X-Goog-Expires", "Expiry is not between 1 and 604800 seconds.")
    return timedelta(seconds=seconds)


def _signed_headers(text: str) -> tuple[str, ...]:
    names = tuple(text.split(";"))
    if "host" not in names:
        raise _malformed("X-Goog-SignedHeaders", "The host header is not signed.")
    if any(name != name.lower() for name in names) or list(names) != sorted(set(names)):
        raise _malformed("X-Goog-SignedHeaders", "Names are not in lower case, ordered and unique.")
    return names


def _required(given: dict[str, str], name: str) -> str:
    value = given.get(name.lower())
    if not value:
        raise _malformed(name, "Query parameter is missing.")
    return value


def _malformed(parameter: str, details: str) -> MalformedSecurityHeader:
    return MalformedSecurityHeader(details, ParameterName=parameter)
