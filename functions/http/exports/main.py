"""Datasets of projects, asked for, followed and fetched: /api/exports."""

from typing import Annotated

from shared.models.exports import ExportFiles, ExportView, NewExport
from shared.services import exports
from shared.web.app import http_function, router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first

from fastapi import Query

router = router_at("/api/exports")


@router.post("", status_code=201)
async def create_export(caller: SignedIn, asked: NewExport, etag: Conditional) -> ExportView:
    """Begins a dataset of what came to a good end in a project: JSONL, CSV, Parquet, Label Studio or Hugging Face."""
    made = await exports.create(caller, asked)
    etag.answer(made.version)
    return exports.view(made)


@router.get("")
async def list_exports(
    caller: SignedIn, paging: Paged, project_id: Annotated[str, Query(max_length=100)]
) -> Page[ExportView]:
    """The exports of a project, newest first."""
    found = await exports.page(caller, project_id, paging.size, paging.after)
    return paging.page(found, exports.view, newest_first)


@router.get("/{export_id}")
async def get_export(caller: SignedIn, export_id: str, etag: Conditional) -> ExportView:
    """One export, and how far it is."""
    found = await exports.get(caller, export_id)
    etag.answer(found.version)
    return exports.view(found)


@router.get("/{export_id}/files")
async def get_export_files(caller: SignedIn, export_id: str) -> ExportFiles:
    """Where each file of an export that is ready can be fetched, with its checksum."""
    return await exports.files(caller, export_id)


@router.post("/{export_id}/cancel")
async def cancel_export(caller: SignedIn, export_id: str) -> ExportView:
    """Stops an export that is not ready."""
    return exports.view(await exports.cancel(caller, export_id))


main = http_function("exports", router)
