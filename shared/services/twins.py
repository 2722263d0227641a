"""Identical content in one project is recognised once, where the project allows it."""

from shared.models.assets import text_fields
from shared.services import intake, policies, texts
from shared.services.intake import Claim
from shared.store import assets, objects

_COPIED = {"confidence", "language", "pages", "duration_seconds", "flags"}


async def adopt(claim: Claim) -> bool:
    """Gives the asset the result of one with the same bytes in its project; whether there was one.

    The same bytes are the same MD5, size and content type; an object without MD5 (a composed one) has no twin. What has
    a result is here again because somebody wants another one: it is not given that of a twin.
    """
    asset = claim.asset
    if asset.result_object is not None or asset.content_md5 is None:
        return False
    if not (await policies.policy(asset)).recognise_once:
        return False
    twin = await assets.recognised_twin(asset)
    if twin is None or twin.result_object is None:
        return False
    await objects.copy(twin.result_object, asset.result_name)
    # What people corrected is theirs to say of their own document; the machine's text is that of both.
    text = text_fields(await texts.machine(twin))
    await intake.processed(claim, {**twin.model_dump(include=_COPIED), **text, "twin_of": twin.id})
    return True
