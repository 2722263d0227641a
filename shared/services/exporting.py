"""Builds exports: each step reads the next assets and writes one part of the dataset, in memory that does not grow.

A step that comes twice writes the same part to the same name. The last step writes the manifest, with the checksum of
every file, and says that the export is ready. Nothing here is permanent: what fails is raised and tried again.
"""

import hashlib
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared import logs
from shared.models.assets import Asset, AssetState
from shared.models.exports import EXPORT_STEPS, Export, ExportFile, ExportFormat, ExportState, ExportStep
from shared.models.records import now
from shared.models.webhooks import Event
from shared.services import datasets, exports, texts, webhooks
from shared.store import exports as stored
from shared.store import firestore, labels, objects, projects

PART_ASSETS = 5_000
PART_BYTES = 16 * 2**20
"""A part is closed when so many assets were looked at for it, or it has so many bytes."""
AT_ONCE = 200
"""Assets that are in memory at a time; each carries 100 kB of text at the most, and longer texts come one by one."""
_GOOD = frozenset({AssetState.PROCESSED, AssetState.UPLOADED})

_log = logs.logger(__name__)


async def build(asked: ExportStep) -> None:
    """Does one step of an export, and puts the next one into the queue; two reads for each asset, one commit.

    It ends here when its project was deleted: whoever restores that asks for another.
    """
    export = await stored.get(asked.export_id)
    if export is None or ExportState.READY not in EXPORT_STEPS[export.state]:
        return
    if export.step != asked.step:
        await exports.next_step(export)  # this step is done; the next one may have been lost on the way
        return
    if not await projects.is_living(export.project_id):
        await firestore.commit(stored.change(export, {"state": ExportState.CANCELLED}))
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
    done = Export.model_validate({**export.model_dump(), **fields})
    data = exports.view(done).model_dump(mode="json")
    told = await webhooks.messages(export.project_id, Event.EXPORT_READY, export, data) if part.last else []
    await firestore.commit(stored.change(export, fields), *webhooks.writes(told))
    _log.info("export_step", export_id=export.id, step=export.step, rows=part.rows)
    if not part.last:
        await exports.next_step(done)
    await webhooks.send(told)


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
    async with aclosing(_assets(export)) as found:
        async for asset, item in found:
            seen += 1
            after = [asset.created_at.isoformat(), asset.id]
            if item is not None:
                writer.add(item)
            if seen >= PART_ASSETS or writer.size >= PART_BYTES:
                last = False
                break
    # An export without rows has one part too, so that whoever opens it finds its columns.
    if not writer.rows and export.step:
        return Part((), 0, seen, after, last)
    name = datasets.part_name(export.format, export.step)
    return Part((await _keep(export, name, writer.finish(), writer.rows),), writer.rows, seen, after, last)


async def _assets(export: Export) -> AsyncGenerator[tuple[Asset, datasets.Item | None], None]:
    """The next assets, and what goes into the dataset of each that came to a good end."""
    after = (datetime.fromisoformat(export.after[0]), export.after[1]) if export.after else None
    async with aclosing(_some(stored.assets(export, PART_ASSETS, after))) as several:
        async for some in several:
            good = {asset.id for asset in some if asset.state in _GOOD and asset.settled}
            said = await labels.annotations_of(sorted(good))
            for asset in some:
                text = await texts.current(asset) if asset.id in good else ""
                yield asset, datasets.Item(asset, text, said.get(asset.id)) if asset.id in good else None


async def _some(found: AsyncGenerator[Asset, None]) -> AsyncGenerator[list[Asset], None]:
    async with aclosing(found):
        some: list[Asset] = []
        async for asset in found:
            some.append(asset)
            if len(some) == AT_ONCE:
                yield some
                some = []
        if some:
            yield some


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
