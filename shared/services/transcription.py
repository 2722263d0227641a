"""Transcribes voice recordings.

Permanent: content that is not of its type, that Speech-to-Text can't decode, a recording in which nobody speaks, an
operation that failed. Retried: an engine, storage or database that is away, quota, deadlines.
"""

from shared.cloud import speech
from shared.models.assets import Asset, Fault
from shared.models.events import ObjectFinalized
from shared.models.recognition import Recognition, TooLong, Unprocessable
from shared.services import budgets, content, intake, polling, twins
from shared.services.intake import Claim
from shared.store import objects


async def transcribe(event: ObjectFinalized) -> None:
    """Transcribes the recording that this object is, or starts a long operation that does."""
    await intake.take_in(event, _transcribe)


async def _transcribe(claim: Claim) -> None:
    await intake.lease(claim)
    asset = claim.asset
    generation = asset.generation or 0
    await content.check(asset, generation)
    if await twins.adopt(claim):
        return None
    seconds = await content.seconds(asset, generation)
    await budgets.spend(claim, seconds or 0.0)
    if seconds is not None and seconds > speech.ONLINE_SECONDS:
        return await _begin(claim)
    try:
        found = await speech.transcribe(objects.uri(asset.object_name), asset.languages)
    except TooLong:
        return await _begin(claim)
    return await intake.finish(claim, _spoken(found, seconds))


async def _begin(claim: Claim) -> None:
    asset = claim.asset
    output = objects.uri(asset.batch_prefix)
    operation = await speech.begin(objects.uri(asset.object_name), asset.languages, output)
    await polling.follow(claim, operation)


async def outcome(asset: Asset) -> Recognition | None:
    """What the asset's long operation heard; None while it runs."""
    uri = await speech.outcome(asset.operation or "")
    if uri is None:
        return None
    return _spoken(speech.transcript(await objects.read_text(objects.name_in(uri))), None)


def _spoken(found: Recognition, seconds: float | None) -> Recognition:
    """The transcript, with the exact length where the header tells it; Unprocessable when nothing was said."""
    if not found.text:
        raise Unprocessable(Fault.NO_SPEECH, "Nobody speaks in this recording.")
    return found.model_copy(update={"duration_seconds": seconds}) if seconds else found
