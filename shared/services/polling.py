"""When long operations are looked at: soon at first, then with growing gaps, up to a deadline. Nobody waits for one."""

from datetime import datetime, timedelta

from shared.cloud import tasks
from shared.models.assets import Asset, AssetSummary, Fault
from shared.models.events import OperationPoll
from shared.models.recognition import Unprocessable
from shared.models.records import now
from shared.services.intake import Claim

QUEUE = "operations"
FIRST_GAP = timedelta(seconds=2)
"""Doubles with every look ..."""
LONGEST_GAP = timedelta(minutes=5)
"""... up to this."""
DEADLINE = timedelta(hours=24)
"""How long an operation may take; a dynamic batch of Speech-to-Text may take as long."""


async def follow(claim: Claim, operation: str) -> None:
    """Keeps the name of the operation in place of the lease, and sees that it is looked at."""
    await claim.write({"operation": operation, "operation_began_at": now(), "lease": None})
    await look_again(claim.asset, attempt=0)


async def look_again(asset: Asset, attempt: int) -> None:
    """Puts the next look into the queue; a second one of the same attempt is none.

    Raises Unprocessable when the operation is past its deadline.
    """
    if asset.operation is None or asset.generation is None:
        return
    if now() > _began(asset) + DEADLINE:
        hours = DEADLINE.total_seconds() / 3600
        raise Unprocessable(Fault.RECOGNITION_FAILED, f"The long operation did not end within {hours:.0f} hours.")
    poll = OperationPoll(asset_id=asset.id, generation=asset.generation, operation=asset.operation, attempt=attempt)
    gap = min(FIRST_GAP * 2 ** min(attempt, 20), LONGEST_GAP)
    await tasks.enqueue(QUEUE, poll, name=f"{asset.operation}:{attempt}", at=now() + gap)


async def look_soon(asset: AssetSummary) -> None:
    """Begins the looks anew, for an operation whose look got lost; at most once in `LONGEST_GAP`."""
    if asset.operation is None or asset.generation is None:
        return
    poll = OperationPoll(asset_id=asset.id, generation=asset.generation, operation=asset.operation)
    slot = int(now().timestamp() / LONGEST_GAP.total_seconds())
    await tasks.enqueue(QUEUE, poll, name=f"{asset.operation}:anew:{slot}")


def _began(asset: Asset) -> datetime:
    return asset.operation_began_at or now()
