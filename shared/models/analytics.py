"""Analytics: what was collected, recognised and reviewed, hour by hour, and how it is told."""

from collections import Counter
from datetime import date
from enum import StrEnum

from pydantic import Field

from shared.models.assets import AssetState, Kind
from shared.models.records import Frozen, Moment, Record
from shared.models.review import Review, ReviewState

FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2100, 1, 1)
"""Nothing was collected before; and what is reckoned back from today reads every day since."""
DAYS_LIMIT = 366
"""Days in one question."""
DURATION_BOUNDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21_600, 86_400, 604_800)
"""Upper ends, in seconds, of the steps that durations are counted in; the last step has no end."""
MILLION = 1_000_000
"""Parts of one in which shares (confidence, error rates) are added up: whole numbers add up exactly."""

Tally = Counter[str]
"""Measure → amount; whole numbers only."""


class Scope(StrEnum):
    """What a roll-up is of."""

    PLATFORM = "platform"
    COMPANY = "company"
    PROJECT = "project"
    USER = "user"


class Measured(Record):
    """What analytics needs of an asset."""

    kind: Kind
    uploader_id: str
    state: AssetState
    twin_of: str | None = None
    uploaded: bool = False
    uploaded_bytes: int = 0
    pages: int | None = None
    duration_seconds: float | None = None
    confidence: float | None = None
    character_error_rate: float | None = None
    word_error_rate: float | None = None
    uploaded_at: Moment | None = None
    processed_at: Moment | None = None
    review: Review = Field(default_factory=Review)


class Rollup(Record):
    """A day (UTC) of a project, a company, the platform, or of one person in one project."""

    scope: Scope
    company_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    day: str
    hours: dict[str, dict[str, int]] = {}
    """`h00` to `h23` → measure → amount; an hour in which nothing happened is not there."""


class Standing(Record):
    """How much there is now of a project, a company or the platform: `document_processed`, `bytes`, `submitted`, ..."""

    scope: Scope
    company_id: str | None = None
    counts: dict[str, int] = {}
    folded_until: Moment | None = None
    """Of a project: everything that happened before is in the roll-ups."""
    counted_at: Moment | None = None
    """Of a project: when `counts` were counted."""


class RollupTask(Frozen):
    """Count what happened in a project since it was last counted; with `day`, count that day (UTC) again."""

    project_id: str
    day: date | None = None


# --- on the wire


class Bucket(StrEnum):
    """How time is divided: days, weeks from Monday, months."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class AnalyticsRange(Frozen):
    """Days in a time zone, both inclusive, and how they are divided."""

    since: date
    until: date
    bucket: Bucket = Bucket.DAY
    time_zone: str = "Etc/UTC"


class Percentiles(Frozen):
    """Durations in seconds, read from a histogram: half of them, nine of ten, and 99 of 100 were at most so long."""

    p50: float
    p90: float
    p99: float


class KindMeasures(Frozen):
    """One kind in a time. `confidence` is a mean, 0 to 1."""

    uploaded: int
    processed: int
    failed: int
    confidence: float | None


class Measures(Frozen):
    """What happened in a time. Costs are in `currency` of the answer, by the price table of the settings."""

    files_uploaded: int
    bytes_uploaded: int
    files_processed: int
    files_failed: int
    pages: int
    minutes: float
    cost: float
    files_per_hour: float
    """Files recognised, over the hours in which any were."""
    by_kind: dict[Kind, KindMeasures]
    time_to_text: Percentiles | None
    """From the arrival of the bytes to the text."""
    approved: int
    rejected: int
    approval_rate: float | None
    review_turnaround: Percentiles | None
    """From submission to decision."""
    character_error_rate: float | None
    """Of the machine against approved text; a mean over documents, 0 is perfect."""
    word_error_rate: float | None


class Slice(Measures):
    """One bucket. `stored_bytes`: what was stored at its end; null where the scope has no storage of its own."""

    start: date
    stored_bytes: int | None


class Present(Frozen):
    """What there is, as of `as_of`: of a company or the platform, of the project that was counted last."""

    as_of: Moment | None

    by_kind: dict[Kind, dict[AssetState, int]]
    files: int
    stored_bytes: int
    storage_cost_per_month: float
    reviews: dict[ReviewState, int]
    """Only `submitted`, `approved` and `rejected`."""


class Contribution(Frozen):
    """A person, and how many files they uploaded or decided on."""

    user_id: str
    name: str | None
    files: int


class Analytics(Frozen):
    """The answer of analytics. `as_of`: what happened later is not counted yet; null when nothing ever was."""

    scope: Scope
    id: str | None
    asked: AnalyticsRange
    currency: str
    as_of: Moment | None
    now: Present | None
    totals: Measures
    series: list[Slice]
    top_contributors: list[Contribution]
    top_reviewers: list[Contribution]
