"""Upload sessions: one folder of files going up, with its statistics."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from shared.models.assets import FILE_LIMIT, AssetState, ContentType, Crc32c, Kind, Md5, UploadAddress
from shared.models.listing import Named
from shared.models.records import Asked, Frozen, Id, Moment, Name, unsent

MANIFEST_LIMIT = 1000
"""Files in one call; more calls add to the same job."""
ERRORS_SHOWN = 50
"""Failed files that the status names; all of them are in the lists."""


class SessionStatus(StrEnum):
    """How far a session has come."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


SESSION_STEPS: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.PENDING: frozenset({SessionStatus.IN_PROGRESS, SessionStatus.CANCELLED}),
    SessionStatus.IN_PROGRESS: frozenset({SessionStatus.COMPLETED, SessionStatus.FAILED, SessionStatus.CANCELLED}),
    SessionStatus.COMPLETED: frozenset(),
    SessionStatus.FAILED: frozenset(),
    SessionStatus.CANCELLED: frozenset(),
}
"""The steps that are allowed."""


class Stats(Frozen):
    """Where a session stands, as of its last tick.

    `files_processed` counts the files that reached the good end of their kind. `percent` (0 to 100) never goes back.
    `bytes_per_second` and `seconds_left` are smoothed; null when nothing can be said.
    """

    files_total: int = 0
    files_uploaded: int = 0
    files_processed: int = 0
    files_failed: int = 0
    bytes_total: int = 0
    bytes_uploaded: int = 0
    percent: float = 0.0
    bytes_per_second: float | None = None
    seconds_left: float | None = None


class FileError(Frozen):
    """A file of the session that failed."""

    path: str
    code: str
    message: str


class Session(Named):
    """A session and its upload job; the two share their id."""

    company_id: str
    project_id: str
    cycle_id: str | None = None
    created_by: str
    status: SessionStatus = SessionStatus.PENDING
    manifest_open: bool = False
    """More manifest pages are announced: the job can't be complete yet."""
    stats: Stats = Field(default_factory=Stats)
    errors: list[FileError] = []
    failure: FileError | None = None
    """Why the session as a whole failed; `path` names the files that are missing."""
    started_at: Moment | None = None
    progressed_at: Moment | None = None
    """When a tick last saw a change: what the stall deadline is counted from."""
    active_seconds: float = 0.0
    """How long something moved, as far as ticks saw: what the time left is told from."""
    finished_at: Moment | None = None
    duration_seconds: float | None = None
    """From `started_at` to `finished_at`."""
    files_behind: bool = False
    """It was deleted or restored, and its files have not all followed yet: ticks see to that."""

    def end(self, status: SessionStatus, moment: datetime) -> dict[str, Any]:
        """The fields of the session as it ends like this, at this moment."""
        began = self.started_at or moment
        return {"status": status, "finished_at": moment, "duration_seconds": (moment - began).total_seconds()}


class NewSession(Asked):
    """A session to be made."""

    project_id: Id
    cycle_id: Id | None = None
    name: Name


class SessionChange(Asked):
    """What may change of a session; a field that is not sent stays. `cycle_id` null: of no cycle."""

    name: Name = unsent()
    cycle_id: Id | None = None


class SessionView(Frozen):
    """A session as clients see it."""

    id: str
    project_id: str
    cycle_id: str | None
    name: str
    status: SessionStatus
    stats: Stats
    errors: list[FileError]
    failure: FileError | None
    created_by: str
    created_at: Moment
    updated_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    duration_seconds: float | None
    deleted_at: Moment | None


class SessionTotals(Frozen):
    """Many sessions added up: how many in which status, their files, and how long the completed ones took."""

    sessions: int
    by_status: dict[SessionStatus, int]
    files_total: int
    files_processed: int
    files_failed: int
    bytes_total: int
    bytes_uploaded: int
    average_duration_seconds: float | None
    """Of the completed sessions; null when there is none."""


class ManifestFile(Asked):
    """One file of a manifest: relative path with `/`, size in bytes, content type, checksum."""

    path: Annotated[str, Field(min_length=1, max_length=1024)]
    size: Annotated[int, Field(ge=0, le=FILE_LIMIT)]
    content_type: ContentType
    crc32c: Crc32c | None = None
    md5: Md5 | None = None


class ManifestPage(Asked):
    """Up to 1,000 files; `expect_more` keeps the job open for further pages."""

    files: Annotated[list[ManifestFile], Field(min_length=1, max_length=MANIFEST_LIMIT)]
    expect_more: bool = False


class UploadStart(ManifestPage):
    """The first page of a job, for a session."""

    session_id: Id


class FreshUrls(Asked):
    """Assets of the job whose addresses are to be made anew."""

    asset_ids: Annotated[list[Id], Field(min_length=1, max_length=MANIFEST_LIMIT)]


class AnsweredState(StrEnum):
    """What a start says of a file: a state, or that it was there before."""

    ALREADY_UPLOADED = "already_uploaded"


class UploadFile(Frozen):
    """A file of the job; `upload` is null when nothing is to be sent."""

    path: str
    asset_id: str
    kind: Kind
    state: AssetState | AnsweredState
    upload: UploadAddress | None


class UploadJob(Frozen):
    """The answer to a manifest."""

    job_id: str
    session_id: str
    files: list[UploadFile]


class UploadStatus(Frozen):
    """Where a job stands."""

    job_id: str
    session_id: str
    status: SessionStatus
    stats: Stats
    errors: list[FileError]
    failure: FileError | None
