"""Verification of V4 POST policies, the signed forms of https://cloud.google.com/storage/docs/xml-api/post-object-forms.

Pure: no clock, no file, no socket.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from emulators.storage.errors import AccessDenied, InvalidArgument, SignatureDoesNotMatch
from emulators.storage.signature import MISMATCH, parse_credential, parse_date
from emulators.storage.signers import Signers
from emulators.storage.uploads import LengthRange

_NOT_COVERED = frozenset({"policy", "x-goog-signature", "file"})
"""Fields that no condition speaks of; so do those that begin with x-ignore-."""

Size = Annotated[int, Field(ge=0)]


class Policy(BaseModel):
    """A policy document: until when, and what must hold of the form's fields."""

    model_config = ConfigDict(frozen=True)

    expiration: datetime
    conditions: list[
        tuple[Literal["eq", "starts-with"], str, str]
        | tuple[Literal["content-length-range"], Size, Size]
        | dict[str, str]
    ]

    @classmethod
    def parse(cls, encoded: str) -> "Policy":
        """Read the base64 of a policy document. Raises InvalidArgument."""
        try:
            return cls.model_validate(json.loads(base64.b64decode(encoded, validate=True)))
        except (binascii.Error, ValueError, ValidationError) as error:
            raise InvalidArgument(f"The policy is not a policy document: {error}") from None

    def length_range(self) -> LengthRange:
        """How large the file may be."""
        found = LengthRange()
        for condition in self.conditions:
            if isinstance(condition, tuple) and condition[0] == "content-length-range":
                found = LengthRange(minimum=int(condition[1]), maximum=int(condition[2]))
        return found

    def check(self, fields: Mapping[str, str]) -> None:
        """Every condition holds and every field is covered. Raises AccessDenied."""
        covered = set(_NOT_COVERED)
        for condition in self.conditions:
            if isinstance(condition, dict):
                for name, value in condition.items():
                    _check("eq", name, value, fields)
                    covered.add(name.lower())
            elif condition[0] != "content-length-range":
                kind, name, value = condition
                _check(kind, name.removeprefix("$"), str(value), fields)
                covered.add(name.removeprefix("$").lower())
        extra = [name for name in fields if name not in covered and not name.startswith("x-ignore-")]
        if extra:
            raise AccessDenied(f"Policy did not reference these fields: {', '.join(sorted(extra))}")


def verify_policy(fields: Mapping[str, str], bucket: str, signers: Signers, now: datetime) -> Policy:
    """The policy of a form (names in lower case), when its signature and all conditions hold at the moment `now`.

    Raises MalformedSecurityHeader, InvalidArgument, SignatureDoesNotMatch or AccessDenied.
    """
    missing = {"key", "policy", "x-goog-algorithm", "x-goog-credential", "x-goog-date", "x-goog-signature"} - set(
        fields
    )
    if missing:
        raise InvalidArgument(f"The form lacks {', '.join(sorted(missing))}.")
    date = fields["x-goog-date"]
    parse_date(date)
    credential = parse_credential(fields["x-goog-credential"], date)
    encoded = fields["policy"]
    if not signers.accept(fields["x-goog-algorithm"], credential, encoded, fields["x-goog-signature"]):
        raise SignatureDoesNotMatch(MISMATCH, StringToSign=encoded)
    policy = Policy.parse(encoded)
    if now >= policy.expiration:
        raise AccessDenied("Policy expired.")
    policy.check({**fields, "bucket": bucket})
    return policy


def _check(kind: str, name: str, value: str, fields: Mapping[str, str]) -> None:
    given = fields.get(name.lower())
    holds = given is not None and (given.startswith(value) if kind == "starts-with" else given == value)
    if not holds:
        raise AccessDenied(f"Policy condition failed: [{kind}, ${name}, {value}]")
