"""Analytics out of roll-ups: its cost grows with the days that are asked for, never with files."""

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.errors import Forbidden, NotFound, ValidationFailed
from shared.models.analytics import (
    DAYS_LIMIT,
    FIRST_DAY,
    LAST_DAY,
    MILLION,
    Analytics,
    AnalyticsRange,
    Bucket,
    Contribution,
    KindMeasures,
    Measures,
    Present,
    Rollup,
    Scope,
    Slice,
    Standing,
    Tally,
)
from shared.models.assets import AssetState, Kind
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import now
from shared.models.review import ReviewState
from shared.services import access, tallies
from shared.settings import settings
from shared.store import rollups, users
from shared.store.firestore import Condition

TOP = 10
"""People that a summary names."""
DEFAULT_DAYS = 30
_GIB = 2**30


def asked_range(since: date | None, until: date | None, bucket: Bucket, time_zone: str) -> AnalyticsRange:
    """The range that a request means; ValidationFailed for one that makes no sense or is longer than a year."""
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError):
        raise ValidationFailed("There is no such time zone.", details=[{"field": "time_zone"}]) from None
    for name, day in (("since", since), ("until", until)):
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            raise ValidationFailed(f"A day is one of {FIRST_DAY} to {LAST_DAY}.", details=[{"field": name}])
    until = until or now().astimezone(zone).date()
    since = since or until - timedelta(days=DEFAULT_DAYS - 1)
    if not timedelta(0) <= until - since < timedelta(days=DAYS_LIMIT):
        raise ValidationFailed(f"A range is 1 to {DAYS_LIMIT} days, in order.", details=[{"field": "since"}])
    return AnalyticsRange(since=since, until=until, bucket=bucket, time_zone=time_zone)


async def summary(
    caller: Caller, asked: AnalyticsRange, project_id: str | None, company_id: str | None = None
) -> Analytics:
    """Of a project, a company or the platform, as the caller may see; two reads a day and a few.

    Reads: the standing, one for each day from the first to today (for the platform `rollups.SHARDS`), and the people
    that are named.
    """
    scope, owner_id = await _scope(caller, project_id, company_id)
    days = await rollups.days(scope, owner_id, list(_days(asked, to_today=True)))
    standings = await rollups.standing(scope, owner_id)
    return await _told(scope, owner_id, asked, days, standings)


async def _scope(caller: Caller, project_id: str | None, company_id: str | None) -> tuple[Scope, str | None]:
    if project_id is not None:
        await access.project(caller, project_id, Permission.READ)
        return Scope.PROJECT, project_id
    if caller.is_super_admin:
        return (Scope.COMPANY, company_id) if company_id is not None else (Scope.PLATFORM, None)
    if company_id not in (None, caller.company_id):
        raise NotFound("There is no such company.")
    if caller.company_id is None or not caller.administers(caller.company_id):
        raise Forbidden("The whole company is for its admins: name a project_id.")
    return Scope.COMPANY, caller.company_id


async def of_user(caller: Caller, asked: AnalyticsRange, user_id: str, project_id: str | None) -> Analytics:
    """What a person did; one read for each day and project they were active in.

    A company's admin sees what was done in the company; whoever manages a project sees what was done there.
    """
    where: list[Condition] = [("user_id", "==", user_id)]
    if project_id is not None:
        permission = Permission.READ if user_id == caller.user_id else Permission.MANAGE
        await access.project(caller, project_id, permission)
        where.append(("project_id", "==", project_id))
    elif user_id != caller.user_id and not caller.is_super_admin:
        if caller.company_id is None or not caller.administers(caller.company_id):
            raise NotFound("There is no such user.")
        where.append(("company_id", "==", caller.company_id))
    days = list(_days(asked))
    found = await rollups.days_of_user(where, days[0], days[-1])
    person = (await users.get_many([user_id])).get(user_id)
    if not found and not (user_id == caller.user_id or _visible(caller, person.company_id if person else None)):
        raise NotFound("There is no such user.")
    return await _told(Scope.USER, user_id, asked, found, [])


def _visible(caller: Caller, company_id: str | None) -> bool:
    return caller.is_super_admin or (company_id is not None and company_id == caller.company_id)


def _days(asked: AnalyticsRange, *, to_today: bool = False) -> Iterable[date]:
    """The days in UTC that the range touches; up to today, for what is reckoned back from what there is now."""
    last = asked.until + timedelta(days=1)
    if to_today:
        last = max(last, now().date())
    day = asked.since - timedelta(days=1)
    while day <= last:
        yield day
        day += timedelta(days=1)


async def _told(
    scope: Scope, owner_id: str | None, asked: AnalyticsRange, days: list[Rollup], standings: list[Standing]
) -> Analytics:
    slices, later = _divided(asked, days)
    total = sum(slices.values(), Tally())
    standing = sum((Tally(one.counts) for one in standings), Tally()) if standings else None
    people = [_top(total, prefix) for prefix in (tallies.UPLOADED_BY, tallies.DECIDED_BY)]
    known = await users.get_many([user_id for each in people for user_id, _ in each])
    names = {user_id: user.name for user_id, user in known.items()}
    contributors, reviewers = (
        [Contribution(user_id=user_id, name=names.get(user_id), files=files) for user_id, files in each]
        for each in people
    )
    return Analytics(
        scope=scope,
        id=owner_id,
        asked=asked,
        currency=settings().prices.currency,
        as_of=max((one.folded_until or one.updated_at for one in standings), default=None),
        now=_present(standing, standings) if standing is not None else None,
        totals=Measures(**_measures(total, len(_busy(asked, days)))),
        series=_series(asked, slices, days, None if standing is None else standing["bytes"] - _net(later)),
        top_contributors=contributors,
        top_reviewers=reviewers,
    )


def _divided(asked: AnalyticsRange, days: list[Rollup]) -> tuple[dict[date, Tally], Tally]:
    """The tallies of the buckets by their first days, empty ones too, and the tally of what came after the range."""
    slices = {_start(day, asked.bucket): Tally() for day in _local_days(asked)}
    later = Tally()
    for day, _, tally in _hours(asked, days):
        if asked.since <= day <= asked.until:
            slices[_start(day, asked.bucket)].update(tally)
        elif day > asked.until:
            later.update(tally)
    return slices, later


def _hours(asked: AnalyticsRange, days: list[Rollup]) -> Iterable[tuple[date, datetime, Mapping[str, int]]]:
    """Every hour in which something happened: its day in the time zone, when it began, what happened."""
    zone = ZoneInfo(asked.time_zone)
    for rollup in days:
        midnight = datetime.combine(date.fromisoformat(rollup.day), time(), UTC)
        for name, tally in rollup.hours.items():
            began = midnight + timedelta(hours=int(name[1:]))
            yield began.astimezone(zone).date(), began, tally


def _busy(asked: AnalyticsRange, days: list[Rollup]) -> set[datetime]:
    return {
        began
        for day, began, tally in _hours(asked, days)
        if asked.since <= day <= asked.until and any(tally.get(f"{kind}_processed") for kind in Kind)
    }


def _local_days(asked: AnalyticsRange) -> Iterable[date]:
    return (asked.since + timedelta(days=number) for number in range((asked.until - asked.since).days + 1))


def _start(day: date, bucket: Bucket) -> date:
    if bucket is Bucket.MONTH:
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if bucket is Bucket.WEEK else day


def _net(tally: Tally) -> int:
    return tally["bytes_uploaded"] - tally["bytes_deleted"]


def _series(
    asked: AnalyticsRange, slices: dict[date, Tally], days: list[Rollup], stored_at_end: int | None
) -> list[Slice]:
    """The buckets in order; what was stored at the end of each is reckoned back from what is stored now."""
    busy: dict[date, set[datetime]] = {}
    for began in _busy(asked, days):
        day = began.astimezone(ZoneInfo(asked.time_zone)).date()
        busy.setdefault(_start(day, asked.bucket), set()).add(began)
    series: list[Slice] = []
    for start, tally in sorted(slices.items(), reverse=True):
        stored = None if stored_at_end is None else max(0, stored_at_end)
        series.append(Slice(start=start, stored_bytes=stored, **_measures(tally, len(busy.get(start, ())))))
        if stored_at_end is not None:
            stored_at_end -= _net(tally)
    return series[::-1]


def _measures(tally: Tally, hours: int) -> dict[str, Any]:
    prices, minutes = settings().prices, tally["milliseconds"] / 60_000
    decided = tally["approved"] + tally["rejected"]
    processed = sum(tally[f"{kind}_processed"] for kind in Kind)
    return {
        "files_uploaded": tallies.uploaded(tally),
        "bytes_uploaded": tally["bytes_uploaded"],
        "files_processed": processed,
        "files_failed": sum(tally[f"{kind}_failed"] for kind in Kind),
        "pages": tally["pages"],
        "minutes": round(minutes, 2),
        "cost": round(tally["pages"] * prices.page + minutes * prices.minute, 4),
        "files_per_hour": round(processed / hours, 2) if hours else 0.0,
        "by_kind": {kind: _of_kind(tally, kind) for kind in Kind},
        "time_to_text": tallies.percentiles(tally, "text"),
        "approved": tally["approved"],
        "rejected": tally["rejected"],
        "approval_rate": round(tally["approved"] / decided, 4) if decided else None,
        "review_turnaround": tallies.percentiles(tally, "turnaround"),
        "character_error_rate": _mean(tally, "character_errors", "character_measured"),
        "word_error_rate": _mean(tally, "word_errors", "word_measured"),
    }


def _of_kind(tally: Tally, kind: Kind) -> KindMeasures:
    return KindMeasures(
        uploaded=tally[f"{kind}_uploaded"],
        processed=tally[f"{kind}_processed"],
        failed=tally[f"{kind}_failed"],
        confidence=_mean(tally, f"{kind}_confidence", f"{kind}_confident"),
    )


def _mean(tally: Tally, total: str, count: str) -> float | None:
    return round(tally[total] / MILLION / tally[count], 4) if tally[count] else None


def _present(counts: Tally, standings: list[Standing]) -> Present:
    return Present(
        as_of=max((one.counted_at or one.updated_at for one in standings), default=None),
        by_kind={kind: {state: counts[f"{kind}_{state}"] for state in AssetState} for kind in Kind},
        files=sum(counts[f"{kind}_{state}"] for kind in Kind for state in AssetState),
        stored_bytes=counts["bytes"],
        storage_cost_per_month=round(counts["bytes"] / _GIB * settings().prices.gib_month, 4),
        reviews={state: counts[str(state)] for state in ReviewState if state is not ReviewState.NONE},
    )


def _top(tally: Tally, prefix: str) -> list[tuple[str, int]]:
    people = Tally({name.removeprefix(prefix): n for name, n in tally.items() if name.startswith(prefix) and n > 0})
    return people.most_common(TOP)


def as_csv(found: Analytics) -> str:
    """The series as a table: one row a bucket, nested values as `by_kind.document.uploaded`."""
    rows = [dict(_flat(one.model_dump(mode="json"))) for one in found.series]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["start", *(name for name in columns if name != "start")], restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", "" if value is None else value
