"""What was collected, recognised and reviewed, and what it costs: /api/analytics."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from shared.models.analytics import Analytics, AnalyticsRange, Bucket
from shared.services import analytics
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn

from fastapi import Depends, Header, Query, Response

router = router_at("/api/analytics")

CSV = "text/csv"
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {"content": {CSV: {"schema": {"type": "string"}}}}}


class Format(StrEnum):
    """How the answer is written."""

    JSON = "json"
    CSV = "csv"


def _range(
    since: Annotated[date | None, Query(description="First day; 30 days before the last unless it is said.")] = None,
    until: Annotated[date | None, Query(description="Last day; today unless it is said.")] = None,
    bucket: Bucket = Bucket.DAY,
    time_zone: Annotated[
        str, Query(max_length=64, description="IANA name; days begin at its midnight, to the hour.")
    ] = "Etc/UTC",
) -> AnalyticsRange:
    return analytics.asked_range(since, until, bucket, time_zone)


Range = Annotated[AnalyticsRange, Depends(_range)]
OfProject = Annotated[str | None, Query(max_length=100, description="Only of this project.")]
Accept = Annotated[str, Header(include_in_schema=False)]
FormatQuery = Annotated[Format | None, Query(alias="format", description="`csv`: the series as a table.")]


@router.get("/summary", response_model=Analytics, responses=_ANSWERS)
async def get_summary(
    caller: SignedIn,
    asked: Range,
    project_id: OfProject = None,
    company_id: Annotated[str | None, Query(max_length=100, description="For super admins: of this company.")] = None,
    accept: Accept = "",
    form: FormatQuery = None,
) -> Analytics | Response:
    """Of a project; without one of the caller's company, for its admins; for super admins of the platform."""
    return _answer(await analytics.summary(caller, asked, project_id, company_id), accept, form)


@router.get("/user/{user_id}", response_model=Analytics, responses=_ANSWERS)
async def get_user_summary(
    caller: SignedIn,
    user_id: str,
    asked: Range,
    project_id: OfProject = None,
    accept: Accept = "",
    form: FormatQuery = None,
) -> Analytics | Response:
    """What a person uploaded and decided: for themselves, admins of their company, and who manages the project."""
    return _answer(await analytics.of_user(caller, asked, user_id, project_id), accept, form)


def _answer(found: Analytics, accept: str, form: Format | None) -> Analytics | Response:
    if form is Format.CSV or (form is None and CSV in accept):
        return Response(analytics.as_csv(found), media_type=CSV)
    return found


main = http_function("analytics", router)
