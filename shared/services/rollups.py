"""Roll-ups: what happens to assets, counted once a minute at most, from the assets themselves.

Nothing is written for a single file. Whoever changes an asset calls `soon`, which puts at most one task a minute and
project into the queue. The task reads what happened since the last count, by the times that the assets carry, and adds
it in one commit to the days of the project, its company, the platform and the people; that commit also moves the mark
up to which the project is counted, so that nothing is counted twice. What was changed or lost behind the mark (a second
decision, a deleted record, a clock that was slow) is put right when the day is counted again: the difference is added.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from cachetools import TTLCache

from shared import logs
from shared.cloud import tasks
from shared.errors import Unavailable
from shared.models.analytics import Measured, RollupTask, Scope, Standing, Tally
from shared.models.projects import Project
from shared.models.records import now
from shared.services import tallies
from shared.store import firestore, projects, rollups
from shared.store.firestore import Write

QUEUE = "rollups"
INTERVAL = 60
"""Seconds between two counts of a project in which something happens."""
LAG = timedelta(seconds=15)
"""A time is stamped before its commit, which may take ten seconds: what is younger is left to the next count."""
HOURS_AT_ONCE = 48
"""Hours with events that one task counts; the next task goes on."""
RECOUNTED_DAYS = 3
"""Days that are counted again each night."""
_ATTEMPTS = 5
_HOUR = timedelta(hours=1)

_log = logs.logger(__name__)
_told: TTLCache[str, bool] = TTLCache(maxsize=10_000, ttl=INTERVAL)


@dataclass(frozen=True)
class Stream:
    """Something that happens to assets: the field that says when, what it counts as, and whose doing it is."""

    field: str
    tally: Callable[[Measured], Tally]
    person: Callable[[Measured], str | None]


STREAMS = (
    Stream("uploaded_at", tallies.uploads, lambda asset: asset.uploader_id),
    Stream("processed_at", tallies.results, lambda asset: asset.uploader_id),
    Stream("review.decided_at", tallies.decisions, lambda asset: asset.review.decided_by),
    Stream("deleted_at", tallies.deletions, lambda _: None),
)


@dataclass
class Hour:
    """What happened in an hour of a project, and to whose files or by whose decision."""

    tally: Tally = field(default_factory=Tally)
    people: dict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    @property
    def whole(self) -> Tally:
        """All measures of the hour, those that name people too."""
        return self.tally + tallies.of_people(self.people)


async def soon(project_id: str) -> None:
    """Has a project counted in a minute or two; free when it was asked for a moment ago. Never fails."""
    if project_id in _told:
        return
    _told[project_id] = True
    try:
        await _enqueue(project_id)
    except Unavailable:
        _log.warning("rollup_not_enqueued", project_id=project_id)  # the nightly count finds it


async def _enqueue(project_id: str) -> None:
    # Whoever asks within INTERVAL after the first is covered: the count looks at all that is LAG old when it runs.
    due = math.ceil(now().timestamp() / INTERVAL + 1) * INTERVAL
    at = datetime.fromtimestamp(due, tz=UTC) + LAG
    await tasks.enqueue(QUEUE, RollupTask(project_id=project_id), name=f"rollup:{project_id}:{due}", at=at)


async def count(asked: RollupTask) -> None:
    """Counts a project, or a day of it again. Whatever fails is raised, and the queue tries again."""
    project = await projects.get(asked.project_id)
    if project is None:
        return
    if asked.day is not None:
        await recount(project, asked.day)
        return
    if await fold(project):
        await _enqueue(project.id)


async def fold(project: Project) -> bool:
    """Adds what happened since the last count; whether there may be more soon.

    Reads: five and 18 aggregations, and for each hour with events four and one for each event.
    """
    horizon = now() - LAG
    found = await rollups.standing(Scope.PROJECT, project.id)
    standing = found[0] if found else _none(project)
    for hours in range(HOURS_AT_ONCE):
        since = standing.folded_until or project.created_at
        began = await _first(project.id, since, horizon)
        if began is None:
            await _advance(project, standing, horizon)
            return hours > 0 or _works(standing)
        start = began.replace(minute=0, second=0, microsecond=0)
        until = min(start + _HOUR, horizon)
        hour = await _hour(project.id, max(since, start), until)
        moved = standing.model_copy(update={"folded_until": until, "updated_at": now()})
        version = await firestore.commit(rollups.keep_standing(moved), *_added(project, start, hour))
        standing = moved.model_copy(update={"version": version})
    return True


def _none(project: Project) -> Standing:
    moment = now()
    return Standing(
        id=project.id, created_at=moment, updated_at=moment, scope=Scope.PROJECT, company_id=project.company_id
    )


def _works(standing: Standing) -> bool:
    """Whether something is in the works that will end by itself."""
    return any(standing.counts.get(f"{kind}_processing") for kind in ("document", "voice"))


async def _advance(project: Project, standing: Standing, horizon: datetime) -> None:
    """Moves the mark, and tells what there is now."""
    counts = await rollups.present(project.id)
    moved = standing.model_copy(update={"folded_until": horizon, "counts": dict(counts), "updated_at": now()})
    changed = tallies.difference(counts, standing.counts)
    await firestore.commit(rollups.keep_standing(moved), *rollups.add_to_standings(project, changed))
    _log.info("project_counted", project_id=project.id, changed=len(changed))


async def _first(project_id: str, since: datetime, until: datetime) -> datetime | None:
    firsts = [await rollups.first_event(project_id, stream.field, since, until) for stream in STREAMS]
    return min((moment for moment in firsts if moment is not None), default=None)


async def _hour(project_id: str, since: datetime, until: datetime) -> Hour:
    hour = Hour()
    for stream in STREAMS:
        async for page in rollups.events(project_id, stream.field, since, until):
            for asset in page:
                counted = stream.tally(asset)
                hour.tally += counted
                person = stream.person(asset)
                if person is not None and counted:
                    hour.people[person] += counted
    return hour


def _added(project: Project, start: datetime, hour: Hour) -> list[Write]:
    return [
        *rollups.add_hour(project, start.date(), start.hour, hour.whole, shared=hour.tally),
        *(
            rollups.add_hour_of_user(project, user_id, start.date(), start.hour, tally)
            for user_id, tally in hour.people.items()
        ),
    ]


async def recount(project: Project, day: date) -> None:
    """Counts a day again up to the mark, and adds what differs to all roll-ups; without a difference it only reads."""
    for number in range(24):
        start = datetime.combine(day, time(number), UTC)
        for attempt in range(_ATTEMPTS):
            try:
                await _recount_hour(project, start)
                break
            except firestore.Conflict:
                if attempt == _ATTEMPTS - 1:
                    raise


async def _recount_hour(project: Project, start: datetime) -> None:
    # The day is read before the mark: a count that comes between changes the day, and the commit below is refused.
    day, name = start.date(), f"h{start.hour:02}"
    read = await rollups.days(Scope.PROJECT, project.id, [day])
    standing = await rollups.standing(Scope.PROJECT, project.id)
    mark = standing[0].folded_until if standing else None
    if mark is None or mark <= start:
        return
    hour = await _hour(project.id, start, min(start + _HOUR, mark))
    changed = tallies.difference(hour.whole, read[0].hours.get(name, {}) if read else {})
    stored = await rollups.days_of_user([("project_id", "==", project.id)], day, day)
    people = {str(one.user_id): one.hours.get(name, {}) for one in stored}
    writes = _corrections(project, start, changed, hour.people, people)
    if writes:
        await firestore.commit(rollups.unchanged(project, day, read[0] if read else None), *writes)
        _log.info("hour_corrected", project_id=project.id, hour=start.isoformat(), measures=len(changed))


def _corrections(
    project: Project,
    start: datetime,
    changed: Tally,
    people: Mapping[str, Tally],
    stored: Mapping[str, Mapping[str, int]],
) -> list[Write]:
    writes = rollups.add_hour(project, start.date(), start.hour, changed, shared=tallies.without_people(changed))
    for user_id in people.keys() | stored.keys():
        amounts = tallies.difference(people.get(user_id, {}), stored.get(user_id, {}))
        if amounts:
            writes.append(rollups.add_hour_of_user(project, user_id, start.date(), start.hour, amounts))
    return writes


async def recount_all() -> None:
    """Has every living project counted, and its last days counted again; one read and a few tasks for each."""
    today = now().date()
    async for project_id in projects.living():
        for days in range(RECOUNTED_DAYS):
            day = today - timedelta(days=days)
            task = RollupTask(project_id=project_id, day=day)
            await tasks.enqueue(QUEUE, task, name=f"recount:{project_id}:{day}:{today}")
        await tasks.enqueue(QUEUE, RollupTask(project_id=project_id), name=f"rollup:{project_id}:{today}")
