"""Begins to erase what was deleted long ago; `erasing` does the rest.

One commit deletes the records themselves, if they still are as they were read, and writes down that they are being
erased: from then on they are gone for everybody, and whoever restores one at that moment has either come before, and it
stays whole, or too late.
"""

from collections.abc import Sequence

from shared.cloud import tasks
from shared.models.analytics import Scope, Tally
from shared.models.erasures import Erasure, ErasureStep, Root
from shared.models.projects import Project
from shared.models.records import Record, new_id, now
from shared.services.belongings import Family
from shared.store import erasures, firestore, rollups
from shared.store.firestore import Conflict, Write

QUEUE = "erasing"
ROOTS = 100
"""Records that one erasure begins with."""


async def begin(family: Family, records: Sequence[Record]) -> int:
    """Begins to erase deleted records of one company; how many. One that was restored meanwhile is left alone."""
    moment = now()
    erasure = Erasure(
        id=new_id("ers"),
        created_at=moment,
        updated_at=moment,
        company_id=getattr(records[0], "company_id", None),
        collection=family.collection,
        roots=[Root(id=one.id, objects=list(family.objects(one))) for one in records],
        records=len(records),
    )
    closing = [write for one in records if isinstance(one, Project) for write in await _closing(one)]
    removals = [erasures.remove(family.collection, one) for one in records]
    try:
        await firestore.commit(*removals, *closing, erasures.create(erasure))
    except Conflict:
        # All or none: one that somebody changed holds up the others, so each goes by itself.
        return sum([await begin(family, [one]) for one in records]) if len(records) > 1 else 0
    await go_on(erasure)
    return len(records)


async def _closing(project: Project) -> list[Write]:
    """Takes what a project holds off its company's and the platform's books; what happened in it stays there."""
    standing = await rollups.standing(Scope.PROJECT, project.id)
    if not standing:
        return []
    counts, moment = standing[0].counts, now()
    gone = Tally(bytes_deleted=counts.get("bytes", 0))
    return [
        erasures.remove(rollups.STANDINGS, standing[0]),
        *rollups.add_to_standings(project, Tally({measure: -count for measure, count in counts.items() if count})),
        *(rollups.add_hour(project, moment.date(), moment.hour, gone, shared=gone) if +gone else ()),
    ]


async def go_on(erasure: Erasure) -> None:
    """Puts the next step into the queue; a second one of the same number is none."""
    task = ErasureStep(erasure_id=erasure.id, step=erasure.step)
    await tasks.enqueue(QUEUE, task, name=f"erasure:{erasure.id}:{erasure.step}")
