"""Assets, in one collection whatever their kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from shared.models.assets import Asset, AssetState, AssetSummary, Kind
from shared.store import firestore
from shared.store.firestore import Condition, Query, Totals, Write
from shared.store.listing import DELETED

ASSETS = "assets"
SUMMARY = tuple(AssetSummary.model_fields.keys() - {"id", "version"})
"""The fields of an asset without its text."""
_ADDED_UP = ("uploaded", "settled")
"""Stored as 0 or 1, so that one aggregation counts them all: Firestore adds up numbers and nothing else."""


async def get(asset_id: str) -> Asset | None:
    """An asset with its text, deleted or not; one read."""
    return await firestore.get(Asset, f"{ASSETS}/{asset_id}")


async def existing(asset_ids: Sequence[str]) -> dict[str, Asset]:
    """Those of the assets that are there, by id; one read for each asked."""
    return await firestore.get_many(Asset, [f"{ASSETS}/{asset_id}" for asset_id in asset_ids])


async def summaries(asset_ids: Sequence[str]) -> dict[str, AssetSummary]:
    """Those of the assets that are there, by id, without their text; one read for each asked."""
    paths = [f"{ASSETS}/{asset_id}" for asset_id in asset_ids]
    return await firestore.get_many(AssetSummary, paths, select=SUMMARY)


async def page(
    where: Sequence[Condition], limit: int, after: tuple[Any, ...] | None, *, deleted: bool = False
) -> list[AssetSummary]:
    """Living assets without their text, newest first; or those deleted by themselves, latest first. One read for each.

    What was deleted with its session comes back with it, and is not among them.
    """
    living: Condition = ("deleted_at", "==", None)
    alone: Condition = ("deleted_with", "==", None)
    asked = Query(
        ASSETS,
        where=(*where, alone, DELETED) if deleted else (*where, living),
        order=("-deleted_at",) if deleted else ("-created_at",),
        limit=limit,
        start_after=after,
        select=SUMMARY,
    )
    return await firestore.query(AssetSummary, asked)


async def in_state(session_id: str, state: AssetState, limit: int) -> list[AssetSummary]:
    """Living assets of a session that are in this state, at most `limit`."""
    where: tuple[Condition, ...] = (*_of_session(session_id), ("state", "==", state))
    return await firestore.query(AssetSummary, Query(ASSETS, where=where, limit=limit, select=SUMMARY))


async def living(session_id: str, limit: int) -> list[AssetSummary]:
    """Living assets of a session, at most `limit`; one read for each."""
    asked = Query(ASSETS, where=_of_session(session_id), limit=limit, select=SUMMARY)
    return await firestore.query(AssetSummary, asked)


async def deleted_with(session_id: str, limit: int) -> list[AssetSummary]:
    """Assets that were deleted with their session, at most `limit`; one read for each."""
    where: tuple[Condition, ...] = (("deleted_with", "==", session_id),)
    return await firestore.query(AssetSummary, Query(ASSETS, where=where, limit=limit, select=SUMMARY))


async def unsettled(before: datetime, limit: int, after: tuple[Any, ...] | None = None) -> list[AssetSummary]:
    """Living assets that are not at their end and were last written before this moment, the oldest first."""
    where: tuple[Condition, ...] = (("settled", "==", 0), ("deleted_at", "==", None), ("updated_at", "<", before))
    asked = Query(ASSETS, where=where, order=("updated_at",), limit=limit, start_after=after, select=SUMMARY)
    return await firestore.query(AssetSummary, asked)


async def total(session_id: str) -> Totals:
    """All living assets of a session at one instant: count, and sums of `size`, `uploaded_bytes`, `uploaded` and
    `settled`; one read for each 1,000."""
    asked = Query(ASSETS, where=_of_session(session_id), timeout=firestore.UNHURRIED)
    return await firestore.totals(asked, sums=("size", "uploaded_bytes", *_ADDED_UP))


async def failed(session_id: str) -> int:
    """How many living assets of a session failed; one read for each 1,000."""
    return await _number(session_id, ("state", "==", AssetState.FAILED))


async def under_way(session_id: str) -> int:
    """How many living assets of a session came and are not at their end; one read for each 1,000."""
    return await _number(session_id, ("uploaded", "==", 1), ("settled", "==", 0))


async def _number(session_id: str, *those: Condition) -> int:
    where: tuple[Condition, ...] = (*_of_session(session_id), *those)
    return (await firestore.totals(Query(ASSETS, where=where, timeout=firestore.UNHURRIED))).count


async def spent_since(moment: datetime, owner: tuple[str, str], kind: Kind) -> float:
    """The sum of what was spent since this moment; one read for each 1,000 assets.

    `owner` is a field and its value, `project_id` or `company_id`. Deleted assets count: they were paid for.
    """
    field, value = owner
    where: tuple[Condition, ...] = ((field, "==", value), ("kind", "==", kind), ("spent_at", ">=", moment))
    return (await firestore.totals(Query(ASSETS, where=where), sums=("spent",))).sums["spent"]


async def recognised_twin(asset: AssetSummary) -> Asset | None:
    """A living asset of the same project with the same bytes that was itself recognised; one read, if there is one."""
    where: tuple[Condition, ...] = (
        ("project_id", "==", asset.project_id),
        ("content_md5", "==", asset.content_md5),
        ("size", "==", asset.size),
        ("content_type", "==", asset.content_type),
        ("state", "==", AssetState.PROCESSED),
        ("twin_of", "==", None),
        ("deleted_at", "==", None),
    )
    found = await firestore.query(Asset, Query(ASSETS, where=where, limit=1))
    return found[0] if found else None


def _of_session(session_id: str) -> tuple[Condition, ...]:
    return (("session_id", "==", session_id), ("deleted_at", "==", None))


def of_kind(project_id: str, kind: Kind) -> list[Condition]:
    """The conditions that a list of one kind in one project starts from."""
    return [("project_id", "==", project_id), ("kind", "==", kind)]


def create(asset: Asset) -> Write:
    """Writes a new asset."""
    return _countable(firestore.create(ASSETS, asset))


def change(asset: AssetSummary, fields: Mapping[str, Any]) -> Write:
    """Changes some fields of an asset, if it still is the version that was read."""
    return _countable(firestore.change(ASSETS, asset, fields))


def _countable(write: Write) -> Write:
    fields = write.fields or {}
    return replace(write, fields={**fields, **{name: int(fields[name]) for name in _ADDED_UP if name in fields}})
