"""Label sets of projects, and the annotations of documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.models.labels import Annotations, LabelSet
from shared.store import firestore
from shared.store.firestore import Write

LABEL_SETS = "label_sets"
ANNOTATIONS = "annotations"


async def label_set(project_id: str) -> LabelSet | None:
    """The label set of a project; one read."""
    return await firestore.get(LabelSet, f"{LABEL_SETS}/{project_id}")


def create_label_set(label_set: LabelSet) -> Write:
    """Writes the first label set of a project."""
    return firestore.create(LABEL_SETS, label_set)


def change_label_set(label_set: LabelSet, fields: Mapping[str, Any]) -> Write:
    """Changes a label set, if it still is the version that was read."""
    return firestore.change(LABEL_SETS, label_set, fields)


async def annotations(asset_id: str) -> Annotations | None:
    """The annotations of a document; one read."""
    return await firestore.get(Annotations, f"{ANNOTATIONS}/{asset_id}")


async def annotations_of(asset_ids: Sequence[str]) -> dict[str, Annotations]:
    """The annotations of those that have any, by id; one read for each asked."""
    return await firestore.get_many(Annotations, [f"{ANNOTATIONS}/{asset_id}" for asset_id in asset_ids])


def replace_annotations(annotations: Annotations) -> Write:
    """Writes the annotations of a document; goes into one commit with its asset, whose version guards both."""
    return firestore.replace(ANNOTATIONS, annotations)
