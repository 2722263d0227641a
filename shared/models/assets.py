"""Assets: the documents, voice recordings and plain files that people collect."""

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, StringConstraints

from shared.models.projects import LanguageTag
from shared.models.records import Asked, Frozen, Id, Moment, Record, unsent
from shared.models.review import Review

FILE_LIMIT = 5 * 2**30
"""Bytes in one file: 5 GiB."""
INLINE_TEXT_LIMIT = 100_000
"""Bytes of text that a record carries; the whole is in the result object."""
EXCERPT_LENGTH = 200
"""Characters of text that a list shows."""


class Kind(StrEnum):
    """What an asset is, by its content type."""

    DOCUMENT = "document"
    VOICE = "voice"
    FILE = "file"

    @property
    def prefix(self) -> str:
        """Folder of its objects in the bucket; the bucket notifies one function for each."""
        return {Kind.DOCUMENT: "documents", Kind.VOICE: "voice", Kind.FILE: "files"}[self]


def kind_of(content_type: str) -> Kind:
    """Images and PDF are documents, audio is voice, all else is a plain file."""
    if content_type.startswith("image/") or content_type == "application/pdf":
        return Kind.DOCUMENT
    return Kind.VOICE if content_type.startswith("audio/") else Kind.FILE


class AssetState(StrEnum):
    """How far an asset has come."""

    PENDING = "pending"
    UPLOADED = "uploaded"
    PROCESSING = "processing"
    PROCESSED = "processed"
    FAILED = "failed"


ASSET_STEPS: dict[AssetState, frozenset[AssetState]] = {
    AssetState.PENDING: frozenset({AssetState.UPLOADED, AssetState.PROCESSING, AssetState.FAILED}),
    AssetState.UPLOADED: frozenset({AssetState.PROCESSING, AssetState.FAILED}),
    AssetState.PROCESSING: frozenset(
        {AssetState.UPLOADED, AssetState.PROCESSING, AssetState.PROCESSED, AssetState.FAILED}
    ),
    AssetState.PROCESSED: frozenset({AssetState.UPLOADED}),
    AssetState.FAILED: frozenset({AssetState.PENDING, AssetState.UPLOADED, AssetState.PROCESSING}),
}
"""The steps that are allowed; a claim goes from pending to processing in the write that records the upload.
Back to `uploaded` leads reprocessing, back to `pending` a fresh start after a fault of the way."""


class Fault(StrEnum):
    """Why an asset failed for good; trying again with the same bytes would fail again."""

    EMPTY_FILE = "empty_file"
    TOO_LARGE = "file_too_large"
    SIZE_MISMATCH = "size_mismatch"
    CHECKSUM_MISMATCH = "checksum_mismatch"
    CONTENT_MISMATCH = "content_mismatch"
    UNSUPPORTED = "unsupported_content_type"
    UNREADABLE = "unreadable_content"
    BUDGET_EXHAUSTED = "budget_exhausted"
    NO_SPEECH = "no_speech"
    RECOGNITION_FAILED = "recognition_failed"
    GAVE_UP = "gave_up"
    CANCELLED = "cancelled"


OFFERED_AGAIN = frozenset({Fault.SIZE_MISMATCH, Fault.CHECKSUM_MISMATCH, Fault.CANCELLED})
"""Faults of the way, not of the file: the next start of the same file gives a fresh URL."""


class Flag(StrEnum):
    """What a person should know of a result."""

    BLANK = "blank"
    BLANK_PAGES = "blank_pages"
    SILENT = "silent"
    PARTIAL = "partial"


class AssetError(Frozen):
    """Why an asset failed: a code and a sentence."""

    code: Fault
    message: str


class Lease(Frozen):
    """Who works on an asset, and until when nobody else may."""

    holder: str
    until: Moment


class AssetSummary(Record):
    """An asset without its text: what lists read."""

    company_id: str
    project_id: str
    session_id: str | None = None
    cycle_id: str | None = None
    uploader_id: str
    kind: Kind
    path: str
    """Relative path in the folder it came from."""
    name: str
    """Last part of the path."""
    content_type: str
    size: int
    """Bytes promised in the manifest; what is in the bucket has exactly these."""
    crc32c: str | None = None
    """Base 64, big-endian, as Cloud Storage gives it."""
    md5: str | None = None
    """Base 64."""
    languages: list[str] = []
    state: AssetState = AssetState.PENDING
    uploaded: bool = False
    """Whether the object is in the bucket."""
    settled: bool = False
    """Whether the state is final for this kind."""
    uploaded_bytes: int = 0
    generation: int | None = None
    """Of the object that was taken in; with bucket and name it is the key of everything done to it."""
    content_md5: str | None = None
    """MD5 of what is in the bucket, base 64; none for composed objects."""
    twin_of: str | None = None
    """The asset with the same bytes whose result this one shares."""
    attempts: int = 0
    lease: Lease | None = None
    operation: str | None = None
    """Name of the long operation that recognises it."""
    operation_began_at: Moment | None = None
    excerpt: str = ""
    confidence: float | None = None
    language: str | None = None
    pages: int | None = None
    duration_seconds: float | None = None
    flags: list[Flag] = []
    spent: float = 0.0
    """Pages, or seconds, that engines were asked for in the month (UTC) of `spent_at`, each time that they were."""
    at_stake: float = 0.0
    """The part of `spent` of which the engine has not said yet what came of it."""
    spent_at: Moment | None = None
    """When `spent` was last written; None while nothing was."""
    revision: int = 0
    """Number of the latest revision of its text; 0 before the first correction."""
    machine_revision: int | None = None
    """Number of the revision that keeps what the machine found; None while `text` still is that."""
    result_object: str | None = None
    error: AssetError | None = None
    review: Review = Field(default_factory=Review)
    character_error_rate: float | None = None
    """Of the machine's text against the approved text; None until it is approved."""
    word_error_rate: float | None = None
    """Like `character_error_rate`, of words."""
    uploaded_at: Moment | None = None
    processed_at: Moment | None = None
    request_id: str | None = None
    """Of the request that announced it; follows the file into every log line."""
    traceparent: str | None = None
    deleted_with: str | None = None
    """The session that it was deleted with, and comes back with; None: deleted by itself, or not at all."""

    @property
    def object_name(self) -> str:
        """Where its bytes are in the bucket."""
        return f"{self.kind.prefix}/{self.company_id}/{self.project_id}/{self.id}"

    @property
    def result_name(self) -> str:
        """Where its whole result is in the bucket."""
        return f"results/{self.company_id}/{self.project_id}/{self.id}/{self.generation}.json"

    @property
    def revisions_prefix(self) -> str:
        """Where long texts that people wrote are in the bucket."""
        return f"results/{self.company_id}/{self.project_id}/{self.id}/revisions/"

    @property
    def batch_prefix(self) -> str:
        """Where long operations put their output, each in a folder of its own."""
        return f"batch/{self.id}/{self.generation}/"

    @property
    def all_objects(self) -> tuple[str, ...]:
        """Everything of it in the bucket: the name of an object, and the folders (ending in `/`) of all others."""
        results = f"results/{self.company_id}/{self.project_id}/{self.id}/"
        return self.object_name, results, f"batch/{self.id}/"


class Asset(AssetSummary):
    """An asset with the text that was read or heard, up to `INLINE_TEXT_LIMIT`."""

    text: str = ""
    text_truncated: bool = False


def text_fields(text: str) -> dict[str, Any]:
    """The fields of a record that hold a text: its beginning, whether there is more, and what lists show."""
    raw = text.encode()
    beginning = raw[:INLINE_TEXT_LIMIT].decode(errors="ignore")
    return {
        "text": beginning,
        "text_truncated": len(raw) > INLINE_TEXT_LIMIT,
        "excerpt": " ".join(beginning[: 2 * EXCERPT_LENGTH].split())[:EXCERPT_LENGTH],
    }


def asset_id_in(object_name: str) -> str | None:
    """The asset that an object belongs to; None for a name that is none of ours."""
    parts = object_name.split("/")
    prefixes = {kind.prefix for kind in Kind}
    return parts[3] if len(parts) == 4 and parts[0] in prefixes else None


# --- on the wire


def _known_content_type(value: str) -> str:
    return value.split(";")[0].strip().lower()


ContentType = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(\s*;.*)?$", max_length=200),
    AfterValidator(_known_content_type),
]
"""A media type without parameters, in lower case."""
Crc32c = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{6}==$")]
"""CRC32C, 4 bytes big-endian in base 64."""
Md5 = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{22}==$")]
"""MD5, 16 bytes in base 64."""


class UploadAddress(Frozen):
    """Where and how a client sends the bytes, with exactly these headers.

    `put`: one request with the body. `resumable`: this request without body starts a session; its `Location` takes the
    bytes in chunks (https://cloud.google.com/storage/docs/performing-resumable-uploads).
    """

    protocol: str
    method: str
    url: str
    headers: dict[str, str]
    expires_at: Moment


AssetName = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Languages = Annotated[list[LanguageTag], Field(max_length=10)]
"""Languages expected in it, most likely first."""


class NewAsset(Asked):
    """One document, recording or plain file without a session."""

    project_id: Id
    cycle_id: Id | None = None
    name: AssetName
    size: Annotated[int, Field(ge=1, le=FILE_LIMIT)]
    content_type: ContentType
    crc32c: Crc32c | None = None
    md5: Md5 | None = None
    languages: Languages = []


class AssetChange(Asked):
    """What may change of an asset; a field that is not sent stays.

    `name` is what it is called when it is fetched; its `path` stays. `languages` count when it is recognised again.
    `cycle_id` null: of no cycle; a file of a session has the cycle of its session.
    """

    name: AssetName = unsent()
    languages: Languages = unsent()
    cycle_id: Id | None = None


class AssetItem(Frozen):
    """An asset in a list."""

    id: str
    kind: Kind
    state: AssetState
    project_id: str
    session_id: str | None
    cycle_id: str | None
    uploader_id: str
    path: str
    name: str
    content_type: str
    size: int
    excerpt: str
    confidence: float | None
    language: str | None
    pages: int | None
    duration_seconds: float | None
    flags: list[Flag]
    revision: int
    twin_of: str | None
    review: Review
    character_error_rate: float | None
    word_error_rate: float | None
    error: AssetError | None
    created_at: Moment
    updated_at: Moment
    uploaded_at: Moment | None
    processed_at: Moment | None
    deleted_at: Moment | None

    @classmethod
    def of(cls, asset: AssetSummary) -> Self:
        """The asset as clients see it."""
        return cls(**asset.model_dump(include=set(cls.model_fields)))


class AssetView(AssetItem):
    """An asset with its text. `text_truncated`: the whole is in the result."""

    text: str
    text_truncated: bool


class CreatedAsset(AssetView):
    """An asset just announced, and where its bytes go."""

    upload: UploadAddress


class Link(Frozen):
    """A signed address that can be opened until it expires."""

    url: str
    expires_at: Moment
