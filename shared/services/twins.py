"""Identical content in one project is recognised once, where the project allows it."""

from typing import Any

from shared.models.assets import Asset
from shared.services import policies
from shared.services.intake import Claim
from shared.store import assets, objects

_COPIED = {
    "state",
    "settled",
    "text",
    "text_truncated",
    "excerpt",
    "confidence",
    "language",
    "pages",
    "duration_seconds",
    "flags",
}


async def adopt(claim: Claim) -> bool:
    """Gives the asset the result of one with the same bytes in its project; whether there was one.

    The same bytes are the same MD5, size and content type; an object without MD5 (a composed one) has no twin.
    """
    asset = claim.asset
    if asset.content_md5 is None or not (await policies.policy(asset)).recognise_once:
        return False
    twin = await assets.recognised_twin(asset)
    if twin is None or twin.result_object is None:
        return False
    await objects.copy(twin.result_object, asset.result_name)
    await claim.write(_result(twin, asset))
    return True


def _result(twin: Asset, asset: Asset) -> dict[str, Any]:
    found = twin.model_dump(include=_COPIED)
    return {
        **found,
        "result_object": asset.result_name,
        "twin_of": twin.id,
        "lease": None,
        "processed_at": twin.processed_at,
    }
