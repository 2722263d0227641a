"""The ceremonies of WebAuthn: what a browser is asked, and what it answers, checked. Nothing is stored or read here.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations; the cryptography is the `webauthn` library's.

Imported by the first passkey that is used: the library would cost every start of `auth` more than all else of it.
"""

import json
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor, parse_cbor
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from shared import errors
from shared.models.identity import Caller
from shared.models.passkeys import Passkey, PasskeyOptions, RelyingParty
from shared.models.tokens import Purpose
from shared.services import tokens

TIMEOUT_MS = int(tokens.LIFETIMES[Purpose.PASSKEY_LOGIN].total_seconds() * 1000)
"""How long the browser waits for the person: as long as the challenge lives."""
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.ECDSA_SHA_512,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""Signatures that we verify, the preferred first. Not ES384 and Ed448, which the library cannot verify."""
VENDORS_FORMATS = frozenset({"tpm", "android-key", "android-safetynet", "apple", "fido-u2f"})
"""Attestation statements that mean nothing without the vendor's root certificates."""

# What the library raises for what a client can send: its own errors, and those of base64, CBOR, JSON and ASN.1.
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, EOFError)


def registration_options(party: RelyingParty, caller: Caller, challenge: bytes, known: list[Passkey]) -> PasskeyOptions:
    """What the browser needs to make a passkey, on a device that has none of those that are known."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=caller.user_id.encode(),
        user_name=caller.email,
        user_display_name=caller.name,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        supported_pub_key_algs=ALGORITHMS,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    return PasskeyOptions(publicKey=json.loads(webauthn.options_to_json(options)))


def login_options(party: RelyingParty, challenge: bytes) -> PasskeyOptions:
    """What the browser needs to find a passkey for this party."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return PasskeyOptions(publicKey=json.loads(webauthn.options_to_json(options)))


def challenge_of(credential: dict[str, Any]) -> str:
    """The challenge that a credential says it signed; TokenRefused when it names none."""
    try:
        return str(_client_data(credential)["challenge"])
    except _BROKEN as error:
        raise errors.TokenRefused("This credential signs no challenge.") from error


def owner_of(credential: dict[str, Any]) -> tuple[bytes, bytes | None]:
    """A credential's id, and the user handle if it names one; InvalidCredentials when it has no id."""
    try:
        handle = credential["response"].get("userHandle")
        return base64url_to_bytes(str(credential["rawId"])), base64url_to_bytes(str(handle)) if handle else None
    except _BROKEN as error:
        raise errors.InvalidCredentials("This passkey is not known.") from error


def verified_registration(
    credential: dict[str, Any],
    challenge: bytes,
    rp_id: str,
    origins: tuple[str, ...],
    *,
    require_user_verification: bool = True,
    allow_cross_origin: bool = False,
) -> VerifiedRegistration:
    """A new credential, checked (WebAuthn level 3, 7.1). ValidationFailed when it is not as it must be."""
    try:
        _require_same_origin(credential, allow=allow_cross_origin)
        return webauthn.verify_registration_response(
            credential=_without_vendors_statement(credential),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            require_user_verification=require_user_verification,
            supported_pub_key_algs=ALGORITHMS,
        )
    except _BROKEN as error:
        raise errors.ValidationFailed("This passkey does not verify.") from error


def _without_vendors_statement(credential: dict[str, Any]) -> dict[str, Any]:
    """The credential, with a statement that only its vendor's root certificates could prove taken for none.

    We ask for no attestation and keep no vendor's roots; formats that prove themselves are still checked.
    """
    response = credential["response"]
    attestation = parse_cbor(base64url_to_bytes(response["attestationObject"]))
    if attestation["fmt"] not in VENDORS_FORMATS:
        return credential
    none = {"fmt": "none", "attStmt": {}, "authData": attestation["authData"]}
    return {**credential, "response": {**response, "attestationObject": bytes_to_base64url(encode_cbor(none))}}


def verified_login(
    credential: dict[str, Any],
    challenge: bytes,
    rp_id: str,
    origins: tuple[str, ...],
    passkey: Passkey,
    *,
    require_user_verification: bool = True,
    allow_cross_origin: bool = False,
) -> int:
    """The authenticator's new count, once its signature is checked (WebAuthn level 3, 7.2); else InvalidCredentials."""
    try:
        _require_same_origin(credential, allow=allow_cross_origin)
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=require_user_verification,
        )
    except _BROKEN as error:
        raise errors.InvalidCredentials("This passkey does not verify.") from error
    return verified.new_sign_count


def _client_data(credential: dict[str, Any]) -> dict[str, Any]:
    data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    if not isinstance(data, dict):
        raise TypeError("clientDataJSON is no object")
    return data


def _require_same_origin(credential: dict[str, Any], *, allow: bool) -> None:
    # Step 10 of both ceremonies, which the library leaves out: we are never asked from inside somebody else's page.
    if _client_data(credential).get("crossOrigin") and not allow:
        raise ValueError("a frame of another origin asked")
