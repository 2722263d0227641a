"""The test vectors of WebAuthn level 3, run through our verification.

`webauthn_vectors.json` holds them as they stand in https://www.w3.org/TR/webauthn-3/#sctn-test-vectors
(w3c/webauthn, commit 146d0db).
"""

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import InvalidCredentials, ValidationFailed
from shared.models.passkeys import Passkey
from shared.services.ceremonies import verified_login, verified_registration
from tests.authenticator import encoded, kept

Vector = dict[str, dict[str, str]]

VECTORS: dict[str, Vector] = json.loads(Path(__file__).with_name("webauthn_vectors.json").read_text())
RP_ID, ORIGIN = "example.org", "https://example.org"
NOT_OFFERED = frozenset({"packed-es384", "packed-ed448"})
"""No options of ours name these signatures, so no browser makes such a credential for us."""
FROM_A_FRAME = frozenset({"none-es256-crossOrigin", "none-es256-topOrigin"})
OFFERED = sorted(VECTORS.keys() - NOT_OFFERED)


def _b64(hexadecimal: str) -> str:
    return encoded(bytes.fromhex(hexadecimal))


def _credential(vector: Vector, step: str) -> dict[str, Any]:
    own = _b64(vector["registration"]["credential_id"])
    response = {name: _b64(value) for name, value in vector[step].items() if name not in ("challenge", "credential_id")}
    return {"id": own, "rawId": own, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _register(vector: Vector, *, framed: bool) -> Passkey:
    verified = verified_registration(
        _credential(vector, "registration"),
        bytes.fromhex(vector["registration"]["challenge"]),
        RP_ID,
        (ORIGIN,),
        require_user_verification=False,
        allow_cross_origin=framed,
    )
    assert verified.credential_id.hex() == vector["registration"]["credential_id"]
    return kept(verified)


def _login(vector: Vector, passkey: Passkey, *, framed: bool) -> int:
    return verified_login(
        _credential(vector, "authentication"),
        bytes.fromhex(vector["authentication"]["challenge"]),
        RP_ID,
        (ORIGIN,),
        passkey,
        require_user_verification=False,
        allow_cross_origin=framed,
    )


def test_all_fifteen_vectors_are_here() -> None:
    assert len(VECTORS) == 15


@pytest.mark.parametrize("name", OFFERED)
def test_a_credential_registers_and_signs_in(name: str) -> None:
    framed = name in FROM_A_FRAME
    passkey = _register(VECTORS[name], framed=framed)
    assert _login(VECTORS[name], passkey, framed=framed) == passkey.sign_count


@pytest.mark.parametrize("name", sorted(FROM_A_FRAME))
def test_what_a_frame_in_somebody_elses_page_asked_for_is_refused(name: str) -> None:
    with pytest.raises(ValidationFailed):
        _register(VECTORS[name], framed=False)
    with pytest.raises(InvalidCredentials):
        _login(VECTORS[name], _register(VECTORS[name], framed=True), framed=False)


@pytest.mark.parametrize("name", sorted(NOT_OFFERED))
def test_a_signature_that_is_not_offered_is_refused(name: str) -> None:
    with pytest.raises(ValidationFailed):
        _register(VECTORS[name], framed=False)


@pytest.mark.parametrize("name", OFFERED)
def test_the_proof_of_another_credential_signs_nobody_in(name: str) -> None:
    other = OFFERED[OFFERED.index(name) - 1]
    passkey = _register(VECTORS[other], framed=True)
    with pytest.raises(InvalidCredentials):
        _login(VECTORS[name], passkey, framed=True)
