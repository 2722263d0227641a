"""Taking in a finished object: who works on it, and how that ends. The common path of all event functions.

An event may come twice, late, out of order, or while another instance works on it. What counts is the asset's record:
the generation that was taken, the lease of whoever works on it, and the state it reached. All writes demand the version
that was read, so of two that meet one wins and the other looks again.

Permanent (recorded on the asset, acknowledged): everything raised as `Unprocessable`. Everything else is raised, so
that Pub/Sub backs off, tries again and in the end dead-letters.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from shared import logs
from shared.errors import StateConflict, Unavailable
from shared.models.assets import (
    ASSET_STEPS,
    OFFERED_AGAIN,
    Asset,
    AssetError,
    AssetState,
    AssetSummary,
    Fault,
    Lease,
    asset_id_in,
    text_fields,
)
from shared.models.events import ObjectFinalized
from shared.models.recognition import Recognition, Unprocessable
from shared.models.records import now
from shared.models.webhooks import Delivery, Event
from shared.services import rollups, spending, webhooks
from shared.store import assets, firestore, objects
from shared.store.firestore import Write

LEASE = timedelta(seconds=60)
"""How long a claim holds without being renewed: what a file waits when the instance that worked on it dies."""
RENEWED_AFTER = 20.0
"""Seconds after which a lease is renewed while the work goes on; most work is done before."""

_log = logs.logger(__name__)


@dataclass
class Claim:
    """An asset that we work on, as we last read or wrote it, and what its object's arrival says of it."""

    asset: Asset
    arrived: Mapping[str, Any] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def write(self, fields: Mapping[str, Any]) -> None:
        """Changes the asset; raises firestore.Conflict when somebody else did since, StateConflict for a wrong step."""
        async with self._one_at_a_time:
            require_step(self.asset, AssetState(fields.get("state", self.asset.state)))
            await self._commit(fields)

    async def end(self, fields: Mapping[str, Any]) -> None:
        """Changes the asset for the last time, and tells whoever follows the project; free where nobody does."""
        async with self._one_at_a_time:
            require_step(self.asset, AssetState(fields["state"]))
            told = await end_messages(self.asset, fields)
            await self._commit(fields, *webhooks.writes(told))
        await rollups.soon(self.asset.project_id)
        await webhooks.send(told)

    async def renew(self) -> None:
        """Makes the lease hold for another `LEASE`, if there still is one."""
        async with self._one_at_a_time:
            if self.asset.lease is not None:
                await self._commit({"lease": _until(self.asset.lease.holder)})

    async def _commit(self, fields: Mapping[str, Any], *also: Write) -> None:
        version = await firestore.commit(assets.change(self.asset, fields), *also)
        before, self.asset = self.asset, changed(self.asset, fields, version)
        if self.asset.uploaded and not before.uploaded:  # once an asset, however often it is claimed: a metric counts
            _log.info("asset_uploaded", kind=before.kind, asset_id=before.id)


def changed(asset: Asset, fields: Mapping[str, Any], version: int) -> Asset:
    """The asset as a change of these fields leaves it."""
    return Asset.model_validate(asset.model_dump() | dict(fields) | {"version": version})


def require_step(asset: Asset, to: AssetState) -> None:
    """Raises StateConflict unless the asset may go to this state."""
    if to is not asset.state and to not in ASSET_STEPS[asset.state]:
        raise StateConflict(f"The {asset.kind} is {asset.state}; it can't become {to}.", details={"state": asset.state})


Work = Callable[[Claim], Awaitable[None]]


async def take_in(event: ObjectFinalized, work: Work) -> None:
    """Brings the asset of a finished object to its end, or as far as `work` does; one read before it.

    Raises whatever is worth another delivery: Unavailable, firestore.Conflict, anything unforeseen.
    """
    asset = await _announced(event)
    if asset is None:
        return
    arrived = {
        "uploaded": True,
        "uploaded_bytes": event.size,
        "uploaded_at": asset.uploaded_at or now(),
        "generation": event.generation,
        "content_md5": event.md5,
    }
    claim = Claim(asset, arrived)

    async def verified(claim: Claim) -> None:
        await _verify(asset, event)
        if asset.settled and asset.state is not AssetState.FAILED:
            # The bytes that it had, brought back from a backup: only their generation is new.
            await claim.write({"generation": event.generation})
        else:
            await work(claim)

    await settle_faults(claim, verified)


async def settle_faults(claim: Claim, work: Work) -> None:
    """Does the work; what is permanent is recorded on the asset and ends here, anything else is raised.

    The lease is given back before that, so that the next delivery need not wait for its end.
    """
    renewal = asyncio.create_task(_renew(claim))
    try:
        await work(claim)
    except Unprocessable as error:
        await claim.end({**claim.arrived, **failure(error.fault, error.message), **spending.given_up(claim.asset)})
        _log.info("asset_failed", asset_id=claim.asset.id, code=error.fault)
    except firestore.Conflict:
        raise
    except Exception:
        await _release(claim)
        raise
    finally:
        renewal.cancel()


async def _renew(claim: Claim) -> None:
    """Keeps the lease for as long as the work takes; without one there is nothing to do."""
    while True:
        await asyncio.sleep(RENEWED_AFTER)
        try:
            await claim.renew()
        except (firestore.Conflict, Unavailable):
            _log.warning("lease_not_renewed", asset_id=claim.asset.id)


def _until(holder: str) -> dict[str, Any]:
    return Lease(holder=holder, until=now() + LEASE).model_dump()


async def _announced(event: ObjectFinalized) -> Asset | None:
    """The asset that the object belongs to, if there is something to do for it.

    None, which acknowledges the event, for: an object that is none of ours; a generation older than the one taken in;
    one that is settled, or that a long operation recognises; a record that is deleted, whose object waits for its
    restoration; one that was cancelled, whose object goes. Raises Unavailable while somebody else holds the lease.
    """
    asset_id = asset_id_in(event.name)
    asset = await assets.get(asset_id) if asset_id else None
    if asset is None or asset.object_name != event.name:
        _log.warning("object_without_record", object=event.name, generation=event.generation)
        return None
    follow(asset)
    if asset.deleted_at is not None:
        return None
    if asset.error and asset.error.code is Fault.CANCELLED:
        await objects.delete(event.name, event.generation)
        return None
    if asset.generation is not None and event.generation < asset.generation:
        return None
    if asset.generation == event.generation and (asset.settled or asset.operation):
        return None
    if asset.lease is not None and asset.lease.until > now():
        raise Unavailable("Another instance works on this object.", retry_after=10)
    return asset


def follow(asset: AssetSummary) -> None:
    """From here on the log speaks with the id of the request that announced the file."""
    if asset.request_id:
        logs.bind(logs.Correlation.taken(asset.request_id, asset.traceparent), asset_id=asset.id)


async def _verify(asset: Asset, event: ObjectFinalized) -> None:
    """Raises Unprocessable when the object is not what the manifest promised.

    Such an object is deleted, so that the right one can come.
    """
    wrong = None
    if event.size != asset.size:
        wrong = Unprocessable(Fault.SIZE_MISMATCH, f"{event.size} bytes came, {asset.size} were promised.")
    elif asset.crc32c and event.crc32c != asset.crc32c:
        wrong = Unprocessable(Fault.CHECKSUM_MISMATCH, "The CRC32C of what came is not the one promised.")
    elif asset.md5 and event.md5 not in (None, asset.md5):  # composed objects have no MD5
        wrong = Unprocessable(Fault.CHECKSUM_MISMATCH, "The MD5 of what came is not the one promised.")
    if wrong is not None:
        await objects.delete(event.name, event.generation)
        raise wrong


async def lease(claim: Claim) -> None:
    """Takes the lease and records the upload, in one write; raises firestore.Conflict when somebody was faster."""
    await claim.write(
        {
            **claim.arrived,
            "state": AssetState.PROCESSING,
            "settled": False,
            "lease": _until(secrets.token_hex(8)),
            "attempts": claim.asset.attempts + 1,
            "at_stake": 0.0,  # an attempt that never came back may have been paid
            "error": None,
        }
    )


async def _release(claim: Claim) -> None:
    if claim.asset.lease is None:
        return
    try:
        await claim.write({"lease": None, **spending.given_up(claim.asset)})
    except (firestore.Conflict, Unavailable):
        _log.warning("lease_not_released", asset_id=claim.asset.id)


async def keep(claim: Claim) -> None:
    """A plain file is at its end when it has come; one write."""
    await claim.end({**claim.arrived, "state": AssetState.UPLOADED, "settled": True, "error": None})


def failure(fault: Fault, message: str) -> dict[str, Any]:
    """The fields of an asset that failed for good. Without the right bytes nothing counts as uploaded."""
    fields = {
        "state": AssetState.FAILED,
        "settled": True,
        "lease": None,
        "operation": None,
        "error": AssetError(code=fault, message=message).model_dump(),
        "processed_at": now(),
    }
    if fault in OFFERED_AGAIN:
        fields |= {"uploaded": False, "uploaded_bytes": 0, "generation": None}
    return fields


async def finish(claim: Claim, found: Recognition) -> None:
    """Keeps the whole result in the bucket and its beginning in the record; one write to each."""
    asset = claim.asset
    await objects.write_json(asset.result_name, found.as_json(asset))
    result = {
        **text_fields(found.text),
        "confidence": found.confidence,
        "language": found.language,
        "pages": len(found.pages) or asset.pages,
        "duration_seconds": found.duration_seconds or asset.duration_seconds,
        "flags": [str(flag) for flag in found.flags],
        "twin_of": None,
    }
    await processed(claim, {**result, **spending.answered(asset, result)})


async def processed(claim: Claim, result: Mapping[str, Any]) -> None:
    """Ends the asset with a result that is in its place in the bucket; one write."""
    asset = claim.asset
    ended = {"state": AssetState.PROCESSED, "settled": True, "lease": None, "operation": None, "processed_at": now()}
    await claim.end({**ended, "result_object": asset.result_name, "machine_revision": None, **result})
    _log.info("asset_processed", asset_id=asset.id, kind=asset.kind, characters=len(claim.asset.text))


async def end_messages(asset: Asset, fields: Mapping[str, Any]) -> list[Delivery]:
    """What webhooks are told when the asset comes to its end by a change of these fields."""
    ended = changed(asset, fields, asset.version)
    event = Event.ASSET_FAILED if ended.state is AssetState.FAILED else Event.ASSET_PROCESSED
    told = {"id", "kind", "project_id", "session_id", "path", "state", "error"}
    return await webhooks.messages(asset.project_id, event, asset, ended.model_dump(mode="json", include=told))
