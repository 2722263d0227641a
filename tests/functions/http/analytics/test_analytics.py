"""Analytics as clients see it: counted from records that are written straight into the store."""

import csv
import io
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.models.analytics import AnalyticsRange
from shared.models.assets import Asset, AssetState, Kind
from shared.models.identity import Caller
from shared.models.projects import Project
from shared.models.records import now
from shared.models.review import Review, ReviewState
from shared.services import analytics, callers, rollups
from shared.store import assets, connection, firestore, projects
from shared.store import rollups as stored
from tests import loopback
from tests.conftest import Cloud
from tests.functions.http.conftest import Staff
from tests.functions.http.walking import made
from tests.people import Person
from tests.recognised import recognised

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=3)
"""Behind the mark that a first count sets, and not today."""


async def _record(project: dict[str, Any]) -> Project:
    record = await projects.get(project["id"])
    assert record is not None
    return record


async def _project(person: Person, began: datetime = NOON - timedelta(days=9)) -> dict[str, Any]:
    """A project that is as old as what happened in it."""
    project = await made(person.http, "/api/projects", name="River")
    record = await _record(project)
    await firestore.commit(projects.change(record, {"created_at": began}))
    return project


def _asset(project: dict[str, Any], uploader: Person, number: int, **fields: Any) -> Asset:
    """The `number`th asset: a page of 1,000 bytes, recognised four seconds after it came."""
    came = NOON + timedelta(seconds=number)
    described = {
        "created_at": came,
        "updated_at": came,
        "path": f"{number}.png",
        "name": f"{number}.png",
        "uploaded_bytes": 1000,
        "pages": 2,
        "confidence": 0.9,
        "uploaded_at": came,
        "processed_at": came + timedelta(seconds=4),
    }
    return recognised(project, uploader.user.id, **{**described, **fields})


async def _store(records: Sequence[Asset]) -> None:
    for start in range(0, len(records), firestore.COMMIT_LIMIT):
        await firestore.commit(*map(assets.create, records[start : start + firestore.COMMIT_LIMIT]))


async def _count(cloud: Cloud, project: dict[str, Any], **asked: str) -> None:
    async with loopback.client(cloud.ports.url("internal"), timeout=120) as queue:
        answer = await queue.post("/rollups", json={"project_id": project["id"], **asked})
        assert answer.status_code == 204, answer.text


async def _summary(http: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    answer = await http.get("/api/analytics/summary", params=asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_project_is_told_by_kind_state_day_person_and_price(cloud: Cloud, staff: Staff) -> None:
    project = await _project(staff.admin)
    decided = NOON + timedelta(hours=30)
    review = Review(
        state=ReviewState.APPROVED,
        submitted_at=decided - timedelta(minutes=4),
        decided_at=decided,
        decided_by=staff.admin.user.id,
    )
    rejected = review.model_copy(update={"state": ReviewState.REJECTED})
    await _store(
        [
            *(_asset(project, staff.user, number) for number in range(5)),
            _asset(project, staff.admin, 5, review=review.model_dump(), word_error_rate=0.25),
            _asset(project, staff.user, 6, review=rejected.model_dump()),
            _asset(project, staff.user, 7, kind=Kind.VOICE, pages=None, duration_seconds=90.0, confidence=0.7),
            _asset(project, staff.user, 8, state=AssetState.FAILED, pages=None, confidence=None),
            _asset(project, staff.user, 9, kind=Kind.FILE, state=AssetState.UPLOADED, processed_at=None),
        ]
    )

    await _count(cloud, project)
    found = await _summary(staff.user.http, project_id=project["id"])

    assert found["now"]["by_kind"]["document"] == {
        "pending": 0, "uploaded": 0, "processing": 0, "processed": 7, "failed": 1,
    }  # fmt: skip
    assert (found["now"]["files"], found["now"]["stored_bytes"]) == (10, 10_000)
    assert found["now"]["reviews"] == {"submitted": 0, "approved": 1, "rejected": 1}
    totals = found["totals"]
    assert (totals["files_uploaded"], totals["files_processed"], totals["files_failed"]) == (10, 8, 1)
    assert (totals["pages"], totals["minutes"]) == (14, 1.5)
    assert totals["cost"] == pytest.approx(14 * 0.0015 + 1.5 * 0.016)
    assert totals["files_per_hour"] == 8.0
    assert totals["by_kind"]["document"]["confidence"] == 0.9
    assert totals["by_kind"]["voice"]["confidence"] == 0.7
    assert 2 < totals["time_to_text"]["p50"] <= 5
    assert (totals["approval_rate"], totals["word_error_rate"]) == (0.5, 0.25)
    assert 120 < totals["review_turnaround"]["p90"] <= 300
    by_day = {one["start"]: one for one in found["series"]}
    assert by_day[str(NOON.date())]["files_uploaded"] == 10
    assert by_day[str(decided.date())]["approved"] == 1
    assert by_day[str((NOON - timedelta(days=1)).date())]["stored_bytes"] == 0
    assert found["series"][-1]["stored_bytes"] == 10_000
    assert [(one["user_id"], one["files"]) for one in found["top_contributors"]] == [
        (staff.user.user.id, 9),
        (staff.admin.user.id, 1),
    ]
    assert [(one["name"], one["files"]) for one in found["top_reviewers"]] == [("Somebody", 2)]


async def test_counting_twice_changes_nothing_and_counting_a_day_again_puts_right_what_changed_behind_it(
    cloud: Cloud, staff: Staff
) -> None:
    project = await _project(staff.admin)
    first, second = _asset(project, staff.user, 0), _asset(project, staff.user, 1)
    await _store([first])
    await _count(cloud, project)
    before = await _summary(staff.admin.http)
    await _count(cloud, project)
    await _count(cloud, project, day=str(NOON.date()))
    again = await _summary(staff.admin.http)
    assert (again["totals"], again["series"]) == (before["totals"], before["series"])

    await _store([second])  # its times are behind the mark
    found = await assets.get(first.id)
    assert found is not None
    await firestore.commit(assets.change(found, {"pages": 7}))
    await _count(cloud, project, day=str(NOON.date()))
    await _count(cloud, project)

    for scope in ({"project_id": project["id"]}, {}):  # the project, and the company above it
        totals = (await _summary(staff.admin.http, **scope))["totals"]
        assert (totals["files_uploaded"], totals["pages"]) == (2, 9)
    person = await staff.user.http.get(f"/api/analytics/user/{staff.user.user.id}")
    assert (person.json()["totals"]["files_uploaded"], person.json()["totals"]["pages"]) == (2, 9)


async def test_days_begin_at_midnight_of_the_time_zone_and_join_to_weeks_and_months(cloud: Cloud, staff: Staff) -> None:
    project = await _project(staff.admin)
    late = NOON.replace(hour=23, minute=30)
    await _store([_asset(project, staff.user, 0, uploaded_at=late, processed_at=late)])
    await _count(cloud, project)

    async def starts(**asked: str) -> list[str]:
        found = await _summary(staff.admin.http, project_id=project["id"], **asked)
        return [one["start"] for one in found["series"] if one["files_uploaded"]]

    tomorrow = (late + timedelta(days=1)).date()
    assert await starts() == [str(late.date())]
    assert await starts(time_zone="Europe/Berlin") == [str(tomorrow)]
    assert await starts(bucket="week") == [str(late.date() - timedelta(days=late.weekday()))]
    assert await starts(bucket="month") == [str(late.date().replace(day=1))]
    assert await starts(since=str(tomorrow)) == []
    wrong_days = [{"until": "0208-12-01"}, {"since": "0001-01-01", "until": "0001-01-02"}, {"until": "9999-12-31"}]
    for wrong in ({"time_zone": "Mars/Olympus"}, {"since": "2020-01-01", "until": "2022-01-01"}, *wrong_days):
        answer = await staff.admin.http.get("/api/analytics/summary", params=wrong)
        assert answer.status_code == 422


async def test_the_series_is_a_table_for_who_accepts_or_asks_for_csv(cloud: Cloud, staff: Staff) -> None:
    project = await _project(staff.admin)
    await _store([_asset(project, staff.user, 0)])
    await _count(cloud, project)
    asked = {"project_id": project["id"]}
    by_header = await staff.user.http.get("/api/analytics/summary", params=asked, headers={"Accept": "text/csv"})
    by_query = await staff.user.http.get("/api/analytics/summary", params={**asked, "format": "csv"})
    assert by_header.headers["content-type"].startswith("text/csv")
    assert by_header.text == by_query.text
    rows = {row["start"]: row for row in csv.DictReader(io.StringIO(by_query.text))}
    assert (rows[str(NOON.date())]["files_uploaded"], rows[str(NOON.date())]["by_kind.document.confidence"]) == (
        "1",
        "0.9",
    )


async def test_everybody_sees_the_analytics_of_their_own(cloud: Cloud, staff: Staff, super_admin: Person) -> None:
    project = await _project(staff.admin)
    await _store([_asset(project, staff.user, 0)])
    await _count(cloud, project)
    path = "/api/analytics/summary"
    assert (await staff.stranger.http.get(path, params={"project_id": project["id"]})).status_code == 404
    assert (await staff.user.http.get(path)).status_code == 403
    assert (await staff.admin.http.get(path)).json()["scope"] == "company"
    assert (await staff.admin.http.get(path, params={"company_id": "cmp_other"})).status_code == 404
    platform = (await super_admin.http.get(path)).json()
    assert platform["scope"] == "platform"
    assert platform["totals"]["files_uploaded"] >= 1
    assert platform["now"]["files"] >= 1
    assert platform["top_contributors"] == []
    person = f"/api/analytics/user/{staff.user.user.id}"
    assert (await staff.admin.http.get(person)).json()["totals"]["files_uploaded"] == 1
    assert (await staff.stranger.http.get(person)).status_code == 404
    assert (await staff.user.http.get(f"/api/analytics/user/{staff.admin.user.id}")).status_code == 404


async def _folded(project: dict[str, Any]) -> None:
    """Counts a project in this process until there is no more to count."""
    record = await _record(project)
    while await rollups.fold(record):
        pass


async def test_more_than_a_page_is_counted_whole_even_when_it_happened_in_one_instant(
    cloud: Cloud, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "EVENT_PAGE", 5)
    project = await _project(staff.admin)
    deleted = NOON + timedelta(hours=2)
    await _store([_asset(project, staff.user, number) for number in range(13)])
    await _store([_asset(project, staff.user, number, deleted_at=deleted) for number in range(13, 25)])

    await _folded(project)
    found = await _summary(staff.admin.http, project_id=project["id"])

    assert (found["totals"]["files_uploaded"], found["totals"]["pages"], found["now"]["files"]) == (25, 50, 13)
    by_day = {one["start"]: one["stored_bytes"] for one in found["series"]}
    assert by_day[str(NOON.date())] == by_day[max(by_day)] == 13_000
    assert by_day[str((NOON - timedelta(days=1)).date())] == 0


@pytest.mark.parametrize("gap", [timedelta(seconds=1), timedelta(hours=1)])
async def test_counting_passes_over_the_assets_as_often_for_days_as_for_an_hour(
    cloud: Cloud, staff: Staff, gap: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await _project(staff.admin)
    times = [NOON - timedelta(days=2) + number * gap for number in range(40)]
    await _store([_asset(project, staff.user, number, uploaded_at=at) for number, at in enumerate(times)])
    record = await _record(project)
    passes: Counter[str] = Counter()
    for name in ("run_query", "run_aggregation_query"):
        monkeypatch.setattr(connection, name, _counting(getattr(connection, name), name, passes))

    await rollups.fold(record)

    assert passes == {"run_query": len(rollups.READINGS), "run_aggregation_query": 16}


async def test_what_came_and_was_recognised_is_read_once_for_both(
    cloud: Cloud, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await _project(staff.admin)
    await _store([_asset(project, staff.user, number) for number in range(30)])
    record = await _record(project)
    answers: list[Any] = []
    run_query = connection.run_query

    async def watched(*arguments: Any) -> AsyncGenerator[Any, None]:
        async for answer in run_query(*arguments):
            answers.append(answer)
            yield answer

    monkeypatch.setattr(connection, "run_query", watched)

    await rollups.fold(record)

    assert sum(answer.HasField("document") for answer in answers) == 30


async def test_a_result_after_the_count_of_its_upload_and_one_without_upload_are_counted_once(
    cloud: Cloud, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "LAG", timedelta(0))
    project = await _project(staff.admin)
    slow = _asset(project, staff.user, 1, state=AssetState.PROCESSING, processed_at=None)
    cancelled = _asset(
        project, staff.user, 2, state=AssetState.FAILED, uploaded=False, uploaded_bytes=0, uploaded_at=None
    )
    await _store([slow, cancelled])
    record, stored_slow = await _record(project), await assets.get(slow.id)
    assert stored_slow is not None
    await rollups.fold(record)

    await firestore.commit(assets.change(stored_slow, {"state": AssetState.PROCESSED, "processed_at": now()}))
    await rollups.fold(record)
    found = (await _summary(staff.admin.http, project_id=project["id"]))["totals"]

    assert (found["files_uploaded"], found["files_processed"], found["files_failed"]) == (1, 1, 1)


async def test_what_shares_the_result_of_another_counts_as_a_file_but_not_as_pages(cloud: Cloud, staff: Staff) -> None:
    project = await _project(staff.admin)
    first = _asset(project, staff.user, 1)
    await _store([first, _asset(project, staff.user, 2, twin_of=first.id)])

    await _count(cloud, project)
    found = (await _summary(staff.admin.http, project_id=project["id"]))["totals"]

    assert (found["files_processed"], found["pages"]) == (2, 2)


def _counting(call: Callable[..., Any], name: str, passes: Counter[str]) -> Callable[..., Any]:
    def counted(*arguments: Any) -> Any:
        passes[name] += 1
        return call(*arguments)

    return counted


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every document that is read in this process, by name."""
    asked: list[str] = []
    batch_get, get_document = connection.batch_get, connection.get_document

    def counted_batch(request: Any) -> Any:
        asked.extend(request.documents)
        return batch_get(request)

    async def counted_get(request: Any) -> Any:
        asked.append(request.name)
        return await get_document(request)

    monkeypatch.setattr(connection, "batch_get", counted_batch)
    monkeypatch.setattr(connection, "get_document", counted_get)
    monkeypatch.setattr(connection, "run_query", None)  # a summary that queries assets fails
    monkeypatch.setattr(connection, "run_aggregation_query", None)
    return asked


async def _caller(person: Person) -> Caller:
    return await callers.caller(person.http.headers["Authorization"].removeprefix("Bearer "))


@pytest.mark.crowd
@pytest.mark.parametrize("files", [20, 2_000])
async def test_a_summary_reads_the_same_however_many_files_there_are(
    cloud: Cloud, staff: Staff, files: int, request: pytest.FixtureRequest
) -> None:
    project = await _project(staff.admin)
    await _store([_asset(project, staff.user, number) for number in range(files)])
    await _count(cloud, project)
    caller = await _caller(staff.admin)
    asked: list[str] = request.getfixturevalue("reads")

    found = await analytics.summary(
        caller, AnalyticsRange(since=NOON.date(), until=NOON.date() + timedelta(days=1)), project["id"]
    )

    assert (found.totals.files_processed, found.now and found.now.files) == (files, files)
    assert len(asked) == 8  # project, standing, five days in UTC, one person
