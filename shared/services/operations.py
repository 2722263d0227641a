"""Looks at long operations and takes in what came of them; woken by the `operations` queue.

Permanent (recorded on the asset, acknowledged): what the engine refused, an operation past its deadline, and one that
the engine itself broke off as often as `ATTEMPTS`; before that it is begun again. Everything else is raised, and the
queue tries again.
"""

from collections.abc import Awaitable, Callable

from shared import logs
from shared.models.assets import Asset, Fault, Kind
from shared.models.events import OperationPoll
from shared.models.recognition import Interrupted, Recognition, Unprocessable
from shared.services import intake, ocr, polling, reprocessing, transcription
from shared.services.intake import Claim
from shared.store import assets, objects

ATTEMPTS = 10
"""Claims of an asset after which an operation that broke off is not begun again."""

_log = logs.logger(__name__)

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
        try:
            found = await _OUTCOME[asset.kind](asset)
        except Interrupted as error:
            return await _begin_again(asset, error)
        if found is None:
            return await polling.look_again(asset, poll.attempt + 1)
        await intake.finish(claim, found)
        return await objects.delete_below(asset.batch_prefix)

    await intake.settle_faults(Claim(asset), take_in)


async def _begin_again(asset: Asset, error: Interrupted) -> None:
    if asset.attempts >= ATTEMPTS:
        raise Unprocessable(Fault.RECOGNITION_FAILED, str(error)) from error
    _log.warning("operation_begun_again", asset_id=asset.id, attempts=asset.attempts, reason=str(error))
    await reprocessing.again(asset, await objects.description(asset.object_name))
