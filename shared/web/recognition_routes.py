"""The routes of what recognition makes of documents and recordings: the whole result, and having it done again."""

from fastapi import APIRouter

from shared.models.assets import AssetView, Kind, Link
from shared.services import assets, reprocessing
from shared.web.app import router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional


def recognition_routes(kind: Kind, path: str) -> APIRouter:
    """A router for what recognition makes of assets of this kind, whose other routes are below `path`."""
    router = router_at(path)

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
