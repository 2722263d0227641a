"""Revisions of texts, below the asset they belong to: append only."""

from typing import Any

from shared.models.revisions import Revision, RevisionSummary
from shared.store import firestore
from shared.store.assets import ASSETS
from shared.store.firestore import Query, Write

REVISIONS = "revisions"
_SUMMARY = tuple(RevisionSummary.model_fields.keys() - {"id", "version"})


def revision_id(number: int) -> str:
    """The id of a revision, in the order of their numbers."""
    return f"{number:06d}"


async def get(asset_id: str, number: int) -> Revision | None:
    """One revision with its text; one read."""
    return await firestore.get(Revision, f"{_below(asset_id)}/{revision_id(number)}")


async def page(asset_id: str, limit: int, after: tuple[Any, ...] | None) -> list[RevisionSummary]:
    """Revisions without their text, the latest first; one read for each."""
    asked = Query(_below(asset_id), order=("-number",), limit=limit, start_after=after, select=_SUMMARY)
    return await firestore.query(RevisionSummary, asked)


def append(revision: Revision) -> Write:
    """Writes a revision; there is no verb that changes or deletes one."""
    return firestore.create(_below(revision.asset_id), revision)


def _below(asset_id: str) -> str:
    return f"{ASSETS}/{asset_id}/{REVISIONS}"
