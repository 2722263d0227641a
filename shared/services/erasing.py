"""Removes what belongs to records that are being erased, as the table in `belongings` says.

Each step is a task that removes a bounded part, from the leaves upwards, objects before the documents that name them.
What is left to do is what is still there, so a step that is killed, or comes twice, is done again and ends in the same
place.

Nothing here is permanent: whatever fails is raised and the queue tries again.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared import logs
from shared.cloud import identity
from shared.models.audit import Action
from shared.models.erasures import Erasure, ErasureStep, Root
from shared.models.records import Record
from shared.services import audit, erasures, members
from shared.services.belongings import APART, FAMILIES, Family
from shared.store import erasures as stored
from shared.store import firestore, objects, projects
from shared.store.firestore import Write

AT_ONCE = 400
"""Documents that one step removes, in one commit."""
CONCURRENCY = 16
"""Folders of the bucket that are emptied at a time."""

T = TypeVar("T")

_log = logs.logger(__name__)


async def step(asked: ErasureStep) -> None:
    """Removes the next part of what belongs to the roots of an erasure, at most `AT_ONCE` documents."""
    erasure = await stored.get(asked.erasure_id)
    if erasure is None:
        return
    if erasure.step != asked.step:
        await erasures.go_on(erasure)  # this step is done; the next one may have been lost on the way
        return
    family, batch = FAMILIES[erasure.collection], _Batch()
    is_last = await _gather(batch, family, [root.id for root in erasure.roots])
    if is_last:
        batch.note(family, erasure.roots, [name for root in erasure.roots for name in root.objects])
    removed = await _remove_elsewhere(batch)
    done = erasure.model_copy(
        update={
            "step": erasure.step + 1,
            "records": erasure.records + len(batch.paths),
            "objects": erasure.objects + removed,
        }
    )
    ending = _ended(erasure, done) if is_last else [_moved(erasure, done)]
    await firestore.commit(*map(stored.remove_at, batch.paths), *ending)
    if is_last:
        _log.info("erased", erasure_id=done.id, collection=done.collection, records=done.records, objects=done.objects)
    else:
        await erasures.go_on(done)


def _moved(erasure: Erasure, done: Erasure) -> Write:
    return stored.change(erasure, done.model_dump(include={"step", "records", "objects"}))


def _ended(erasure: Erasure, done: Erasure) -> list[Write]:
    """The erasure is forgotten, and told of by its count; the ids say what it was."""
    shown: dict[str, Any] = done.model_dump(include={"collection", "records", "objects"})
    shown["ids"] = [root.id for root in done.roots]
    target = done.roots[0].id if len(done.roots) == 1 else done.id
    entry = audit.entry(Action.ERASED, target, by=None, company_id=done.company_id, after=shown)
    return [stored.finish(erasure), entry]


# --- what is to go


@dataclass
class _Batch:
    """What one step removes; what is reached on two ways (of a project, and of a session in it) goes once."""

    paths: dict[str, None] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Documents that it still takes."""
        return AT_ONCE - len(self.paths)

    def add(self, family: Family, records: Sequence[Record]) -> None:
        """These records go, with what they have elsewhere."""
        new = [one for one in records if f"{family.collection}/{one.id}" not in self.paths]
        self.add_paths([f"{family.collection}/{one.id}" for one in new])
        self.note(family, new, [name for one in new for name in family.objects(one)])

    def add_paths(self, paths: Sequence[str]) -> None:
        """These documents go."""
        self.paths |= dict.fromkeys(paths)

    def note(self, family: Family, records: Sequence[Record | Root], names: Sequence[str]) -> None:
        """What records have elsewhere goes."""
        self.objects += names
        self.people += [one.id for one in records] if family.people else []


async def _gather(batch: _Batch, family: Family, owners: Sequence[str]) -> bool:
    """Adds what belongs to these records, and not to another of it; whether that is all there is."""
    for owner in owners:
        for name in family.below:
            batch.add_paths(await stored.below(f"{family.collection}/{owner}/{name}", batch.room))
            if not batch.room:
                return False
    for collection, names in family.owns:
        for some in _in_parts(owners):
            if not await _gather_owned(batch, FAMILIES[collection], names, some):
                return False
    twins = [path for name in family.same_id for path in await stored.existing(name, owners)]
    if len(twins) > batch.room:
        return False
    batch.add_paths(twins)
    return True


async def _gather_owned(batch: _Batch, family: Family, names: str, owners: Sequence[str]) -> bool:
    limit = min(batch.room, erasures.ROOTS)
    if not limit:
        return False
    found = await stored.belonging(family.model, family.collection, names, owners, limit)
    if family.collection in APART:
        for one in found:
            await erasures.begin(family, [one])
        return not found
    for some in [found] if family.is_leaf else _in_parts(found):
        # A record goes when nothing hangs on it any more, in the same commit as the last of that.
        if not await _gather(batch, family, [one.id for one in some]) or len(some) > batch.room:
            return False
        batch.add(family, some)
    return len(found) < limit


def _in_parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), stored.OWNERS_AT_ONCE):
        yield items[start : start + stored.OWNERS_AT_ONCE]


# --- elsewhere


async def _remove_elsewhere(batch: _Batch) -> int:
    """Empties the bucket of what goes, and lets go of people; how many objects were there."""
    gate = asyncio.Semaphore(CONCURRENCY)

    async def emptied(name: str) -> int:
        async with gate:
            return await objects.delete_all(name)

    counts = await asyncio.gather(*map(emptied, batch.objects))
    for user_id in batch.people:
        await _let_go(user_id)
    return sum(counts)


async def _let_go(user_id: str) -> None:
    """Removes somebody's account and memberships; then their address is free."""
    await identity.delete_user(user_id)
    while found := await projects.with_member(user_id, erasures.ROOTS):
        for project in found:
            await firestore.commit(projects.change(project, members.without(project, user_id)))
