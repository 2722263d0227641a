"""Documents and voice recordings: announced one by one, read, listed, fetched."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from shared import logs
from shared.errors import NotFound, StateConflict, UnsupportedMediaType, ValidationFailed
from shared.models.assets import (
    Asset,
    AssetSummary,
    CreatedAsset,
    Kind,
    Link,
    NewAsset,
    kind_of,
)
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.services import access, content, cycles, sessions
from shared.store import assets, firestore, objects


async def create(caller: Caller, kind: Kind, asked: NewAsset) -> tuple[CreatedAsset, int]:
    """A new asset without a session, with the address its bytes go to, and its version; one commit."""
    if kind_of(asked.content_type) is not kind or not content.supported(asked.content_type):
        known = sorted(one for one in content.SUPPORTED if kind_of(one) is kind)
        raise UnsupportedMediaType(f"A {kind} is one of {', '.join(known)}.")
    found = await access.project(caller, asked.project_id, Permission.CONTRIBUTE)
    if asked.cycle_id is not None:
        await cycles.of_project(asked.cycle_id, asked.project_id)
    moment = now()
    correlation = logs.correlation()
    asset = Asset(
        id=new_id("ast"),
        created_at=moment,
        updated_at=moment,
        company_id=found.project.company_id,
        project_id=asked.project_id,
        cycle_id=asked.cycle_id,
        uploader_id=caller.user_id,
        kind=kind,
        path=asked.name,
        name=PurePosixPath(asked.name).name,
        content_type=asked.content_type,
        size=asked.size,
        crc32c=asked.crc32c,
        md5=asked.md5,
        languages=asked.languages or found.project.languages,
        request_id=correlation.request_id,
        traceparent=correlation.traceparent,
    )
    (address,) = await objects.upload_addresses([asset])
    version = await firestore.commit(assets.create(asset))
    return CreatedAsset(**asset.model_dump(), upload=address), version


async def get(caller: Caller, kind: Kind, asset_id: str) -> Asset:
    """An asset as it is now; one read when the project is cached."""
    asset = await assets.get(asset_id)
    if asset is None or asset.deleted_at is not None or asset.kind is not kind:
        raise NotFound(f"There is no such {kind}.")
    try:
        await access.project(caller, asset.project_id, Permission.READ)
    except NotFound:
        raise NotFound(f"There is no such {kind}.") from None
    return asset


async def page(
    caller: Caller,
    kind: Kind,
    scope: Mapping[str, str | None],
    filters: Mapping[str, str | None],
    size: int,
    after: tuple[Any, ...] | None,
) -> list[AssetSummary]:
    """Assets of a session, or of a project, newest first; one read for each.

    `scope` holds `session_id` or `project_id`, and the first that is given counts.
    """
    where = assets.of_kind(await _project(caller, scope), kind)
    if scope.get("session_id") is not None:
        where.append(("session_id", "==", scope["session_id"]))
    where += [(field, "==", value) for field, value in filters.items() if value is not None]
    return await assets.page(where, size, after)


async def _project(caller: Caller, scope: Mapping[str, str | None]) -> str:
    session_id, project_id = scope.get("session_id"), scope.get("project_id")
    if session_id is not None:
        session, _ = await sessions.get(caller, session_id)
        return session.project_id
    if project_id is None:
        raise ValidationFailed("A list needs a project_id or a session_id.", details=[{"field": "project_id"}])
    await access.project(caller, project_id, Permission.READ)
    return project_id


async def content_link(caller: Caller, kind: Kind, asset_id: str) -> Link:
    """Where the file itself can be fetched."""
    asset = await get(caller, kind, asset_id)
    if not asset.uploaded:
        raise StateConflict("The file has not come yet.", details={"state": asset.state})
    return await objects.link(asset.object_name, filename=asset.name, content_type=asset.content_type)


async def result_link(caller: Caller, kind: Kind, asset_id: str) -> Link:
    """Where the whole result can be fetched, as JSON."""
    asset = await get(caller, kind, asset_id)
    if asset.result_object is None:
        raise StateConflict("There is no result yet.", details={"state": asset.state})
    filename = f"{PurePosixPath(asset.name).stem}.json"
    return await objects.link(asset.result_object, filename=filename, content_type="application/json")
