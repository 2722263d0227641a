"""The verification of passkeys by itself, without a database."""

import base64
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InvalidCredentials, ValidationFailed
from shared.models.passkeys import Passkey
from shared.services.ceremonies import VENDORS_FORMATS, verified_login, verified_registration
from tests.authenticator import Authenticator, encoded, kept

ORIGIN = "https://alta.example"
CHALLENGE = b"a challenge of thirty-two bytes!"
CREATION = {"challenge": encoded(CHALLENGE), "rp": {"id": "alta.example"}, "user": {"id": encoded(b"usr_ada")}}
REQUEST = {"challenge": encoded(CHALLENGE), "rpId": "alta.example"}


def _registered(credential: dict[str, Any]) -> Passkey:
    verified = verified_registration(credential, CHALLENGE, "alta.example", (ORIGIN,))
    return kept(verified)


@pytest.mark.parametrize("form", sorted(VENDORS_FORMATS))
def test_a_statement_that_only_its_vendor_could_prove_is_taken_for_none(form: str) -> None:
    authenticator = Authenticator(ORIGIN, attestation=(form, {"x5c": [b"no certificate"], "sig": b"no signature"}))
    passkey = _registered(authenticator.create(CREATION))
    assert passkey.credential_id == authenticator.credential_id


@pytest.mark.parametrize(
    "attestation", [("packed", {"alg": -7, "sig": b"no signature"}), ("none", {"sig": b"something"}), ("made-up", {})]
)
def test_a_statement_that_could_prove_itself_and_does_not_is_refused(attestation: tuple[str, dict[str, Any]]) -> None:
    authenticator = Authenticator(ORIGIN, attestation=attestation)
    with pytest.raises(ValidationFailed):
        _registered(authenticator.create(CREATION))


# What is broken at random is refused, and nothing but refused: an error of another kind would be a 500.

FIELDS = st.sampled_from(["clientDataJSON", "attestationObject"])
PROOF_FIELDS = st.sampled_from(["clientDataJSON", "authenticatorData", "signature"])


def _broken(credential: dict[str, Any], field: str, position: float, flip: int) -> dict[str, Any]:
    raw = bytearray(base64.urlsafe_b64decode(credential["response"][field] + "=="))
    raw[int(position * (len(raw) - 1))] ^= flip
    return {**credential, "response": {**credential["response"], field: encoded(bytes(raw))}}


@settings(deadline=None)
@given(field=FIELDS, position=st.floats(0, 1), flip=st.integers(1, 255))
def test_a_registration_with_a_broken_byte_is_kept_whole_or_refused(field: str, position: float, flip: int) -> None:
    # Nothing signs a credential without attestation: some bytes (of its id, its model) may well be others.
    credential = Authenticator(ORIGIN).create(CREATION)
    try:
        _registered(_broken(credential, field, position, flip))
    except ValidationFailed:
        return


@settings(deadline=None)
@given(field=PROOF_FIELDS, position=st.floats(0, 1), flip=st.integers(1, 255))
def test_a_proof_with_a_broken_byte_is_refused(field: str, position: float, flip: int) -> None:
    authenticator = Authenticator(ORIGIN)
    passkey = _registered(authenticator.create(CREATION))
    proof = _broken(authenticator.get(REQUEST), field, position, flip)
    with pytest.raises(InvalidCredentials):
        verified_login(proof, CHALLENGE, "alta.example", (ORIGIN,), passkey)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    )
)
def test_garbage_is_refused(garbage: Any) -> None:
    for response in (garbage, {"clientDataJSON": garbage, "attestationObject": garbage, "signature": garbage}):
        credential = {"id": garbage, "rawId": garbage, "type": "public-key", "response": response}
        with pytest.raises(ValidationFailed):
            verified_registration(credential, CHALLENGE, "alta.example", (ORIGIN,))
