"""Exports as people ask for them, follow them and fetch them; `shared.services.exporting` builds them."""

from typing import Any

from shared.cloud import tasks
from shared.errors import StateConflict
from shared.models.audit import Action
from shared.models.exports import (
    EXPORT_STEPS,
    Export,
    ExportFiles,
    ExportLink,
    ExportState,
    ExportStep,
    ExportView,
    NewExport,
)
from shared.models.identity import Caller
from shared.models.projects import Permission
from shared.models.records import new_id, now
from shared.services import access, audit, changes, cycles
from shared.services.changes import Change
from shared.store import exports, objects

QUEUE = "exporting"


async def create(caller: Caller, asked: NewExport) -> Export:
    """A new export, whose first step is in the queue; one aggregation and one commit."""
    found = await access.project(caller, asked.project_id, Permission.READ)
    if asked.filter.cycle_id is not None:
        await cycles.of_project(asked.filter.cycle_id, asked.project_id)
    moment = now()
    export = Export(
        id=new_id("exp"),
        created_at=moment,
        updated_at=moment,
        company_id=found.project.company_id,
        project_id=asked.project_id,
        format=asked.format,
        filter=asked.filter,
        assets_total=await exports.count(asked.project_id, asked.filter, moment),
        created_by=caller.user_id,
    )
    entry = audit.entry(
        Action.EXPORT_REQUESTED, export.id, by=caller, company_id=export.company_id, after=asked.model_dump(mode="json")
    )
    made = await changes.create(export, exports.get, exports.create(export), entry)
    await next_step(made)
    return made


async def next_step(export: Export) -> None:
    """Puts the next step into the queue; a second one of the same number is none."""
    await tasks.enqueue(
        QUEUE, ExportStep(export_id=export.id, step=export.step), name=f"export:{export.id}:{export.step}"
    )


async def get(caller: Caller, export_id: str, permission: Permission = Permission.READ) -> Export:
    """An export as it is now; one read when the project is cached."""
    export, _ = await access.record(caller, await exports.get(export_id), permission, "export")
    return export


async def page(caller: Caller, project_id: str, size: int, after: tuple[Any, ...] | None) -> list[Export]:
    """The exports of a project, newest first."""
    await access.project(caller, project_id, Permission.READ)
    return await exports.page(project_id, size, after)


async def cancel(caller: Caller, export_id: str) -> Export:
    """Stops an export: no step begins any more, and its files go with its prefix in time."""

    async def read() -> Export:
        export = await get(caller, export_id)
        if ExportState.CANCELLED not in EXPORT_STEPS[export.state]:
            raise StateConflict(f"The export is {export.state}.", details={"state": export.state})
        return export

    change = Change(caller, Action.EXPORT_CANCELLED)
    return await changes.make(change, read, lambda _: {"state": ExportState.CANCELLED}, exports.change)


async def files(caller: Caller, export_id: str) -> ExportFiles:
    """Where the files of an export can be fetched."""
    export = await get(caller, export_id)
    if export.state is not ExportState.READY:
        raise StateConflict("The export is not ready.", details={"state": export.state})
    links = await objects.links(
        [(export.prefix + file.name, file.name.rpartition("/")[2], file.content_type) for file in export.files]
    )
    return ExportFiles(
        items=[
            ExportLink(**file.model_dump(), url=link.url, expires_at=link.expires_at)
            for file, link in zip(export.files, links, strict=True)
        ]
    )


def view(export: Export) -> ExportView:
    """The export as clients see it."""
    seen = 100.0 * export.assets_seen / export.assets_total if export.assets_total else 0.0
    percent = 100.0 if export.state is ExportState.READY else round(min(seen, 99.9), 1)
    return ExportView(**export.model_dump(), percent=percent)
