"""Passkeys."""

from collections.abc import Mapping
from typing import Any

from shared.models.passkeys import Passkey
from shared.models.records import derived_id
from shared.store import firestore
from shared.store.firestore import Query, Write

PASSKEYS = "passkeys"


def id_of(credential_id: bytes) -> str:
    """The id of the passkey that has this credential id."""
    return derived_id("psk", credential_id.hex())


async def get(passkey_id: str) -> Passkey | None:
    """A passkey; one read."""
    return await firestore.get(Passkey, f"{PASSKEYS}/{passkey_id}")


async def of_user(user_id: str, limit: int, after: tuple[Any, ...] | None = None) -> list[Passkey]:
    """A user's passkeys, newest first."""
    where: tuple[firestore.Condition, ...] = (("user_id", "==", user_id),)
    asked = Query(PASSKEYS, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Passkey, asked)


def create(passkey: Passkey) -> Write:
    """Writes a new passkey; the commit conflicts when the credential is registered, to whomever."""
    return firestore.create(PASSKEYS, passkey)


def change(passkey: Passkey, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of a passkey."""
    return firestore.change(PASSKEYS, passkey, fields)


def remove(passkey: Passkey) -> Write:
    """Deletes a passkey for good."""
    return firestore.delete(f"{PASSKEYS}/{passkey.id}")
