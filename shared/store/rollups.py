"""Roll-ups and standings: what analytics reads instead of assets."""

import zlib
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from typing import Any

from shared.models.analytics import Measured, Rollup, Scope, Standing, Tally
from shared.models.assets import AssetState, Kind
from shared.models.projects import Project
from shared.models.records import now
from shared.models.review import ReviewState
from shared.store import firestore
from shared.store.assets import ASSETS
from shared.store.firestore import Condition, Query, Write

ROLLUPS = "rollups"
STANDINGS = "standings"
SHARDS = 8
"""Documents that the platform's roll-ups are spread over: each takes about one write a second."""
EVENT_PAGE = 1_000
"""Assets that are in memory at a time."""
_STATES = {
    Kind.DOCUMENT: tuple(AssetState),
    Kind.VOICE: tuple(AssetState),
    Kind.FILE: (AssetState.PENDING, AssetState.UPLOADED, AssetState.FAILED),  # a plain file is never recognised
}
_COUNTED_REVIEWS = (ReviewState.SUBMITTED, ReviewState.APPROVED, ReviewState.REJECTED)
_MEASURED = tuple(Measured.model_fields.keys() - {"id", "version"})
_PLATFORM = "platform"


# --- events


async def stretch(
    project_id: str, times: tuple[str, ...], since: datetime, until: datetime, also: tuple[Condition, ...] = ()
) -> tuple[list[Measured], datetime]:
    """The first assets of a project, deleted or not, whose first of these times is in [since, until), in their order.

    `also` must hold, and names none but these times. With them comes the moment before which they are all: `until`, or
    an earlier one when there are more than a page.
    """
    page = await firestore.query(Measured, _events(project_id, times, since, until, also))
    if len(page) < EVENT_PAGE:
        return page, until
    moments = [found for asset in page if (found := moment(asset, times[0]))]
    last = moments[-1]
    if moments[0] < last:
        return page, last
    # More than a page in one instant, as when a session is deleted with its files.
    instant = last + datetime.resolution
    return [asset async for more in events(project_id, times, last, instant, also) for asset in more], instant


async def events(
    project_id: str, times: tuple[str, ...], since: datetime, until: datetime, also: tuple[Condition, ...] = ()
) -> AsyncIterator[list[Measured]]:
    """All the assets that `stretch` speaks of, a page at a time."""
    after: tuple[Any, ...] | None = None
    while True:
        page = await firestore.query(Measured, _events(project_id, times, since, until, also, after))
        yield page
        if len(page) < EVENT_PAGE:
            return
        after = (*(moment(page[-1], time) for time in times), page[-1].id)


def _events(
    project_id: str,
    times: tuple[str, ...],
    since: datetime,
    until: datetime,
    also: tuple[Condition, ...],
    after: tuple[Any, ...] | None = None,
) -> Query:
    within: tuple[Condition, ...] = ((times[0], ">=", since), (times[0], "<", until))
    return Query(
        ASSETS,
        where=(("project_id", "==", project_id), *also, *within),
        order=times,
        limit=EVENT_PAGE,
        start_after=after,
        select=_MEASURED,
        timeout=firestore.UNHURRIED,
    )


def moment(asset: Measured, field: str) -> datetime | None:
    """The time that an asset has in this field."""
    value: Any = asset
    for part in field.split("."):
        value = getattr(value, part)
    found: datetime | None = value
    return found


async def present(project_id: str) -> Tally:
    """What a project holds now, by kind and state, in bytes and by review; 16 aggregation queries, one at a time.

    Each takes time in proportion to what it counts: together they would keep the database from everybody else.
    """
    alive: tuple[Condition, ...] = (("project_id", "==", project_id), ("deleted_at", "==", None))
    tally = Tally({"bytes": 0})
    for kind, states in _STATES.items():
        for state in states:
            where = (*alive, ("kind", "==", kind), ("state", "==", state))
            found = await firestore.totals(_all(where), sums=["uploaded_bytes"])
            tally[f"{kind}_{state}"] = found.count
            tally["bytes"] += int(found.sums["uploaded_bytes"])
    for review in _COUNTED_REVIEWS:
        where = (*alive, ("review.state", "==", review))
        tally[str(review)] = (await firestore.totals(_all(where))).count
    return tally


def _all(where: tuple[Condition, ...]) -> Query:
    return Query(ASSETS, where=where, timeout=firestore.UNHURRIED)


# --- standings


async def standing(scope: Scope, owner_id: str | None) -> list[Standing]:
    """How much there is now of a project, company or platform: what is found is to be added up; 1 or `SHARDS` reads."""
    paths = [f"{STANDINGS}/{key}" for key in _keys(scope, owner_id)]
    return list((await firestore.get_many(Standing, paths)).values())


def keep_standing(standing: Standing) -> Write:
    """Writes a project's standing, if it still is what was read; a version of 0 says that there was none."""
    fields = standing.model_dump(exclude={"id"})
    path = f"{STANDINGS}/{standing.id}"
    if not standing.version:
        return Write(path, fields, exists=False)
    return Write(path, fields, version=standing.version)


def add_to_standings(project: Project, amounts: Tally) -> list[Write]:
    """Adds to what the project's company and the platform hold."""
    if not amounts:
        return []
    fields = _identity(Scope.COMPANY, project) | {"updated_at": now()}
    platform = _identity(Scope.PLATFORM, project) | {"updated_at": now()}
    added = {f"counts.{measure}": amount for measure, amount in amounts.items()}
    return [
        Write(f"{STANDINGS}/{project.company_id}", fields, mask=tuple(fields), add=added),
        Write(f"{STANDINGS}/{_shard(project.id)}", platform, mask=tuple(platform), add=added),
    ]


# --- days


async def days(scope: Scope, owner_id: str | None, asked: Sequence[date]) -> list[Rollup]:
    """The roll-ups of these days (UTC); one read for each day, for the platform `SHARDS`."""
    paths = [f"{ROLLUPS}/{key}_{day}" for key in _keys(scope, owner_id) for day in asked]
    return list((await firestore.get_many(Rollup, paths)).values())


async def days_of_user(where: Sequence[Condition], since: date, until: date) -> list[Rollup]:
    """What people did, one record for each day, person and project; one read for each."""
    scope: tuple[Condition, ...] = (
        ("scope", "==", Scope.USER),
        *where,
        ("day", ">=", str(since)),
        ("day", "<=", str(until)),
    )
    return await firestore.query(Rollup, Query(ROLLUPS, where=scope))


def add_hour(project: Project, day: date, hour: int, amounts: Tally, *, shared: Tally) -> list[Write]:
    """Adds an hour to a project's day, and `shared` of it, which names nobody, to the platform's."""
    writes = [_add(Scope.PROJECT, project, day, hour, amounts), _add(Scope.COMPANY, project, day, hour, amounts)]
    return [write for write in (*writes, _add(Scope.PLATFORM, project, day, hour, shared)) if write.add]


def add_hour_of_user(project: Project, user_id: str, day: date, hour: int, amounts: Tally) -> Write:
    """Adds an hour to what a person did in a project."""
    return _add(Scope.USER, project, day, hour, amounts, user_id)


def unchanged(project: Project, day: date, version: int) -> Write:
    """Writes nothing new, and demands that the project's day still is of this version; 0 says that there was none."""
    fields = _identity(Scope.PROJECT, project) | {"day": str(day), "updated_at": now()}
    path = f"{ROLLUPS}/{project.id}_{day}"
    if not version:
        return Write(path, fields, mask=tuple(fields), exists=False)
    return Write(path, fields, mask=tuple(fields), version=version)


def _add(scope: Scope, project: Project, day: date, hour: int, amounts: Tally, user_id: str | None = None) -> Write:
    fields = _identity(scope, project) | {"day": str(day), "updated_at": now()}
    if user_id is not None:
        fields["user_id"] = user_id
    keys = {
        Scope.PROJECT: project.id,
        Scope.COMPANY: project.company_id,
        Scope.PLATFORM: _shard(project.id),
        Scope.USER: f"{project.id}.{user_id}",
    }
    added = {f"hours.h{hour:02}.{measure}": amount for measure, amount in amounts.items()}
    return Write(f"{ROLLUPS}/{keys[scope]}_{day}", fields, mask=tuple(fields), add=added)


def _identity(scope: Scope, project: Project) -> dict[str, Any]:
    fields: dict[str, Any] = {"scope": scope, "created_at": project.created_at, "deleted_at": None}
    if scope is not Scope.PLATFORM:
        fields["company_id"] = project.company_id
    if scope in (Scope.PROJECT, Scope.USER):
        fields["project_id"] = project.id
    return fields


def _shard(project_id: str) -> str:
    return f"{_PLATFORM}{zlib.crc32(project_id.encode()) % SHARDS}"


def _keys(scope: Scope, owner_id: str | None) -> list[str]:
    return [f"{_PLATFORM}{shard}" for shard in range(SHARDS)] if scope is Scope.PLATFORM else [str(owner_id)]
