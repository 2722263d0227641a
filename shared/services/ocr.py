"""Reads documents.

Permanent: content that is not of its type, that Document AI refuses as invalid, an operation that failed. Retried: an
engine, storage or database that is away, quota, deadlines.
"""

from collections.abc import Sequence

from shared.cloud import documentai
from shared.models.assets import Asset, Fault, Flag
from shared.models.events import ObjectFinalized
from shared.models.recognition import Recognition, TooLong, Unprocessable
from shared.services import budgets, content, intake, polling, twins
from shared.services.intake import Claim
from shared.store import objects


async def read(event: ObjectFinalized) -> None:
    """Reads the document that this object is, or starts a long operation that does."""
    await intake.take_in(event, _read)


async def _read(claim: Claim) -> None:
    await intake.lease(claim)
    asset = claim.asset
    generation = asset.generation or 0
    await content.check(asset, generation)
    if await twins.adopt(claim):
        return None
    pages = await content.pages(asset, generation)
    await budgets.spend(claim, pages or 1)
    if pages is not None and pages > documentai.ONLINE_PAGES:
        return await _begin(claim)
    try:
        found = await documentai.read(objects.uri(asset.object_name), asset.content_type, asset.languages)
    except TooLong:
        return await _begin(claim)
    return await intake.finish(claim, found)


async def _begin(claim: Claim) -> None:
    asset = claim.asset
    output = objects.uri(asset.batch_prefix)
    operation = await documentai.begin(objects.uri(asset.object_name), asset.content_type, asset.languages, output)
    await polling.follow(claim, operation)


async def outcome(asset: Asset) -> Recognition | None:
    """What the asset's long operation read; None while it runs. Of one that failed in part the good pages stay."""
    ended = await documentai.outcome(asset.operation or "")
    if ended is None:
        return None
    shards = [documentai.shard(await objects.read_text(name)) for name in await _shards(ended.outputs)]
    found = documentai.recognition(shards)
    if ended.trouble and not found.pages:
        raise Unprocessable(Fault.RECOGNITION_FAILED, f"The document can't be read: {ended.trouble}")
    if ended.trouble:
        return found.model_copy(update={"flags": [*found.flags, Flag.PARTIAL]})
    return found


async def _shards(folders: Sequence[str]) -> list[str]:
    """The objects in these folders, in the order of their pages.

    Not of all that lies below the asset's prefix: an operation that was begun by an instance that could not record it
    any more writes there too.
    """
    names: list[str] = []
    for folder in folders:
        below = await objects.names_below(f"{objects.name_in(folder).rstrip('/')}/")
        names += sorted(below, key=_in_page_order)
    return names


def _in_page_order(name: str) -> tuple[int, str]:
    # Shards are named `...-0.json`, `...-1.json`, ..., `...-10.json`.
    number = name.rpartition("-")[2].removesuffix(".json")
    return (int(number) if number.isdigit() else 0, name)
