"""Documents, recordings and plain files as people change them: renamed, deleted, brought back.

Each of these is for who uploaded it and may still contribute, and for who manages the project.
"""

from collections.abc import Mapping
from typing import Any

from shared.errors import Forbidden, StateConflict
from shared.models.assets import Asset, AssetChange, AssetState, Kind
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.sessions import SESSION_STEPS
from shared.services import access, assets, changes, cycles, rollups, ticks
from shared.services.changes import Change
from shared.store import assets as stored
from shared.store import sessions


async def update(caller: Caller, kind: Kind, asset_id: str, asked: AssetChange, version: int | None) -> Asset:
    """Changes what was sent, if `version` is current or None; one read and one commit."""
    sent = asked.model_dump(exclude_unset=True)

    async def read() -> Asset:
        asset = await _owned(caller, kind, asset_id)
        if sent.get("cycle_id") not in (None, asset.cycle_id):
            await cycles.of_project(sent["cycle_id"], asset.project_id)
        return asset

    def decide(asset: Asset) -> Mapping[str, Any]:
        moves = "cycle_id" in sent and sent["cycle_id"] != asset.cycle_id
        if moves and asset.session_id is not None:
            raise StateConflict("A file of a session has the cycle of its session.", details={"state": asset.state})
        return sent

    return await changes.make(Change(caller, Action.ASSET_CHANGED, version), read, decide, stored.change)


async def delete(caller: Caller, kind: Kind, asset_id: str, version: int | None) -> None:
    """Hides an asset for 30 days, then it is erased. Its session, if it has one, is counted without it."""

    async def read() -> Asset:
        return await _owned(caller, kind, asset_id)

    change = Change(caller, Action.ASSET_DELETED, version)
    asset = await changes.make(change, read, changes.deletion, stored.change)
    await _counted(asset)


async def restore(caller: Caller, kind: Kind, asset_id: str, version: int | None) -> Asset:
    """Brings a deleted asset back. What came meanwhile, or was being recognised, goes on where it stopped.

    Raises StateConflict for one that was deleted with its session, and for one that never came to a session that has
    ended.
    """

    async def read() -> Asset:
        asset = await _owned(caller, kind, asset_id, deleted=True)
        await _require_place(asset)
        # Before the commit, or whoever dies between the two leaves the deletion in the books.
        await rollups.again(asset.project_id, [asset.deleted_at])
        return asset

    change = Change(caller, Action.ASSET_RESTORED, version)
    asset = await changes.make(change, read, changes.restoration, stored.change)
    await _counted(asset)
    return asset


async def _owned(caller: Caller, kind: Kind, asset_id: str, *, deleted: bool = False) -> Asset:
    asset, found = await assets.find(caller, kind, asset_id, Permission.READ, deleted=deleted)
    mine = asset.uploader_id == caller.user_id
    needed = Permission.CONTRIBUTE if mine else Permission.MANAGE
    if needed not in access.PERMISSIONS[found.role]:
        raise Forbidden(f"Who uploaded this {kind} may do this while they contribute, and who manages the project.")
    return asset


async def _require_place(asset: Asset) -> None:
    """Raises StateConflict unless there is a place for the asset to come back to; one read if it has a session."""
    if asset.session_id is None:
        return
    session = await sessions.get(asset.session_id)
    if session is None or session.deleted_at is not None or asset.deleted_with is not None:
        raise StateConflict(
            "It was deleted with its session, and comes back with it.", details={"session_id": asset.session_id}
        )
    if asset.state is AssetState.PENDING and not SESSION_STEPS[session.status]:
        raise StateConflict(
            f"This file never came, and its session is {session.status}.", details={"state": session.status}
        )


async def _counted(asset: Asset) -> None:
    """Has the asset's session and project counted again."""
    if asset.session_id is not None:
        await ticks.soon(asset.session_id)
    await rollups.soon(asset.project_id)
