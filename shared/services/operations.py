"""Looks at long operations and takes in what came of them; woken by the `operations` queue.

Permanent (recorded on the asset, acknowledged): what the engine refused, and an operation past its deadline. Everything
else is raised, and the queue tries again.
"""

from collections.abc import Awaitable, Callable

from shared.models.assets import Asset, Kind, Recognition
from shared.models.events import OperationPoll
from shared.services import intake, ocr, polling, transcription
from shared.services.intake import Claim
from shared.store import assets, objects

_OUTCOME: dict[Kind, Callable[[Asset], Awaitable[Recognition | None]]] = {
    Kind.DOCUMENT: ocr.outcome,
    Kind.VOICE: transcription.outcome,
}


async def look(poll: OperationPoll) -> None:
    """Takes in the result if there is one, else sees that the operation is looked at again.

    Does nothing when the asset has another operation by now, or none: it was cancelled, deleted, or settled.
    """
    asset = await assets.get(poll.asset_id)
    if asset is None or asset.operation != poll.operation or asset.settled:
        return
    intake.follow(asset)

    async def take_in(claim: Claim) -> None:
        found = await _OUTCOME[asset.kind](asset)
        if found is None:
            return await polling.look_again(asset, poll.attempt + 1)
        await intake.finish(claim, found)
        return await objects.delete_below(asset.batch_prefix)

    await intake.settle_faults(Claim(asset), take_in)
