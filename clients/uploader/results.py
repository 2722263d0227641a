"""What became of each file of a session."""

from dataclasses import dataclass, replace

from clients.uploader.api import Client
from clients.uploader.contract import Asset, AssetError, FileError, Status
from clients.uploader.journal import Journal


@dataclass(frozen=True)
class FileResult:
    """One file after its processing. `text` is how its text begins, or the whole where it was asked for.

    `confidence` is from 0 to 1. `text_goes_on`: there is more of it in the result object.
    """

    path: str
    kind: str
    state: str
    pages: int | None = None
    duration_seconds: float | None = None
    confidence: float | None = None
    language: str | None = None
    text: str = ""
    text_goes_on: bool = False
    error: AssetError | None = None


async def results(
    client: Client, journal: Journal, session_id: str, status: Status, *, whole_text: bool
) -> list[FileResult]:
    """All files of a session, by path.

    No list of the platform holds plain files: they are those that this machine's journal knows, and those that failed.
    """
    found: list[FileResult] = []
    for kind in ("document", "voice"):
        assets = client.assets(kind, session_id)
        found.extend([await _read(client, asset) if whole_text else _listed(asset) async for asset in assets])
    known = {result.path for result in found}
    errors = {error["path"]: error for error in status["errors"] if error["path"] not in known}
    for entry in journal.plain_files(session_id):
        error = errors.pop(entry.path, None)
        state = "failed" if error or entry.refused else "uploaded" if entry.done else "missing"
        found.append(FileResult(entry.path, entry.kind, state, error=_reason(error)))
    found.extend(FileResult(path, "file", "failed", error=_reason(error)) for path, error in errors.items())
    return sorted(found, key=lambda result: result.path)


def _listed(asset: Asset) -> FileResult:
    return FileResult(
        asset["path"],
        asset["kind"],
        asset["state"],
        asset["pages"],
        asset["duration_seconds"],
        asset["confidence"],
        asset["language"],
        asset["excerpt"],
        error=asset["error"],
    )


async def _read(client: Client, asset: Asset) -> FileResult:
    if asset["state"] != "processed":
        return _listed(asset)
    whole = await client.asset(asset["kind"], asset["id"])
    return replace(_listed(whole), text=whole["text"], text_goes_on=whole["text_truncated"])


def _reason(error: FileError | None) -> AssetError | None:
    return AssetError(code=error["code"], message=error["message"]) if error else None
