"""Correction: people write what a text should be; every revision is kept, the machine's too.

Whoever contributes or reviews may correct, reviewers alone while it is before them, and nobody what is approved: that
is sent back first. Approvals are of a text, so a correction ends those that were given before it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.errors import NotFound
from shared.models.assets import Asset, Kind, text_fields
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.models.review import Step
from shared.models.revisions import NewText, Revision, RevisionItem, RevisionSummary, RevisionView, TextChange, TextView
from shared.services import assets, differences, review, texts
from shared.services.access import Access
from shared.services.review import Outcome, Said
from shared.store import objects, revisions


async def text(caller: Caller, kind: Kind, asset_id: str) -> tuple[TextView, int]:
    """The whole text as it is now, and the version of the asset."""
    asset = await assets.get(caller, kind, asset_id)
    view = TextView(
        text=await texts.current(asset), revision=asset.revision, corrected=asset.machine_revision is not None
    )
    return view, asset.version


async def correct(caller: Caller, kind: Kind, asset_id: str, asked: NewText, version: int | None) -> Asset:
    """The asset with this text: a new revision, unless it is what the text was already.

    The first correction keeps the machine's text as a revision too. A read, a commit, and for a long text an object.
    """
    said = Said(caller, Step.CORRECT, asked.comment, version=version)

    async def decide(asset: Asset, found: Access) -> Outcome | None:
        if asset.kind is not kind:
            raise NotFound(f"There is no such {kind}.")
        review.require_editor(caller, asset, found)
        before = await texts.current(asset)
        return None if asked.text == before else await _corrected(said, asset, before, asked.text)

    return await review.take_step(said, asset_id, Permission.READ, decide)


async def restore(caller: Caller, kind: Kind, asset_id: str, number: int, version: int | None) -> Asset:
    """The asset with the text of an earlier revision, as a new revision."""
    asset = await assets.get(caller, kind, asset_id)
    earlier = await texts.of_revision(await texts.revision(asset, number))
    return await correct(caller, kind, asset_id, NewText(text=earlier, comment=f"As in revision {number}."), version)


async def _corrected(said: Said, asset: Asset, before: str, after: str) -> Outcome:
    changes = await asyncio.to_thread(differences.between, before, after)
    made = []
    machine = asset.machine_revision
    if machine is None:
        machine = asset.revision + 1
        made.append(await _revision(asset, machine, before))
    made.append(await _revision(asset, max(machine, asset.revision) + 1, after, said, changes))
    fields = {**text_fields(after), "revision": made[-1].number, "machine_revision": machine}
    stands = asset.review.model_copy(update={"approved_by": []})
    return Outcome(stands, fields, tuple(revisions.append(one) for one in made))


async def _revision(
    asset: Asset, number: int, text: str, said: Said | None = None, changes: Sequence[TextChange] = ()
) -> Revision:
    """The record of a revision, the machine's if nobody said it; a long text is put into the bucket first."""
    moment = now()
    kept = differences.kept(changes)
    fields = text_fields(text)
    # A name of its own, so that of two who correct at once neither writes over the other's text.
    name = f"{asset.revisions_prefix}{new_id('txt')}.json" if fields["text_truncated"] else None
    if name is not None:
        await objects.write_json(name, {"text": text})
    return Revision(
        id=revisions.revision_id(number),
        created_at=moment,
        updated_at=moment,
        company_id=asset.company_id,
        project_id=asset.project_id,
        asset_id=asset.id,
        number=number,
        author_id=said.caller.user_id if said else None,
        comment=said.comment if said else None,
        characters=len(text),
        diff=kept,
        diff_truncated=len(kept) < len(changes),
        text=fields["text"],
        text_object=name,
    )


async def page(
    caller: Caller, kind: Kind, asset_id: str, size: int, after: tuple[Any, ...] | None
) -> list[RevisionSummary]:
    """Revisions of a text, the latest first; one read for each. None before the first correction."""
    asset = await assets.get(caller, kind, asset_id)
    return await revisions.page(asset.id, size, after)


async def revision(caller: Caller, kind: Kind, asset_id: str, number: int) -> RevisionView:
    """One revision with its whole text."""
    found = await texts.revision(await assets.get(caller, kind, asset_id), number)
    return RevisionView(**{**found.model_dump(), "text": await texts.of_revision(found)})


def item(found: RevisionSummary) -> RevisionItem:
    """A revision as lists show it."""
    return RevisionItem(**found.model_dump())
