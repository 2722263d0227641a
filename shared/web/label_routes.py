"""The routes of annotations: the same for documents and voice recordings."""

from fastapi import APIRouter

from shared.models.assets import Kind
from shared.models.labels import AnnotationsView, NewAnnotations
from shared.services import labels
from shared.web.app import router_at
from shared.web.caller import SignedIn
from shared.web.etags import Conditional


def label_routes(kind: Kind, path: str) -> APIRouter:
    """A router for the annotations of assets of this kind, whose routes are below `path`."""
    router = router_at(path)

    @router.get("/{asset_id}/labels", operation_id=f"get_{kind}_labels")
    async def get_labels(caller: SignedIn, asset_id: str, etag: Conditional) -> AnnotationsView:
        """Everything that is said of it with the labels of its project."""
        view, version = await labels.get(caller, kind, asset_id)
        etag.answer(version)
        return view

    @router.put("/{asset_id}/labels", operation_id=f"put_{kind}_labels")
    async def put_labels(caller: SignedIn, asset_id: str, asked: NewAnnotations, etag: Conditional) -> AnnotationsView:
        """Says everything anew; what the labels of the project don't allow is refused."""
        view, version = await labels.put(caller, kind, asset_id, asked.annotations, etag.expected)
        etag.answer(version)
        return view

    return router
