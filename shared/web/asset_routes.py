"""The routes that documents and voice recordings share: the same resource, of another kind, at another path."""

from typing import Annotated

from fastapi import APIRouter, Query

from shared.models.assets import AssetItem, AssetState, AssetView, CreatedAsset, Kind, Link, NewAsset
from shared.services import assets, reprocessing
from shared.web.caller import SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first


def asset_routes(kind: Kind, path: str) -> APIRouter:
    """A router for assets of this kind below `path`."""
    router = APIRouter(prefix=path, tags=[path.rpartition("/")[2]])

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
    ) -> Page[AssetItem]:
        """Lists the assets of a project or session, newest first, without their text."""
        scope = {"project_id": project_id, "session_id": session_id}
        found = await assets.page(caller, kind, scope, {"state": state}, paging.size, paging.after)
        return paging.page(found, AssetItem.of, newest_first)

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

    @router.get("/{asset_id}/result", operation_id=f"get_{kind}_result")
    async def result(caller: SignedIn, asset_id: str) -> Link:
        """An address from which the whole result can be fetched, as JSON."""
        return await assets.result_link(caller, kind, asset_id)

    @router.post("/{asset_id}/reprocess", operation_id=f"reprocess_{kind}")
    async def reprocess(caller: SignedIn, asset_id: str, etag: Conditional) -> AssetView:
        """Has the asset recognised again, from the bytes that came."""
        asset = await reprocessing.request(caller, await assets.get(caller, kind, asset_id))
        etag.answer(asset.version)
        return AssetView.of(asset)

    return router
