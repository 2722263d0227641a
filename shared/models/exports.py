"""Exports: a project's documents and recordings as a dataset, built in steps into the bucket."""

from enum import StrEnum

from shared.models.assets import Kind
from shared.models.records import Asked, AskedMoment, Frozen, Id, Moment, Record


class ExportFormat(StrEnum):
    """How a dataset is laid out. `hugging_face`: Parquet below `data/`, and a card, as `datasets` loads it.

    `csv` is for programs: a cell is what somebody wrote, also where a spreadsheet would take it for a formula.
    """

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"
    LABEL_STUDIO = "label_studio"
    HUGGING_FACE = "hugging_face"


class ExportState(StrEnum):
    """How far an export has come."""

    PENDING = "pending"
    RUNNING = "running"
    READY = "ready"
    CANCELLED = "cancelled"


EXPORT_STEPS: dict[ExportState, frozenset[ExportState]] = {
    ExportState.PENDING: frozenset({ExportState.RUNNING, ExportState.READY, ExportState.CANCELLED}),
    ExportState.RUNNING: frozenset({ExportState.READY, ExportState.CANCELLED}),
    ExportState.READY: frozenset(),
    ExportState.CANCELLED: frozenset(),
}
"""The steps that are allowed."""


class ExportFilter(Frozen):
    """Which assets are meant, of those that came to a good end; what is not said is no bound."""

    approved_only: bool = False
    kind: Kind | None = None
    cycle_id: Id | None = None
    created_after: AskedMoment | None = None
    """Inclusive."""
    created_before: AskedMoment | None = None
    """Exclusive; what came after the export was asked for is never in it."""


class ExportFile(Frozen):
    """A file of the dataset. `sha256` is hexadecimal; `rows` is null for what holds none."""

    name: str
    bytes: int
    sha256: str
    content_type: str
    rows: int | None


class Export(Record):
    """An export: what was asked, how far it is, and its files so far."""

    company_id: str
    project_id: str
    format: ExportFormat
    filter: ExportFilter
    state: ExportState = ExportState.PENDING
    step: int = 0
    """Steps done; each one but the last wrote a part."""
    after: list[str] = []
    """Where the next step goes on: the time of the last asset (RFC 3339) and its id."""
    assets_total: int
    """Assets that meet the filter, failed ones too."""
    assets_seen: int = 0
    rows: int = 0
    files: list[ExportFile] = []
    created_by: str
    ready_at: Moment | None = None

    @property
    def prefix(self) -> str:
        """Where its files are in the bucket."""
        return f"exports/{self.company_id}/{self.project_id}/{self.id}/"


class ExportStep(Frozen):
    """Do this step of an export; one that is done already came twice."""

    export_id: str
    step: int


# --- on the wire


class NewExport(Asked):
    """An export to be made."""

    project_id: Id
    format: ExportFormat
    filter: ExportFilter = ExportFilter()


class ExportView(Frozen):
    """An export as clients see it. `percent`: 0 to 100."""

    id: str
    project_id: str
    format: ExportFormat
    filter: ExportFilter
    state: ExportState
    percent: float
    rows: int
    created_by: str
    created_at: Moment
    updated_at: Moment
    ready_at: Moment | None


class ExportLink(ExportFile):
    """A file of the dataset and where it can be fetched until it expires."""

    url: str
    expires_at: Moment


class ExportFiles(Frozen):
    """The files of an export that is ready; `manifest.json` among them names the others with their checksums."""

    items: list[ExportLink]
