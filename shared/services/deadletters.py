"""Events that were given up on: recorded on their asset, listed, and replayed by an admin.

Permanent: nothing. Whatever fails here is raised and delivered again.
"""

from typing import Any

from shared import logs
from shared.errors import Forbidden, NotFound, StateConflict
from shared.models.assets import Asset, Fault, asset_id_in
from shared.models.audit import Action
from shared.models.deadletters import DeadLetter, DeadLetterView
from shared.models.events import ObjectFinalized
from shared.models.identity import Caller
from shared.models.records import derived_id, now
from shared.models.webhooks import Delivery
from shared.services import audit, intake, reprocessing, rollups, webhooks
from shared.store import assets, deadletters, firestore, projects

_log = logs.logger(__name__)


async def bury(event: ObjectFinalized) -> None:
    """Keeps the event, and records on its asset that it was given up on, in one commit."""
    asset_id = asset_id_in(event.name)
    asset = await assets.get(asset_id) if asset_id else None
    if asset is not None:
        intake.follow(asset)
        if asset.settled and asset.generation == event.generation:
            return  # a delivery that came late: the work was done after all
    moment = now()
    letter = DeadLetter(
        id=derived_id("dlt", event.bucket, event.name, event.generation),
        created_at=moment,
        updated_at=moment,
        company_id=asset.company_id if asset else None,
        project_id=asset.project_id if asset else None,
        asset_id=asset.id if asset else None,
        event=event,
    )
    writes, told = [deadletters.put(letter)], list[Delivery]()
    if asset is not None:
        fields = _given_up(event)
        told = await intake.end_messages(asset, fields)
        writes += [assets.change(asset, fields), *webhooks.writes(told)]
    await firestore.commit(*writes)
    _log.error("dead_letter", object=event.name, generation=event.generation)
    if asset is not None:
        await rollups.soon(asset.project_id)
        await webhooks.send(told)


def _given_up(event: ObjectFinalized) -> dict[str, Any]:
    message = "The file came, but it could not be processed in many tries. An administrator can replay it."
    return {
        **intake.failure(Fault.GAVE_UP, message),
        "uploaded": True,
        "uploaded_bytes": event.size,
        "generation": event.generation,
    }


async def page(caller: Caller, size: int, after: tuple[Any, ...] | None) -> list[DeadLetter]:
    """Dead letters, newest first: of the company that the caller administers, or all for a super admin."""
    where: list[firestore.Condition] = []
    if not caller.is_super_admin:
        if not caller.administers(caller.company_id or ""):
            raise Forbidden("Dead letters are the business of the company's administrators.")
        where.append(("company_id", "==", caller.company_id))
    return await deadletters.page(where, size, after)


async def replay(caller: Caller, dead_letter_id: str) -> DeadLetter:
    """Has the event delivered again; NotFound for one of another company."""
    letter = await deadletters.get(dead_letter_id)
    if letter is None or not (caller.is_super_admin or caller.administers(letter.company_id or "")):
        raise NotFound("There is no such dead letter.")
    asset: Asset | None = await assets.get(letter.asset_id) if letter.asset_id else None
    project = await projects.get(asset.project_id) if asset is not None else None
    if asset is None or asset.deleted_at is not None or project is None or project.deleted_at is not None:
        raise StateConflict("The asset of this event is gone.")
    replayed = {"replayed_at": now(), "replayed_by": caller.user_id}
    entry = audit.entry(Action.DEAD_LETTER_REPLAYED, letter.id, by=caller, company_id=letter.company_id)
    await reprocessing.again(asset, letter.event, deadletters.change(letter, replayed), entry)
    return letter.model_copy(update=replayed)


def view(letter: DeadLetter) -> DeadLetterView:
    """The dead letter as admins see it."""
    return DeadLetterView(
        **letter.model_dump(include=set(DeadLetterView.model_fields)),
        object_name=letter.event.name,
        generation=letter.event.generation,
    )
