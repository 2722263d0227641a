"""Passkeys: WebAuthn with discoverable credentials, verified users, and challenges that are used once.

The challenge is one of our tokens, so that it is stored as a hash and found by what the browser signed. What is asked
of browsers and how their answers are checked stands in `ceremonies`.
"""

import ipaddress
from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import urlsplit

from shared import errors
from shared.cloud import identity
from shared.models.audit import Action
from shared.models.identity import Caller, Tokens
from shared.models.passkeys import Passkey, PasskeyCredential, PasskeyOptions, PasskeyView, RelyingParty
from shared.models.records import now
from shared.models.tokens import Purpose, Token
from shared.services import accounts, audit, tokens
from shared.settings import settings
from shared.store import firestore, passkeys
from shared.store import tokens as stored_tokens

PASSKEYS_LIMIT = 20
"""Passkeys that one account can have."""


def relying_party() -> RelyingParty:
    """The platform at its public address. A domain is needed, so a loopback address goes by `localhost`."""
    public = urlsplit(settings().public_url)
    host, port = public.hostname or "localhost", f":{public.port}" if public.port else ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, (f"{public.scheme}://{host}{port}", *settings().cors_origins))
    return RelyingParty("localhost", (f"{public.scheme}://localhost{port}", *settings().cors_origins))


def _bytes(challenge: str) -> bytes:
    return urlsafe_b64decode(challenge + "==")


# --- registration


async def begin_registration(caller: Caller) -> PasskeyOptions:
    """What the browser needs to make a passkey for the caller."""
    from shared.services import ceremonies

    known = await passkeys.of_user(caller.user_id, PASSKEYS_LIMIT)
    if len(known) >= PASSKEYS_LIMIT:
        raise errors.StateConflict(f"An account has {PASSKEYS_LIMIT} passkeys at the most.", details={"state": "full"})
    challenge, write = tokens.issue(Purpose.PASSKEY_REGISTRATION, caller.user_id)
    await firestore.commit(write)
    return ceremonies.registration_options(relying_party(), caller, _bytes(challenge), known)


async def register(caller: Caller, asked: PasskeyCredential) -> Passkey:
    """Keeps the passkey that the browser made.

    Raises TokenRefused for a challenge that is used, old or another's, ValidationFailed for a credential that does not
    verify, AlreadyExists for one that is registered.
    """
    from shared.services import ceremonies

    challenge = await _used(Purpose.PASSKEY_REGISTRATION, asked.credential, caller)
    party = relying_party()
    verified = ceremonies.verified_registration(asked.credential, _bytes(challenge), party.id, party.origins)
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


# --- signing in


async def begin_login() -> PasskeyOptions:
    """What the browser needs to find a passkey of ours; nobody has said who they are yet."""
    from shared.services import ceremonies

    challenge, write = tokens.issue(Purpose.PASSKEY_LOGIN, None)
    await firestore.commit(write)
    return ceremonies.login_options(relying_party(), _bytes(challenge))


async def login(credential: dict[str, Any]) -> Tokens:
    """Signs in the owner of a passkey.

    Raises TokenRefused for a challenge that is used or old, InvalidCredentials for a passkey that is not ours, does
    not verify, or has a counter that goes backwards.
    """
    from shared.services import ceremonies

    challenge = await _used(Purpose.PASSKEY_LOGIN, credential)
    passkey = await _passkey_of(credential)
    party = relying_party()
    count = ceremonies.verified_login(credential, _bytes(challenge), party.id, party.origins, passkey)
    # Two uses of one counter value: only one of them finds the version it read.
    await firestore.commit(passkeys.change(passkey, {"sign_count": count, "last_used_at": now()}))
    return await accounts.sign_in(lambda: identity.sign_in_as(passkey.user_id))


async def _passkey_of(credential: dict[str, Any]) -> Passkey:
    from shared.services import ceremonies

    credential_id, handle = ceremonies.owner_of(credential)
    found = await passkeys.get(passkeys.id_of(credential_id))
    if found is None or (handle and handle != found.user_id.encode()):
        raise errors.InvalidCredentials("This passkey is not known.")
    return found


# --- what both share


async def _used(purpose: Purpose, credential: dict[str, Any], caller: Caller | None = None) -> str:
    """The challenge that a credential signed, used up whether or not the rest is right."""
    from shared.services import ceremonies

    challenge = ceremonies.challenge_of(credential)
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
