"""Assets as recognition leaves them, for tests and benchmarks that begin where the pipeline ends."""

from collections.abc import Mapping
from typing import Any

from shared.models.assets import Asset, AssetState, Kind
from shared.models.records import new_id, now


def recognised(project: Mapping[str, Any], uploader_id: str, /, **fields: Any) -> Asset:
    """A picture of a project (its `id` and `company_id`) that was read a moment ago; `fields` are otherwise."""
    moment = now()
    usual = {
        "id": new_id("ast"),
        "created_at": moment,
        "updated_at": moment,
        "company_id": project["company_id"],
        "project_id": project["id"],
        "uploader_id": uploader_id,
        "kind": Kind.DOCUMENT,
        "path": "letter.png",
        "name": "letter.png",
        "content_type": "image/png",
        "size": 1000,
        "uploaded": True,
        "settled": True,
        "state": AssetState.PROCESSED,
        "processed_at": moment,
    }
    return Asset.model_validate({**usual, **fields})
