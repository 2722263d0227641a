"""Recognising an asset again: after it was given up on, or because somebody wants it."""

from shared.cloud import pubsub
from shared.errors import StateConflict
from shared.models.assets import Asset, AssetState, Kind
from shared.models.audit import Action
from shared.models.events import ObjectFinalized
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.review import ReviewState
from shared.services import access, audit, intake, spending, ticks
from shared.store import assets, firestore, objects
from shared.store.firestore import Write

_UNDER_REVIEW = frozenset({ReviewState.SUBMITTED, ReviewState.APPROVED})
"""What people decide on, or have decided on, is not changed under their hands."""


async def request(caller: Caller, asset: Asset) -> Asset:
    """Has a settled asset recognised again, from the bytes that are in the bucket; one commit and one event."""
    await access.project(caller, asset.project_id, Permission.CONTRIBUTE)
    _require_free(asset)  # before the bucket is asked
    if not asset.uploaded or not asset.settled or asset.kind is Kind.FILE:
        raise StateConflict(f"The {asset.kind} is {asset.state}.", details={"state": asset.state})
    entry = audit.entry(Action.ASSET_REPROCESSED, asset.id, by=caller, company_id=asset.company_id)
    return await again(asset, await objects.description(asset.object_name), entry)


async def again(asset: Asset, event: ObjectFinalized, *also: Write) -> Asset:
    """Lets go of how the asset ended and has its event delivered again; `also` is written in the same commit.

    Raises StateConflict for what people decide on, or have decided on.
    """
    intake.require_step(asset, AssetState.UPLOADED)
    _require_free(asset)
    fields = {"state": AssetState.UPLOADED, "settled": False, "error": None, "lease": None, "operation": None}
    fields |= spending.given_up(asset)  # by an attempt that is still under way
    version = await firestore.commit(assets.change(asset, fields), *also)
    if asset.session_id is not None:
        await ticks.soon(asset.session_id)  # which may have ended, and counted the asset as it was
    await pubsub.notify(asset.kind.prefix, event.model_dump(by_alias=True))
    return asset.model_copy(update={**fields, "version": version})


def _require_free(asset: Asset) -> None:
    state = asset.review.state
    if asset.settled and state in _UNDER_REVIEW:
        raise StateConflict(f"The review of this {asset.kind} is at {state}.", details={"state": state})
