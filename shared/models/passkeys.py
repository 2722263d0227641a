"""Passkeys: credentials of WebAuthn (https://www.w3.org/TR/webauthn-3/)."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from shared.models.records import Asked, Frozen, Moment, Name, Record


@dataclass(frozen=True)
class RelyingParty:
    """Who a passkey is for: a domain, and the origins whose pages may ask for it."""

    id: str
    origins: tuple[str, ...]
    name: str = "Alta"


class Passkey(Record):
    """A passkey of a user; its id is derived from the credential id."""

    user_id: str
    name: str
    credential_id: bytes
    public_key: bytes
    """COSE key."""
    sign_count: int
    """As the authenticator counts; one that goes backwards is a copy. Zero: it does not count."""
    backed_up: bool
    """Whether it is synchronised between devices."""
    transports: list[str] = []
    last_used_at: Moment | None = None


class PasskeyOptions(Frozen):
    """What the browser's `navigator.credentials` takes as `publicKey`, in the JSON form of WebAuthn level 3."""

    publicKey: dict[str, Any]  # noqa: N815  # the name that the browser's API has


class PasskeyCredential(Asked):
    """What the browser answers, `credential.toJSON()`; `name` is what a new passkey is to be called."""

    credential: Annotated[dict[str, Any], Field(max_length=20)]
    name: Name = "Passkey"


class PasskeyProof(Asked):
    """What the browser answers to a sign-in, `credential.toJSON()`."""

    credential: Annotated[dict[str, Any], Field(max_length=20)]


class PasskeyChange(Asked):
    """What a passkey is to be called."""

    name: Name


class PasskeyView(Frozen):
    """A passkey as its owner sees it."""

    id: str
    name: str
    backed_up: bool
    created_at: Moment
    last_used_at: Moment | None
