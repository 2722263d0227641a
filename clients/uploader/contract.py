"""The shapes that the platform answers with, as far as the uploader reads them.

They are descriptions of JSON, not classes: a page of 1,000 files costs no more than parsing it.
"""

from typing import Literal, TypedDict

MANIFEST_LIMIT = 1000
"""Files in one manifest page (the platform refuses more)."""

PAGE_SIZE = 200
"""Items asked for in one page of a list (the platform's largest page)."""

FINAL = frozenset({"completed", "failed", "cancelled"})
"""States of a session that do not change any more."""

OFFERED_AGAIN = frozenset({"size_mismatch", "checksum_mismatch", "cancelled"})
"""Faults of the way, not of the file: the platform takes the same file once more."""

_FAILED = "failed"
"""The state of a file that is not to be used as it is."""

Kind = Literal["document", "voice", "file"]


class Tokens(TypedDict):
    """What a sign-in or a refresh answers; `expires_in` is in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


class Named(TypedDict):
    """A project or a cycle."""

    id: str
    name: str


class Stats(TypedDict):
    """Where a session stands. Bytes and files are counts; `bytes_per_second` and `seconds_left` null when unknown."""

    files_total: int
    files_uploaded: int
    files_processed: int
    files_failed: int
    bytes_total: int
    bytes_uploaded: int
    percent: float
    bytes_per_second: float | None
    seconds_left: float | None


class FileError(TypedDict):
    """A file that the platform could not use."""

    path: str
    code: str
    message: str


class Session(TypedDict):
    """An upload session."""

    id: str
    name: str
    status: str
    stats: Stats


class ManifestFile(TypedDict):
    """A file as it is announced. `crc32c` is base 64 of 4 bytes, big-endian."""

    path: str
    size: int
    content_type: str
    crc32c: str


class Grant(TypedDict):
    """Where and how to send the bytes: a signed request, to be made with exactly these headers."""

    protocol: Literal["put", "resumable"]
    method: str
    url: str
    headers: dict[str, str]
    expires_at: str


class JobFile(TypedDict):
    """A file of a job; `upload` is null when nothing is to be sent."""

    path: str
    asset_id: str
    kind: Kind
    state: str
    upload: Grant | None


def is_refused(file: JobFile) -> bool:
    """Whether the platform does not take the file: nothing is to be sent, and yet nothing is there."""
    return file["upload"] is None and file["state"] == _FAILED


class Job(TypedDict):
    """The answer to a manifest page."""

    job_id: str
    session_id: str
    files: list[JobFile]


class Status(TypedDict):
    """Where a job stands. `errors` names some of the failed files, not always all."""

    job_id: str
    status: str
    stats: Stats
    errors: list[FileError]


class AssetError(TypedDict):
    """Why an asset failed."""

    code: str
    message: str


class Asset(TypedDict):
    """A document or recording in a list. `excerpt` is how its text begins."""

    id: str
    kind: Kind
    state: str
    path: str
    name: str
    size: int
    excerpt: str
    confidence: float | None
    language: str | None
    pages: int | None
    duration_seconds: float | None
    error: AssetError | None


class AssetText(Asset):
    """A document or recording with its text; `text_truncated`: it goes on in the result object."""

    text: str
    text_truncated: bool
