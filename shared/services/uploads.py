"""Upload jobs: a manifest comes in, signed addresses go out, and the progress is started.

A start is repeatable: ids come from the session, path, size and checksum, so the same file is the same asset whenever
it is announced. While assets are being written the session's manifest is open, so that no tick completes it too early.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import NotFound, StateConflict
from shared.models.assets import OFFERED_AGAIN, Asset, AssetState, UploadAddress
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import now
from shared.models.sessions import (
    AnsweredState,
    ManifestPage,
    Session,
    SessionStatus,
    UploadFile,
    UploadJob,
    UploadStatus,
)
from shared.services import changes, manifest, rollups, sessions, ticks
from shared.services.changes import Change
from shared.store import assets, firestore, objects
from shared.store import sessions as stored_sessions

ATTEMPTS = 5
"""How often a write is repeated when somebody else was faster."""


async def add(caller: Caller, session_id: str, page: ManifestPage) -> UploadJob:
    """Takes in one page of a session's manifest.

    For n files: 1 read (n more when some of them are known), n writes of assets and at most 2 of the session. Raises
    ManifestInvalid, with nothing written, for bad paths; StateConflict when the session is at its end.
    """
    session, access = await sessions.get(caller, session_id, Permission.CONTRIBUTE)
    manifest.check(page.files)
    session = await _open(session)
    wanted = manifest.assets_for(session, page.files, caller, access.project.languages)
    files = await _announce(wanted)
    if not page.expect_more:
        await _close(session)
    await ticks.soon(session.id)
    return UploadJob(job_id=session.id, session_id=session.id, files=files)


async def _open(session: Session) -> Session:
    """The session in progress, with an open manifest."""
    for _ in range(ATTEMPTS):
        if session.status is not SessionStatus.IN_PROGRESS:
            sessions.require_step(session, SessionStatus.IN_PROGRESS)
        elif session.manifest_open:
            return session
        began = {"status": SessionStatus.IN_PROGRESS, "started_at": session.started_at or now()}
        fields = {**began, "manifest_open": True, "progressed_at": now()}
        try:
            version = await firestore.commit(stored_sessions.change(session, fields))
            return session.model_copy(update={**fields, "version": version})
        except firestore.Conflict:
            session = await _again(session.id)
    raise StateConflict("Too many requests change this session at once.")


async def _close(session: Session) -> None:
    for _ in range(ATTEMPTS):
        if not session.manifest_open or session.status is not SessionStatus.IN_PROGRESS:
            return
        try:
            await firestore.commit(stored_sessions.change(session, {"manifest_open": False}))
        except firestore.Conflict:
            session = await _again(session.id)
        else:
            return
    raise StateConflict("Too many requests change this session at once.")


async def _again(session_id: str) -> Session:
    session = await stored_sessions.get(session_id)
    if session is None or session.deleted_at is not None:
        raise NotFound("There is no such session.")
    return session


async def _announce(wanted: Sequence[Asset]) -> list[UploadFile]:
    """Writes what is new, and says of each file where its bytes go.

    Mostly all are new: so they are written without a look at what is there, and their addresses signed meanwhile.
    """
    addresses = asyncio.create_task(_addresses(wanted))
    try:
        await _commit_all([assets.create(asset) for asset in wanted])
        return _answers(wanted, await addresses)
    except firestore.Conflict:
        known = await _write(wanted)
    finally:
        addresses.cancel()
    return _answers(known, await _addresses(known))


async def _write(wanted: Sequence[Asset]) -> list[Asset]:
    """The assets as they are now, some of which were known, in the order they were wanted."""
    for _ in range(ATTEMPTS):
        existing = await assets.existing([asset.id for asset in wanted])
        known = [existing.get(asset.id, asset) for asset in wanted]
        new = [assets.create(asset) for asset in wanted if asset.id not in existing]
        back = {asset.id: fields for asset in existing.values() if (fields := _brings_back(asset))}
        reset = [assets.change(existing[asset_id], fields) for asset_id, fields in back.items()]
        await rollups.again(wanted[0].project_id, (one.deleted_at for one in existing.values()))
        try:
            await _commit_all([*new, *reset])
        except firestore.Conflict:
            continue  # the same files were announced, or came, at the same moment: look again
        return [asset.model_copy(update=back.get(asset.id, {})) for asset in known]
    raise StateConflict("Too many requests announce these files at once.")


async def _commit_all(writes: Sequence[firestore.Write]) -> None:
    """Commits them side by side, and raises what went wrong when all have ended: none is under way any more."""
    starts = range(0, len(writes), firestore.COMMIT_LIMIT)
    commits = [firestore.commit(*writes[start : start + firestore.COMMIT_LIMIT]) for start in starts]
    for outcome in await asyncio.gather(*commits, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _brings_back(asset: Asset) -> dict[str, Any]:
    """What makes an asset that was deleted live again, and one that failed on its way wait for its bytes again."""
    fields: dict[str, Any] = {"deleted_at": None} if asset.deleted_at is not None else {}
    if asset.error and asset.error.code in OFFERED_AGAIN:
        fields |= {"state": AssetState.PENDING, "settled": False, "error": None, "processed_at": None}
    return fields


async def _addresses(known: Sequence[Asset]) -> dict[str, UploadAddress]:
    """Where the bytes of those go that wait for them, by id."""
    pending = [asset for asset in known if asset.state is AssetState.PENDING]
    addresses = await objects.upload_addresses(pending)
    return {asset.id: address for asset, address in zip(pending, addresses, strict=True)}


def _answers(known: Sequence[Asset], addresses: Mapping[str, UploadAddress]) -> list[UploadFile]:
    return [
        UploadFile(
            path=asset.path,
            asset_id=asset.id,
            kind=asset.kind,
            state=AnsweredState.ALREADY_UPLOADED if asset.uploaded else asset.state,
            upload=addresses.get(asset.id),
        )
        for asset in known
    ]


async def fresh_urls(caller: Caller, job_id: str, asset_ids: Sequence[str]) -> UploadJob:
    """New addresses for files of the job that have not come yet; one read for each. NotFound for a foreign asset."""
    session, _ = await sessions.get(caller, job_id, Permission.CONTRIBUTE)
    if session.status is not SessionStatus.IN_PROGRESS:
        raise StateConflict(f"The session is {session.status}.", details={"state": session.status})
    found = await assets.existing(asset_ids)
    living = {asset.id: asset for asset in found.values() if asset.session_id == session.id and not asset.deleted_at}
    ours = [living[one] for one in asset_ids if one in living]
    if len(ours) != len(asset_ids):
        raise NotFound("Not all of these assets belong to this job.")
    return UploadJob(job_id=session.id, session_id=session.id, files=_answers(ours, await _addresses(ours)))


async def cancel(caller: Caller, job_id: str) -> Session:
    """Stops the job: what has not come fails as cancelled, and what is being recognised goes on to its end."""

    async def read() -> Session:
        session, _ = await sessions.get(caller, job_id, Permission.CONTRIBUTE)
        return session

    def decide(session: Session) -> Mapping[str, Any]:
        if session.status is SessionStatus.CANCELLED:
            return {}
        sessions.require_step(session, SessionStatus.CANCELLED)
        return {**session.end(SessionStatus.CANCELLED, now()), "manifest_open": False}

    change = Change(caller, Action.SESSION_CANCELLED)
    session = await changes.make(change, read, decide, stored_sessions.change)
    await ticks.soon(session.id)
    return session


async def status(caller: Caller, job_id: str) -> tuple[UploadStatus, int]:
    """Where the job stands as of its last tick, and the version of that; one read."""
    session, _ = await sessions.get(caller, job_id)
    return UploadStatus(job_id=session.id, session_id=session.id, **_shown(session)), session.version


def _shown(session: Session) -> dict[str, Any]:
    return session.model_dump(include={"status", "stats", "errors", "failure"})
