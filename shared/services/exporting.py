"""Builds exports: each step reads the next assets and writes one part of the dataset, in memory that does not grow.

A step that comes twice writes the same part to the same name. The last step writes the manifest, with the checksum of
every file, and says that the export is ready. Nothing here is permanent: what fails is raised and tried again.
"""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import logs
from shared.models.assets import Asset, AssetState
from shared.models.exports import EXPORT_STEPS, Export, ExportFile, ExportFormat, ExportState, ExportStep
from shared.models.records import now
from shared.models.webhooks import Event
from shared.services import datasets, exports, webhooks
from shared.store import exports as stored
from shared.store import firestore, labels, objects

PAGE = 200
"""Assets that are in memory at a time; each carries 100 kB of text at the most."""
PART_ROWS = 5_000
PART_BYTES = 16 * 2**20
"""A part is closed when it has so many rows or bytes."""
_GOOD = frozenset({AssetState.PROCESSED, AssetState.UPLOADED})

_log = logs.logger(__name__)


async def build(asked: ExportStep) -> None:
    """Does one step of an export, and puts the next one into the queue; one read for each asset, one commit."""
    export = await stored.get(asked.export_id)
    if export is None or ExportState.READY not in EXPORT_STEPS[export.state]:
        return
    if export.step != asked.step:
        await exports.next_step(export)  # this step is done; the next one may have been lost on the way
        return
    part = await _part(export)
    fields = {
        "state": ExportState.RUNNING,
        "step": export.step + 1,
        "after": part.after,
        "assets_seen": export.assets_seen + part.seen,
        "rows": export.rows + part.rows,
        "files": [file.model_dump() for file in (*export.files, *part.files)],
    }
    if part.last:
        fields |= await _finish(export, (*export.files, *part.files), export.rows + part.rows)
    version = await firestore.commit(stored.change(export, fields))
    _log.info("export_step", export_id=export.id, step=export.step, rows=part.rows)
    export = Export.model_validate({**export.model_dump(), **fields, "version": version})
    if not part.last:
        await exports.next_step(export)
        return
    told = exports.view(export).model_dump(mode="json")
    await webhooks.emit(export.project_id, Event.EXPORT_READY, export.id, told)


@dataclass(frozen=True)
class Part:
    """What one step made: at most one file, how many assets were looked at, and where the next step goes on."""

    files: tuple[ExportFile, ...]
    rows: int
    seen: int
    after: list[str]
    last: bool


async def _part(export: Export) -> Part:
    writer = datasets.writer(export.format)
    seen, after, last = 0, export.after, True
    async for page in _pages(export):
        seen += len(page)
        good = [asset for asset in page if asset.state in _GOOD and asset.settled]
        labelled = export.format is ExportFormat.LABEL_STUDIO
        said = await labels.annotations_of([asset.id for asset in good]) if labelled else {}
        writer.add([datasets.Item(asset, said.get(asset.id)) for asset in good])
        after = [page[-1].created_at.isoformat(), page[-1].id]
        if writer.rows >= PART_ROWS or writer.size >= PART_BYTES:
            last = False
            break
    # An export without rows has one part too, so that whoever opens it finds its columns.
    if not writer.rows and export.step:
        return Part((), 0, seen, after, last)
    name = datasets.part_name(export.format, export.step)
    return Part((await _keep(export, name, writer.finish(), writer.rows),), writer.rows, seen, after, last)


async def _pages(export: Export) -> AsyncIterator[list[Asset]]:
    after: tuple[Any, ...] | None = None
    if export.after:
        after = (datetime.fromisoformat(export.after[0]), export.after[1])
    while True:
        page = await stored.assets(export, PAGE, after)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = (page[-1].created_at, page[-1].id)


async def _finish(export: Export, parts: tuple[ExportFile, ...], rows: int) -> dict[str, Any]:
    """Writes what is beside the parts: the card, if the format has one, and the manifest."""
    files = list(parts)
    if export.format is ExportFormat.HUGGING_FACE:
        files.append(await _keep(export, "README.md", datasets.card(rows).encode(), None))
    manifest = {
        "export_id": export.id,
        "project_id": export.project_id,
        "format": export.format,
        "filter": export.filter.model_dump(mode="json"),
        "as_of": export.created_at.isoformat(),
        "rows": rows,
        "files": [file.model_dump(mode="json") for file in files],
    }
    files.append(await _keep(export, "manifest.json", json.dumps(manifest, indent=2).encode(), None))
    return {
        "state": ExportState.READY,
        "ready_at": now(),
        "files": [file.model_dump() for file in files],
    }


async def _keep(export: Export, name: str, raw: bytes, rows: int | None) -> ExportFile:
    content_type = datasets.content_type(name)
    await objects.write(export.prefix + name, raw, content_type)
    digest = hashlib.sha256(raw).hexdigest()
    return ExportFile(name=name, bytes=len(raw), sha256=digest, content_type=content_type, rows=rows)
