"""Roll-ups: what happens to assets, counted once a minute at most, from the assets themselves.

Nothing is written for a single file. Whoever changes an asset calls `soon`, which puts at most one task a minute and
project into the queue. The task reads what happened since the last count, by the times that the assets carry, and adds
it in one commit to the days of the project, its company, the platform and the people; that commit also moves the mark
up to which the project is counted, so that nothing is counted twice. What was changed or lost behind the mark (a second
decision, a deleted record, a clock that was slow) is put right when the day is counted again: the difference is added.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from cachetools import TTLCache

from shared import logs
from shared.cloud import tasks
from shared.errors import Unavailable
from shared.models.analytics import Measured, RollupTask, Scope, Standing, Tally
from shared.models.assets import AssetState, Kind
from shared.models.projects import Project
from shared.models.records import now
from shared.services import tallies
from shared.store import firestore, projects, rollups
from shared.store.firestore import Condition, Write

QUEUE = "rollups"
INTERVAL = 60
"""Seconds between two counts of a project in which something happens."""
LAG = timedelta(seconds=15)
"""A time is stamped before its commit, which may take ten seconds: what is younger is left to the next count."""
STRETCHES_AT_ONCE = 50
"""Stretches, of a page of events each, that one task counts; the next task goes on."""
FILES_A_MINUTE = 10_000
"""What there is of so many files is counted once a minute, of twice as many every other: counting reads an index entry
for each, so that a project costs the same a minute, however large it is."""
RECOUNTED_DAYS = 3
"""Days that are counted again each night."""
_ATTEMPTS = 5
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

_log = logs.logger(__name__)
_told: TTLCache[str, bool] = TTLCache(maxsize=10_000, ttl=INTERVAL)


@dataclass(frozen=True)
class Happening:
    """What can happen to an asset: the field that says when, what it counts as, and whose doing it is."""

    field: str
    tally: Callable[[Measured], Tally]
    person: Callable[[Measured], str | None]


UPLOAD = Happening("uploaded_at", tallies.uploads, lambda asset: asset.uploader_id)
RESULT = Happening("processed_at", tallies.results, lambda asset: asset.uploader_id)
DECISION = Happening("review.decided_at", tallies.decisions, lambda asset: asset.review.decided_by)
DELETION = Happening("deleted_at", tallies.deletions, lambda _: None)


@dataclass(frozen=True)
class Reading:
    """The assets that are read for what happened in a time: by the first of these times, if `also` holds.

    An asset that came and was recognised in the same time is read once for both.
    """

    times: tuple[str, ...]
    happenings: tuple[Happening, ...]
    also: Callable[[datetime], tuple[Condition, ...]] = lambda _: ()


READINGS = (
    Reading(("uploaded_at",), (UPLOAD, RESULT)),
    Reading(("processed_at", "uploaded_at"), (RESULT,), lambda since: (("uploaded_at", "<", since),)),  # came before
    Reading(("processed_at",), (RESULT,), lambda _: (("uploaded_at", "==", None),)),  # failed without having come
    Reading(("review.decided_at",), (DECISION,)),
    Reading(("deleted_at",), (DELETION,)),
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


async def again(project_id: str, undone: Iterable[datetime | None]) -> None:
    """Has the days (UTC) of these moments counted again in a minute or two: what was counted then did not happen."""
    slot = math.ceil(now().timestamp() / INTERVAL + 1) * INTERVAL
    at = datetime.fromtimestamp(slot, tz=UTC)
    for day in sorted({moment.date() for moment in undone if moment is not None}):
        task = RollupTask(project_id=project_id, day=day)
        await tasks.enqueue(QUEUE, task, name=f"again:{project_id}:{day}:{slot}", at=at)


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

    Reads: the project's standing, one for each asset to which something happened (for its upload and its result
    together, if they come in one stretch) and five for each stretch, and at the end 16 aggregations.
    """
    horizon = now() - LAG
    found = await rollups.standing(Scope.PROJECT, project.id)
    standing = found[0] if found else _none(project)
    for stretch in range(STRETCHES_AT_ONCE):
        hours, until = await _stretch(project.id, standing.folded_until or project.created_at, horizon)
        for start in sorted(hours):
            moved = standing.model_copy(update={"folded_until": min(start + _HOUR, until), "updated_at": now()})
            version = await firestore.commit(rollups.keep_standing(moved), *_added(project, start, hours[start]))
            standing = moved.model_copy(update={"version": version})
        if until == horizon:
            return await _advance(project, standing, horizon, moved=stretch > 0 or bool(hours))
        standing = standing.model_copy(update={"folded_until": until})
    await firestore.commit(rollups.keep_standing(standing))
    return True


def _none(project: Project) -> Standing:
    moment = now()
    return Standing(
        id=project.id, created_at=moment, updated_at=moment, scope=Scope.PROJECT, company_id=project.company_id
    )


async def _advance(project: Project, standing: Standing, horizon: datetime, *, moved: bool) -> bool:
    """Moves the mark, and tells what there is now, if it is time; whether there may be more to tell soon."""
    fields = {"folded_until": horizon, "updated_at": now()}
    if not _due(standing):
        await firestore.commit(rollups.keep_standing(standing.model_copy(update=fields)))
        return True
    counts = await rollups.present(project.id)
    told = standing.model_copy(update={**fields, "counts": dict(counts), "counted_at": now()})
    changed = tallies.difference(counts, standing.counts)
    await firestore.commit(rollups.keep_standing(told), *rollups.add_to_standings(project, changed))
    _log.info("project_counted", project_id=project.id, changed=len(changed))
    # What is being recognised ends by itself, and nobody may ask for a count then.
    return moved or any(counts[f"{kind}_processing"] for kind in (Kind.DOCUMENT, Kind.VOICE))


def _due(standing: Standing) -> bool:
    """Whether what there is may be counted again: the more there is, the less often."""
    if standing.counted_at is None:
        return True
    files = sum(standing.counts.get(f"{kind}_{state}", 0) for kind in Kind for state in AssetState)
    return now() - standing.counted_at >= timedelta(minutes=files // FILES_A_MINUTE)


async def _stretch(project_id: str, since: datetime, horizon: datetime) -> tuple[dict[datetime, Hour], datetime]:
    """What happened from `since` on by the hours it happened in, and until when: as far as a page of each reading."""
    pages = [await rollups.stretch(project_id, one.times, since, horizon, one.also(since)) for one in READINGS]
    until = min(end for _, end in pages)
    hours: dict[datetime, Hour] = defaultdict(Hour)
    for reading, (found, _) in zip(READINGS, pages, strict=True):
        _tally(reading, found, hours, since, until)
    return hours, until


def _tally(
    reading: Reading, found: Iterable[Measured], hours: dict[datetime, Hour], since: datetime, until: datetime
) -> None:
    """Adds what happened in [since, until) to the assets found."""
    for asset in found:
        for happening in reading.happenings:
            moment = rollups.moment(asset, happening.field)
            if moment is not None and since <= moment < until:
                _add(hours[moment.replace(minute=0, second=0, microsecond=0)], happening, asset)


def _add(hour: Hour, happening: Happening, asset: Measured) -> None:
    counted = happening.tally(asset)
    hour.tally += counted
    person = happening.person(asset)
    if counted and person is not None:
        hour.people[person] += counted


def _added(project: Project, start: datetime, hour: Hour) -> list[Write]:
    return [
        *rollups.add_hour(project, start.date(), start.hour, hour.whole, shared=hour.tally),
        *(
            rollups.add_hour_of_user(project, user_id, start.date(), start.hour, tally)
            for user_id, tally in hour.people.items()
        ),
    ]


async def recount(project: Project, day: date) -> None:
    """Counts a day again up to the mark, and adds what differs to all roll-ups; without a difference it only reads.

    Reads: one for each asset to which something happened that day and for each person, and eight.
    """
    for attempt in range(_ATTEMPTS):
        try:
            await _recount(project, day)
            break
        except firestore.Conflict:
            if attempt == _ATTEMPTS - 1:
                raise


async def _recount(project: Project, day: date) -> None:
    # The day is read before the mark: a count that comes between changes the day, and the commits below are refused.
    read = await rollups.days(Scope.PROJECT, project.id, [day])
    standing = await rollups.standing(Scope.PROJECT, project.id)
    midnight = datetime.combine(day, time(), UTC)
    until = min(midnight + _DAY, standing[0].folded_until or midnight) if standing else midnight
    hours = await _hours(project.id, midnight, until)
    stored = await rollups.days_of_user([("project_id", "==", project.id)], day, day)
    version = read[0].version if read else 0
    for start in (midnight + number * _HOUR for number in range(24)):
        if start >= until:
            return
        name = f"h{start.hour:02}"
        changed = tallies.difference(hours[start].whole, read[0].hours.get(name, {}) if read else {})
        people = {str(one.user_id): one.hours.get(name, {}) for one in stored}
        writes = _corrections(project, start, changed, hours[start].people, people)
        if writes:
            version = await firestore.commit(rollups.unchanged(project, day, version), *writes)
            _log.info("hour_corrected", project_id=project.id, hour=start.isoformat(), measures=len(changed))


async def _hours(project_id: str, since: datetime, until: datetime) -> dict[datetime, Hour]:
    """What happened in a time, by the hours it happened in; a page of assets in memory at a time."""
    hours: dict[datetime, Hour] = defaultdict(Hour)
    for reading in READINGS:
        async for page in rollups.events(project_id, reading.times, since, until, reading.also(since)):
            _tally(reading, page, hours, since, until)
    return hours


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
