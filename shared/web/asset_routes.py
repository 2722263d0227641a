"""The routes that documents, voice recordings and plain files share: one resource of three kinds, at three paths."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.models.assets import AssetChange, AssetItem, AssetState, AssetView, CreatedAsset, Kind, Link, NewAsset
from shared.services import asset_changes, assets
from shared.web.app import router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, latest_deleted, newest_first


def asset_routes(kind: Kind, path: str) -> APIRouter:
    """A router for assets of this kind below `path`."""
    router = router_at(path)

    @router.post("", status_code=201, operation_id=f"create_{kind}")
    async def create(caller: SignedIn, asked: NewAsset, etag: Conditional) -> CreatedAsset:
        """Announces one file without a session; the answer says where its bytes go."""
        made, version = await assets.create(caller, kind, asked)
        etag.answer(version)
        return made

    @router.get("", operation_id=f"list_{kind}s")
    async def list_assets(
        caller: SignedIn,
        paging: Paged,
        project_id: Annotated[str | None, Query(description="Of this project, or ...")] = None,
        session_id: Annotated[str | None, Query(description="... of this session.")] = None,
        state: Annotated[AssetState | None, Query(description="Only in this state.")] = None,
        deleted: Annotated[bool, Query(description="Those that were deleted instead, latest first.")] = False,
    ) -> Page[AssetItem]:
        """Lists the assets of a project or session, newest first, without their text."""
        scope = {"project_id": project_id, "session_id": session_id}
        found = await assets.page(caller, kind, scope, {"state": state}, paging.size, paging.after, deleted=deleted)
        return paging.page(found, AssetItem.of, latest_deleted if deleted else newest_first)

    @router.get("/{asset_id}", operation_id=f"get_{kind}")
    async def get(caller: SignedIn, asset_id: str, etag: Conditional) -> AssetView:
        """One asset, with the text that was read or heard."""
        asset = await assets.get(caller, kind, asset_id)
        etag.answer(asset.version)
        return AssetView.of(asset)

    @router.get("/{asset_id}/content", operation_id=f"get_{kind}_content")
    async def content(caller: SignedIn, asset_id: str) -> Link:
        """An address from which the file itself can be fetched."""
        return await assets.content_link(caller, kind, asset_id)

    @router.put("/{asset_id}", operation_id=f"put_{kind}")
    @router.patch("/{asset_id}", operation_id=f"change_{kind}")
    async def change(caller: SignedIn, asset_id: str, asked: AssetChange, etag: Conditional) -> AssetView:
        """Changes an asset; what is not sent stays. For who uploaded it, and who manages the project."""
        asset = await asset_changes.update(caller, kind, asset_id, asked, etag.expected)
        etag.answer(asset.version)
        return AssetView.of(asset)

    @router.delete("/{asset_id}", status_code=204, operation_id=f"delete_{kind}")
    async def delete(caller: SignedIn, asset_id: str, etag: Conditional) -> Response:
        """Deletes an asset; it can be restored for 30 days. A session no longer waits for one that has not come."""
        await asset_changes.delete(caller, kind, asset_id, etag.expected)
        return Response(status_code=204)

    @router.post("/{asset_id}/restore", operation_id=f"restore_{kind}")
    async def restore(caller: SignedIn, asset_id: str, etag: Conditional) -> AssetView:
        """Brings a deleted asset back; one that was deleted with its session comes back with that."""
        asset = await asset_changes.restore(caller, kind, asset_id, etag.expected)
        etag.answer(asset.version)
        return AssetView.of(asset)

    return router
