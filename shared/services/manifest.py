"""What a manifest may say, and which assets it stands for."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath

from shared import logs
from shared.errors import ManifestInvalid
from shared.models.assets import Asset, AssetError, AssetState, Fault, kind_of
from shared.models.identity import Caller
from shared.models.records import derived_id, now
from shared.models.sessions import ManifestFile, Session
from shared.services import content

SHOWN = 100
"""Bad files that an error names."""


def check(files: Sequence[ManifestFile]) -> None:
    """Raises ManifestInvalid, naming every bad path, unless all paths are relative, clean and different."""
    bad: list[dict[str, object]] = []
    seen: dict[str, int] = {}
    for index, file in enumerate(files):
        trouble = _trouble(file.path)
        if trouble is None and file.path in seen:
            trouble = ("path_duplicate", f"The same path is at index {seen[file.path]}.")
        seen.setdefault(file.path, index)
        if trouble is not None:
            bad.append({"index": index, "path": file.path, "code": trouble[0], "message": trouble[1]})
    if bad:
        raise ManifestInvalid(
            f"{len(bad)} of {len(files)} files have paths that can't be taken; nothing was written.",
            details=bad[:SHOWN],
        )


def _trouble(path: str) -> tuple[str, str] | None:
    parts = path.split("/")
    if path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return "path_absolute", "Paths are relative to the folder."
    if ".." in parts:
        return "path_traversal", "A path may not leave its folder by `..`."
    if "" in parts or "." in parts or "\\" in path:
        return "path_malformed", "A path is names joined by single `/`, without `.` or backslashes."
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        return "path_malformed", "A path has no control characters."
    return None


def assets_for(
    session: Session, files: Sequence[ManifestFile], caller: Caller, languages: Sequence[str]
) -> list[Asset]:
    """The assets of these files, in their order: the same file in the same session is always the same asset.

    One that can't ever be processed is born failed, so that the rest of the session goes on.
    """
    moment, correlation = now(), logs.correlation()
    return [_asset(session, file, caller, languages, moment, correlation) for file in files]


def _asset(
    session: Session,
    file: ManifestFile,
    caller: Caller,
    languages: Sequence[str],
    moment: datetime,
    correlation: logs.Correlation,
) -> Asset:
    checksum = file.crc32c or file.md5 or ""
    error = _hopeless(file)
    return Asset(
        id=derived_id("ast", session.id, file.path, file.size, checksum),
        created_at=moment,
        updated_at=moment,
        company_id=session.company_id,
        project_id=session.project_id,
        session_id=session.id,
        cycle_id=session.cycle_id,
        uploader_id=caller.user_id,
        kind=kind_of(file.content_type),
        path=file.path,
        name=PurePosixPath(file.path).name,
        content_type=file.content_type,
        size=file.size,
        crc32c=file.crc32c,
        md5=file.md5,
        languages=list(languages),
        state=AssetState.FAILED if error else AssetState.PENDING,
        settled=error is not None,
        error=error,
        request_id=correlation.request_id,
        traceparent=correlation.traceparent,
    )


def _hopeless(file: ManifestFile) -> AssetError | None:
    if file.size == 0:
        return AssetError(code=Fault.EMPTY_FILE, message="The file is empty.")
    if not content.supported(file.content_type):
        return AssetError(code=Fault.UNSUPPORTED, message=f"{file.content_type} can't be recognised.")
    return None
