"""Passkeys: WebAuthn with discoverable credentials, verified users, and challenges that are used once.

The ceremonies are those of https://www.w3.org/TR/webauthn-3/#sctn-rp-operations; the cryptography is the `webauthn`
library's. The challenge is one of our tokens, so that it is stored as a hash and found by what the browser signed.
"""

import ipaddress
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

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
from shared.cloud import identity
from shared.models.audit import Action
from shared.models.identity import Caller, Tokens
from shared.models.passkeys import Passkey, PasskeyCredential, PasskeyOptions, PasskeyView
from shared.models.records import now
from shared.models.tokens import Purpose, Token
from shared.services import accounts, audit, tokens
from shared.settings import settings
from shared.store import firestore, passkeys
from shared.store import tokens as stored_tokens

PASSKEYS_LIMIT = 20
"""Passkeys that one account can have."""
TIMEOUT_MS = int(tokens.LIFETIMES[Purpose.PASSKEY_LOGIN].total_seconds() * 1000)
"""How long the browser waits for the person: as long as the challenge lives."""
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.ECDSA_SHA_512,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
"""Signatures that we verify, the preferred first."""
VENDORS_FORMATS = frozenset({"tpm", "android-key", "android-safetynet", "apple", "fido-u2f"})
"""Attestation statements that mean nothing without the vendor's root certificates."""


@dataclass(frozen=True)
class RelyingParty:
    """Who a passkey is for: a domain, and the origins whose pages may ask for it."""

    id: str
    origins: tuple[str, ...]
    name: str = "Alta"


def relying_party() -> RelyingParty:
    """The platform at its public address. A domain is needed, so a loopback address goes by `localhost`."""
    public = urlsplit(settings().public_url)
    host, port = public.hostname or "localhost", f":{public.port}" if public.port else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, (f"{public.scheme}://{host}{port}", *settings().cors_origins))
    return RelyingParty("localhost", (f"{public.scheme}://localhost{port}", *settings().cors_origins))


# --- registration


async def begin_registration(caller: Caller) -> PasskeyOptions:
    """What the browser needs to make a passkey for the caller."""
    known = await passkeys.of_user(caller.user_id, PASSKEYS_LIMIT)
    if len(known) >= PASSKEYS_LIMIT:
        raise errors.StateConflict(f"An account has {PASSKEYS_LIMIT} passkeys at the most.", details={"state": "full"})
    challenge, write = tokens.issue(Purpose.PASSKEY_REGISTRATION, caller.user_id)
    party = relying_party()
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=caller.user_id.encode(),
        user_name=caller.email,
        user_display_name=caller.name,
        challenge=base64url_to_bytes(challenge),
        timeout=TIMEOUT_MS,
        supported_pub_key_algs=ALGORITHMS,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
    )
    await firestore.commit(write)
    return PasskeyOptions(publicKey=json.loads(webauthn.options_to_json(options)))


async def register(caller: Caller, asked: PasskeyCredential) -> Passkey:
    """Keeps the passkey that the browser made.

    Raises TokenRefused for a challenge that is used, old or another's, ValidationFailed for a credential that does not
    verify, AlreadyExists for one that is registered.
    """
    challenge = await _used(Purpose.PASSKEY_REGISTRATION, asked.credential, caller)
    party = relying_party()
    verified = verified_registration(asked.credential, base64url_to_bytes(challenge), party.id, party.origins)
    moment = now()
    passkey = Passkey(
        id=passkeys.id_of(verified.credential_id),
        created_at=moment,
        updated_at=moment,
        user_id=caller.user_id,
        name=asked.name,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        backed_up=verified.credential_backed_up,
    )
    entry = _entry(Action.PASSKEY_REGISTERED, passkey, caller)
    try:
        version = await firestore.commit(passkeys.create(passkey), entry)
    except firestore.Conflict as error:
        raise errors.AlreadyExists("This passkey is registered already.") from error
    return passkey.model_copy(update={"version": version})


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


# --- signing in


async def begin_login() -> PasskeyOptions:
    """What the browser needs to find a passkey of ours; nobody has said who they are yet."""
    challenge, write = tokens.issue(Purpose.PASSKEY_LOGIN, None)
    options = webauthn.generate_authentication_options(
        rp_id=relying_party().id,
        challenge=base64url_to_bytes(challenge),
        timeout=TIMEOUT_MS,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    await firestore.commit(write)
    return PasskeyOptions(publicKey=json.loads(webauthn.options_to_json(options)))


async def login(credential: dict[str, Any]) -> Tokens:
    """Signs in the owner of a passkey.

    Raises TokenRefused for a challenge that is used or old, InvalidCredentials for a passkey that is not ours, does
    not verify, or has a counter that goes backwards.
    """
    challenge = await _used(Purpose.PASSKEY_LOGIN, credential)
    passkey = await _passkey_of(credential)
    party = relying_party()
    count = verified_login(credential, base64url_to_bytes(challenge), party.id, party.origins, passkey)
    # Two uses of one counter value: only one of them finds the version it read.
    await firestore.commit(passkeys.change(passkey, {"sign_count": count, "last_used_at": now()}))
    return await accounts.sign_in(lambda: identity.sign_in_as(passkey.user_id))


async def _passkey_of(credential: dict[str, Any]) -> Passkey:
    try:
        found = await passkeys.get(passkeys.id_of(base64url_to_bytes(str(credential["rawId"]))))
        handle = credential["response"].get("userHandle")
    except _BROKEN as error:
        raise errors.InvalidCredentials("This passkey is not known.") from error
    if found is None or (handle and base64url_to_bytes(str(handle)) != found.user_id.encode()):
        raise errors.InvalidCredentials("This passkey is not known.")
    return found


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


# --- what both share

# What the library raises for what a client can send: its own errors, and those of base64, CBOR, JSON and ASN.1.
_BROKEN = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError, EOFError)


def _client_data(credential: dict[str, Any]) -> dict[str, Any]:
    data = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    if not isinstance(data, dict):
        raise TypeError("clientDataJSON is no object")
    return data


def _require_same_origin(credential: dict[str, Any], *, allow: bool) -> None:
    # Step 10 of both ceremonies, which the library leaves out: we are never asked from inside somebody else's page.
    if _client_data(credential).get("crossOrigin") and not allow:
        raise ValueError("a frame of another origin asked")


async def _used(purpose: Purpose, credential: dict[str, Any], caller: Caller | None = None) -> str:
    """The challenge that a credential signed, used up whether or not the rest is right."""
    try:
        challenge = str(_client_data(credential)["challenge"])
    except _BROKEN as error:
        raise errors.TokenRefused("This credential signs no challenge.") from error
    token: Token = await tokens.valid(purpose, challenge)
    if caller is not None and token.user_id != caller.user_id:
        raise errors.TokenRefused("This challenge is another's.")
    try:
        await firestore.commit(stored_tokens.use(token))
    except firestore.Conflict as error:
        raise errors.TokenRefused("This challenge was used.") from error
    return challenge


# --- one's own passkeys


async def page(caller: Caller, size: int, after: tuple[Any, ...] | None) -> list[Passkey]:
    """The caller's passkeys, newest first."""
    return await passkeys.of_user(caller.user_id, size, after)


async def rename(caller: Caller, passkey_id: str, name: str) -> Passkey:
    """Gives one of the caller's passkeys another name."""
    passkey = await _own(caller, passkey_id)
    entry = _entry(Action.PASSKEY_RENAMED, passkey, caller, after={"name": name})
    version = await firestore.commit(passkeys.change(passkey, {"name": name}), entry)
    return passkey.model_copy(update={"name": name, "version": version})


async def remove(caller: Caller, passkey_id: str) -> None:
    """Makes one of the caller's passkeys useless, for good."""
    passkey = await _own(caller, passkey_id)
    await firestore.commit(passkeys.remove(passkey), _entry(Action.PASSKEY_REMOVED, passkey, caller))


async def _own(caller: Caller, passkey_id: str) -> Passkey:
    passkey = await passkeys.get(passkey_id)
    if passkey is None or passkey.user_id != caller.user_id:
        raise errors.NotFound("There is no such passkey.")
    return passkey


def _entry(action: Action, passkey: Passkey, caller: Caller, *, after: dict[str, Any] | None = None) -> firestore.Write:
    return audit.entry(
        action, passkey.id, by=caller, company_id=caller.company_id, before={"name": passkey.name}, after=after
    )


def view(passkey: Passkey) -> PasskeyView:
    """A passkey as its owner sees it."""
    return PasskeyView(**passkey.model_dump())
