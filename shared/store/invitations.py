"""Invitations to projects."""

from collections.abc import Mapping
from typing import Any

from shared.models.invitations import Invitation
from shared.models.records import derived_id
from shared.store import firestore
from shared.store.firestore import Query, Write

INVITATIONS = "invitations"


def id_of(project_id: str, email: str) -> str:
    """The id of the one invitation that a project can have for an address."""
    return derived_id("inv", project_id, email.lower())


async def get(invitation_id: str) -> Invitation | None:
    """An invitation, withdrawn or not; one read."""
    return await firestore.get(Invitation, f"{INVITATIONS}/{invitation_id}")


async def with_token(token_hash: str) -> Invitation | None:
    """The invitation whose last mail holds the token of this hash; one read."""
    found = await firestore.query(Invitation, Query(INVITATIONS, where=(("token_hash", "==", token_hash),), limit=1))
    return found[0] if found else None


async def of_project(project_id: str, limit: int, after: tuple[Any, ...] | None) -> list[Invitation]:
    """Invitations of a project that were not withdrawn, newest first."""
    where: tuple[firestore.Condition, ...] = (("project_id", "==", project_id), ("deleted_at", "==", None))
    asked = Query(INVITATIONS, where=where, order=("-created_at",), limit=limit, start_after=after)
    return await firestore.query(Invitation, asked)


def put(invitation: Invitation) -> Write:
    """Writes an invitation over the one that the address may have had."""
    return firestore.replace(INVITATIONS, invitation)


def change(invitation: Invitation, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of an invitation."""
    return firestore.change(INVITATIONS, invitation, fields)
