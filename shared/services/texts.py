"""The whole text of a document or recording: in its record, or in the bucket when it is long."""

import json

from shared.errors import NotFound
from shared.models.assets import Asset
from shared.models.revisions import Revision
from shared.store import objects, revisions


async def current(asset: Asset) -> str:
    """The text as it is now; a read of the bucket when it is long."""
    if not asset.text_truncated:
        return asset.text
    if asset.machine_revision is None:
        return await _of_result(asset)
    return await of_revision(await revision(asset, asset.revision))


async def machine(asset: Asset) -> str:
    """The text as the machine read or heard it, whatever people made of it since."""
    if asset.machine_revision is None:
        return await current(asset)
    return await of_revision(await revision(asset, asset.machine_revision))


async def revision(asset: Asset, number: int) -> Revision:
    """One revision of the asset's text; NotFound when there is none of this number."""
    found = await revisions.get(asset.id, number)
    if found is None:
        raise NotFound("There is no such revision.")
    return found


async def of_revision(found: Revision) -> str:
    """The whole text of a revision."""
    return found.text if found.text_object is None else await _read(found.text_object)


async def _of_result(asset: Asset) -> str:
    return await _read(asset.result_object or asset.result_name)


async def _read(object_name: str) -> str:
    return str(json.loads(await objects.read_text(object_name))["text"])
