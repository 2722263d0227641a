"""The routes of texts and their revisions: the same for documents and voice recordings."""

from typing import Annotated

from fastapi import APIRouter, Path

from shared.models.assets import AssetView, Kind
from shared.models.revisions import NewText, RevisionItem, RevisionView, TextView
from shared.services import correction
from shared.web.app import router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged

Number = Annotated[int, Path(ge=1, le=999_999, description="Of the revision, from 1.")]


def text_routes(kind: Kind, path: str) -> APIRouter:
    """A router for the texts of assets of this kind, whose routes are below `path`."""
    router = router_at(path)

    @router.get("/{asset_id}/text", operation_id=f"get_{kind}_text")
    async def get_text(caller: SignedIn, asset_id: str, etag: Conditional) -> TextView:
        """The whole text as it is now."""
        text, version = await correction.text(caller, kind, asset_id)
        etag.answer(version)
        return text

    @router.put("/{asset_id}/text", operation_id=f"put_{kind}_text")
    @router.patch("/{asset_id}/text", operation_id=f"correct_{kind}_text")
    async def correct_text(caller: SignedIn, asset_id: str, asked: NewText, etag: Conditional) -> AssetView:
        """Corrects the text; what it was before stays as a revision. What is approved is sent back first."""
        asset = await correction.correct(caller, kind, asset_id, asked, etag.expected)
        etag.answer(asset.version)
        return AssetView.of(asset)

    @router.get("/{asset_id}/revisions", operation_id=f"list_{kind}_revisions")
    async def list_revisions(caller: SignedIn, asset_id: str, paging: Paged) -> Page[RevisionItem]:
        """Every revision of the text, the latest first, the machine's last; none before the first correction."""
        found = await correction.page(caller, kind, asset_id, paging.size, paging.after)
        return paging.page(found, correction.item, lambda one: (one.number, one.id))

    @router.get("/{asset_id}/revisions/{number}", operation_id=f"get_{kind}_revision")
    async def get_revision(caller: SignedIn, asset_id: str, number: Number) -> RevisionView:
        """One revision, with its whole text."""
        return await correction.revision(caller, kind, asset_id, number)

    @router.post("/{asset_id}/revisions/{number}/restore", operation_id=f"restore_{kind}_revision")
    async def restore_revision(caller: SignedIn, asset_id: str, number: Number, etag: Conditional) -> AssetView:
        """Makes the text what it was in this revision; that is a revision too."""
        asset = await correction.restore(caller, kind, asset_id, number, etag.expected)
        etag.answer(asset.version)
        return AssetView.of(asset)

    return router
