"""`python -m emulators.storage.vectors FILE`: Google's published V4 vectors against the signer and the verifier.

FILE is `storage/v1/v4_signatures.json` of googleapis/conformance-tests; the service account they were made with lies
beside it, or is given by --account. Prints one line for each vector and side, and exits with 1 when one fails. The
signer is google-cloud-storage with the clock of the vector; the verifier is told the same clock.
"""

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from unittest.mock import patch
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.cloud.storage import Client
from google.oauth2.service_account import Credentials
from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from emulators.storage.errors import StorageError
from emulators.storage.policy import verify_policy
from emulators.storage.signature import Authorization, SignedRequest, canonical_request, string_to_sign, verify
from emulators.storage.signers import PublicKey, Signers

ACCOUNT_FILE = "test_service_account.not-a-test.json"


class _Vector(BaseModel, alias_generator=to_camel, populate_by_name=True):
    """What both kinds of vectors say of where and when."""

    bucket: str
    object: str = ""
    expiration: int
    timestamp: datetime
    scheme: str = "https"
    url_style: str = "PATH_STYLE"
    bucket_bound_hostname: str = ""
    hostname: str = ""
    client_endpoint: str = ""
    emulator_hostname: str = ""
    universe_domain: str = ""

    def client(self, credentials: Credentials) -> Client:
        """A client that is set up as the vector says."""
        # google-cloud-storage wants a scheme in its endpoint, and credentials of the same universe.
        bare = self.client_endpoint and "://" not in self.client_endpoint
        endpoint = f"{self.scheme}://{self.client_endpoint}" if bare else self.client_endpoint
        options = {"api_endpoint": endpoint, "universe_domain": self.universe_domain}
        if self.universe_domain:
            credentials = credentials.with_universe_domain(self.universe_domain)
        given = {name: value for name, value in options.items() if value}
        return Client("dummy-project-id", credentials, client_options=given)

    @contextmanager
    def surroundings(self) -> Iterator[None]:
        """The clock and the environment of the vector."""

        def now(_zone: object) -> datetime:
            return self.timestamp

        emulator = {"STORAGE_EMULATOR_HOST": self.emulator_hostname} if self.emulator_hostname else {}
        with (
            patch("google.cloud.storage._signing._NOW", now),
            patch("google.cloud.storage.client._NOW", now),
            patch.dict("os.environ", emulator),
        ):
            yield


class UrlVector(_Vector, alias_generator=to_camel):
    """A signed URL."""

    description: str
    method: str
    headers: dict[str, str] = {}
    query_parameters: dict[str, str] = {}
    expected_url: str
    expected_canonical_request: str
    expected_string_to_sign: str

    @property
    def consistent(self) -> bool:
        """Whether the canonical request it prints is the one that its own string to sign is the hash of."""
        digest = hashlib.sha256(self.expected_canonical_request.encode()).hexdigest()
        return self.expected_string_to_sign.endswith(digest)

    @property
    def remark(self) -> str:
        """What a reader of the result must know."""
        return (
            "" if self.consistent else " (its printed canonical request, which contradicts its string to sign, aside)"
        )

    def sign(self, credentials: Credentials) -> None:
        """The signer makes the expected URL."""
        with self.surroundings():
            bucket = self.client(credentials).bucket(self.bucket)
            signable = bucket.blob(self.object) if self.object else bucket
            made = signable.generate_signed_url(
                version="v4",
                expiration=timedelta(seconds=self.expiration),
                method=self.method,
                headers=self._headers(),
                query_parameters=dict(self.query_parameters),
                virtual_hosted_style=self.url_style == "VIRTUAL_HOSTED_STYLE",
                bucket_bound_hostname=self.bucket_bound_hostname or None,
                scheme=self.scheme,
                api_access_endpoint=f"{self.scheme}://{self.hostname}" if self.hostname else None,
            )
        _equal(made, self.expected_url)

    def verify(self, signers: Signers) -> None:
        """The verifier makes the expected strings, and accepts the expected URL, but not a moment too late."""
        url = urlsplit(self.expected_url)
        headers = [(name.lower(), value) for name, value in {"Host": url.netloc, **self.headers}.items()]
        request = SignedRequest(self.method, url.path, url.query, headers)
        claimed = Authorization.parse(request)
        canonical = canonical_request(request, claimed.signed_headers, url.hostname or "")
        if self.consistent:
            _equal(canonical, self.expected_canonical_request)
        text = string_to_sign(claimed.algorithm, claimed.date, claimed.credential.scope, canonical)
        _equal(text, self.expected_string_to_sign)
        verify(request, signers, self.timestamp)
        try:
            verify(request, signers, self.timestamp + timedelta(seconds=self.expiration))
        except StorageError as error:
            _equal(error.code, "ExpiredToken")
        else:
            raise AssertionError("accepted after its expiry")

    def _headers(self) -> dict[str, str]:
        # google-cloud-storage signs the Host header with its port, the vectors without.
        url = urlsplit(self.expected_url)
        return {"Host": url.hostname or "", **self.headers} if url.port else dict(self.headers)


class PolicyInput(_Vector, alias_generator=to_camel):
    """What a form is to allow."""

    fields: dict[str, str] = {}
    conditions: dict[str, list[str | int]] = {}

    def listed_conditions(self) -> list[list[str | int]]:
        """The conditions in the form of a policy document."""
        names = {"startsWith": "starts-with", "contentLengthRange": "content-length-range"}
        return [[names[name], *values] for name, values in self.conditions.items()]

    def extra_fields(self) -> dict[str, str]:
        """What a person fills in where the policy only says how it starts."""
        return {
            str(values[0]).removeprefix("$"): str(values[1])
            for name, values in self.conditions.items()
            if name == "startsWith"
        }


class PolicyOutput(BaseModel, alias_generator=to_camel):
    """The form that comes of it."""

    url: str
    fields: dict[str, str]
    expected_decoded_policy: str


class PolicyVector(BaseModel, alias_generator=to_camel):
    """A signed form."""

    description: str
    remark: str = ""
    given: PolicyInput = Field(alias="policyInput")
    expected: PolicyOutput = Field(alias="policyOutput")

    def sign(self, credentials: Credentials) -> None:
        """The signer makes the expected form."""
        given = self.given
        with given.surroundings():
            made = given.client(credentials).generate_signed_post_policy_v4(
                given.bucket,
                given.object,
                timedelta(seconds=given.expiration),
                conditions=given.listed_conditions(),
                fields=dict(given.fields),
                virtual_hosted_style=given.url_style == "VIRTUAL_HOSTED_STYLE",
                bucket_bound_hostname=given.bucket_bound_hostname or None,
                scheme=given.scheme,
            )
        _equal(base64.b64decode(made["fields"]["policy"]).decode(), self._ascii_policy())
        _equal(made["fields"], self.expected.fields)
        _equal(made["url"], self.expected.url)

    def verify(self, signers: Signers) -> None:
        """The verifier reads the expected document, and accepts the expected form, but not a moment too late."""
        fields = {name.lower(): value for name, value in self.expected.fields.items()} | self.given.extra_fields()
        _equal(json.loads(base64.b64decode(fields["policy"])), json.loads(self.expected.expected_decoded_policy))
        verify_policy(fields, self.given.bucket, signers, self.given.timestamp)
        try:
            verify_policy(
                fields, self.given.bucket, signers, self.given.timestamp + timedelta(seconds=self.given.expiration)
            )
        except StorageError as error:
            _equal(error.code, "AccessDenied")
        else:
            raise AssertionError("accepted after its expiry")

    def _ascii_policy(self) -> str:
        # The vectors print the document decoded; what is signed escapes everything beyond ASCII.
        return "".join(
            char if char.isascii() else f"\\u{ord(char):04x}" for char in self.expected.expected_decoded_policy
        )


class Vectors(BaseModel, alias_generator=to_camel):
    """The file."""

    signed_urls: list[UrlVector] = Field(alias="signingV4Tests")
    policies: list[PolicyVector] = Field(alias="postPolicyV4Tests")


def run(vectors: Vectors, account: dict[str, str], report: Callable[[str], None]) -> int:
    """Run all; gives the number of failures. `report` takes the lines."""
    credentials = Credentials.from_service_account_info(account)  # type: ignore[no-untyped-call]  # typed in part
    private = load_pem_private_key(account["private_key"].encode(), None)
    signers = Signers((PublicKey.of(private.public_key(), account["client_email"]),))
    failures = 0
    both: list[UrlVector | PolicyVector] = [*vectors.signed_urls, *vectors.policies]
    for vector in both:
        sides = {"signer": partial(vector.sign, credentials), "verifier": partial(vector.verify, signers)}
        for side, check in sides.items():
            problem = _problem(check)
            failures += problem is not None
            report(f"{'FAIL' if problem else 'ok  '} {side:8} {vector.description}{vector.remark}{problem or ''}")
    return failures


def main() -> None:
    """Read the file, run, exit."""
    parser = argparse.ArgumentParser(prog="python -m emulators.storage.vectors", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--account", type=Path, help=f"service account, JSON; else {ACCOUNT_FILE} beside FILE")
    given = parser.parse_args()
    vectors = Vectors.model_validate_json(given.file.read_bytes())
    account = json.loads((given.account or given.file.with_name(ACCOUNT_FILE)).read_bytes())
    failures = run(vectors, account, _print)
    total = 2 * (len(vectors.signed_urls) + len(vectors.policies))
    _print(f"{total - failures} of {total} passed")
    sys.exit(1 if failures else 0)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _problem(check: Callable[[], None]) -> str | None:
    try:
        check()
    except (AssertionError, StorageError) as error:
        return f"\n     {error}"
    return None


def _equal(found: object, expected: object) -> None:
    if found != expected:
        raise AssertionError(f"\n       found {found!r}\n    expected {expected!r}")


if __name__ == "__main__":
    main()
