"""Documents, voice recordings and plain files: announced one by one, read, listed, fetched."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from shared import logs
from shared.errors import StateConflict, UnsupportedMediaType, ValidationFailed
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
from shared.services import access, changes, content, cycles, sessions
from shared.services.access import Access
from shared.store import assets, objects


async def create(caller: Caller, kind: Kind, asked: NewAsset) -> tuple[CreatedAsset, int]:
    """A new asset without a session, with the address its bytes go to, and its version; one commit."""
    if kind_of(asked.content_type) is not kind or not content.supported(asked.content_type):
        known = sorted(one for one in content.SUPPORTED if kind_of(one) is kind)
        of = f"one of {', '.join(known)}" if known else "anything but images, PDF and audio"
        raise UnsupportedMediaType(f"A {kind} is {of}.")
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
    made = await changes.create(asset, assets.get, assets.create(asset))
    return CreatedAsset(**made.model_dump(), upload=address), made.version


async def get(caller: Caller, kind: Kind, asset_id: str) -> Asset:
    """An asset as it is now; one read when the project is cached."""
    asset, _ = await find(caller, kind, asset_id, Permission.READ)
    return asset


async def find(
    caller: Caller, kind: Kind, asset_id: str, permission: Permission, *, deleted: bool = False
) -> tuple[Asset, Access]:
    """An asset as it is now, and the access to its project; one read when the project is cached."""
    found = await assets.get(asset_id)
    of_kind = found if found is not None and found.kind is kind else None
    return await access.record(caller, of_kind, permission, kind, deleted=deleted)


async def page(
    caller: Caller,
    kind: Kind,
    scope: Mapping[str, str | None],
    filters: Mapping[str, str | None],
    size: int,
    after: tuple[Any, ...] | None,
    *,
    deleted: bool = False,
) -> list[AssetSummary]:
    """Assets of a session, or of a project, newest first; one read for each. Deleted ones for who contributes.

    `scope` holds `session_id` or `project_id`, and the first that is given counts.
    """
    permission = Permission.CONTRIBUTE if deleted else Permission.READ
    where = assets.of_kind(await _project(caller, scope, permission), kind)
    if scope.get("session_id") is not None:
        where.append(("session_id", "==", scope["session_id"]))
    where += [(field, "==", value) for field, value in filters.items() if value is not None]
    return await assets.page(where, size, after, deleted=deleted)


async def _project(caller: Caller, scope: Mapping[str, str | None], permission: Permission) -> str:
    session_id, project_id = scope.get("session_id"), scope.get("project_id")
    if session_id is not None:
        session, _ = await sessions.get(caller, session_id, permission)
        return session.project_id
    if project_id is None:
        raise ValidationFailed("A list needs a project_id or a session_id.", details=[{"field": "project_id"}])
    await access.project(caller, project_id, permission)
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
