"""Labels: the set that a project has, and what is said with it; checked against each other whenever they are written.

Annotations are written in one commit with their asset: its version guards both, and is their ETag. Like a correction
they are a step of the review, which ends the approvals that were given before.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from shared.errors import NotFound, PreconditionFailed, ValidationFailed
from shared.models.assets import Asset, Kind
from shared.models.audit import Action
from shared.models.identity import Caller
from shared.models.labels import (
    ANNOTATIONS_BYTES,
    ANNOTATIONS_LIMIT,
    Annotations,
    AnnotationsView,
    AnyAnnotation,
    BoxAnnotation,
    LabelField,
    LabelSet,
    LabelSetView,
    LabelType,
    NewLabelSet,
    RangeAnnotation,
    SpanAnnotation,
)
from shared.models.projects import Permission
from shared.models.records import now
from shared.models.review import Step
from shared.services import access, audit, changes, review, texts
from shared.services.access import Access
from shared.services.changes import Change
from shared.services.review import Outcome, Said
from shared.store import firestore
from shared.store import labels as stored

# --- the set of a project


async def label_set(caller: Caller, project_id: str) -> LabelSet:
    """The label set of a project; an empty one of version 0 if nobody has made one yet."""
    project = (await access.project(caller, project_id, Permission.READ)).project
    return await stored.label_set(project_id) or _empty(project_id, project.company_id)


def _empty(project_id: str, company_id: str) -> LabelSet:
    moment = now()
    return LabelSet(id=project_id, created_at=moment, updated_at=moment, company_id=company_id)


async def put_label_set(caller: Caller, project_id: str, asked: NewLabelSet, version: int | None) -> LabelSet:
    """The label set as it now is; what was said with fields that are gone stays until it is said anew."""
    project = (await access.project(caller, project_id, Permission.MANAGE)).project
    fields = asked.model_dump()
    if await stored.label_set(project_id) is None:
        if version not in (None, 0):
            raise PreconditionFailed("There is no label set yet.")
        made = _empty(project_id, project.company_id).model_copy(update={"fields": asked.fields})
        entry = audit.entry(
            Action.LABEL_SET_CHANGED, project_id, by=caller, company_id=project.company_id, after=fields
        )
        try:
            return made.model_copy(update={"version": await firestore.commit(stored.create_label_set(made), entry)})
        except firestore.Conflict:
            pass  # somebody made the first one at the same moment: this one changes it

    async def read() -> LabelSet:
        return await label_set(caller, project_id)

    change = Change(caller, Action.LABEL_SET_CHANGED, version)
    return await changes.make(change, read, lambda _: fields, stored.change_label_set)


def set_view(found: LabelSet) -> LabelSetView:
    """A label set as clients see it."""
    return LabelSetView(project_id=found.id, fields=found.fields)


# --- what is said


async def get(caller: Caller, kind: Kind, asset_id: str) -> tuple[AnnotationsView, int]:
    """The annotations of a document, and its version; two reads."""
    asset, _ = await review.get(caller, asset_id)
    _require_kind(asset, kind)
    return _view(asset, await stored.annotations(asset_id)), asset.version


async def put(
    caller: Caller,
    kind: Kind | None,
    asset_id: str,
    said: Sequence[AnyAnnotation],
    version: int | None,
    *,
    project_id: str | None = None,
) -> tuple[AnnotationsView, int]:
    """The annotations of a document as they now are, and its version; three reads and a commit.

    Raises ValidationFailed, with one entry in `details` for each annotation that the label set or the document does
    not allow. Without a kind, or without a project, any will do.
    """
    made: Annotations | None = None

    async def decide(asset: Asset, found: Access) -> Outcome:
        nonlocal made
        _require_kind(asset, kind)
        if project_id not in (None, asset.project_id):
            raise NotFound("There is no such document.")
        review.require_editor(caller, asset, found)
        fields = await stored.label_set(asset.project_id)
        _require_valid(said, fields.fields if fields else [], asset, await texts.current(asset))
        made = _annotations(caller, asset, said)
        stands = asset.review.model_copy(update={"approved_by": []})
        return Outcome(stands, also=(stored.replace_annotations(made),))

    step = Said(caller, Step.LABEL, version=version)
    asset = await review.take_step(step, asset_id, Permission.READ, decide)
    return _view(asset, made), asset.version


def _require_kind(asset: Asset, kind: Kind | None) -> None:
    if kind is not None and asset.kind is not kind:
        raise NotFound("There is no such document.")


def _annotations(caller: Caller, asset: Asset, said: Sequence[AnyAnnotation]) -> Annotations:
    moment = now()
    return Annotations(
        id=asset.id,
        created_at=moment,
        updated_at=moment,
        company_id=asset.company_id,
        project_id=asset.project_id,
        annotations=list(said),
        revision=asset.revision,
        annotated_by=caller.user_id,
    )


def _view(asset: Asset, found: Annotations | None) -> AnnotationsView:
    return AnnotationsView(
        document_id=asset.id,
        annotations=found.annotations if found else [],
        annotated_by=found.annotated_by if found else None,
        annotated_at=found.updated_at if found else None,
        outdated=found is not None and found.outdated(asset),
    )


# --- what may be said


def _require_valid(said: Sequence[AnyAnnotation], fields: Sequence[LabelField], asset: Asset, text: str) -> None:
    by_name = {field.name: field for field in fields}
    faults = [(one.id, _fault(one, by_name, asset, text)) for one in said]
    wrong = [{"annotation_id": annotation_id, "message": fault} for annotation_id, fault in faults if fault]
    wrong += _said_twice(said)
    if wrong:
        raise ValidationFailed("The labels of this project don't allow all of these annotations.", details=wrong)
    size = len(json.dumps([one.model_dump(mode="json") for one in said]))
    if len(said) > ANNOTATIONS_LIMIT or size > ANNOTATIONS_BYTES:
        raise ValidationFailed(
            f"A document has at most {ANNOTATIONS_LIMIT} annotations of {ANNOTATIONS_BYTES} bytes together."
        )


def _fault(one: AnyAnnotation, fields: Mapping[str, LabelField], asset: Asset, text: str) -> str | None:
    """What is wrong with an annotation, if anything."""
    field = fields.get(one.field)
    if field is None:
        return f"there is no field {one.field}"
    if one.type is not field.type:
        return f"the field {field.name} is a {field.type}"
    unknown = set(one.labels) - {label.name for label in field.labels}
    if unknown and field.type is not LabelType.TAGS:
        return f"the field {field.name} has no label {min(unknown)}"
    if field.type is LabelType.CHOICE and len(one.labels) > 1 and not field.multiple:
        return f"the field {field.name} takes one label"
    return _misplaced(one, asset, text)


def _misplaced(one: AnyAnnotation, asset: Asset, text: str) -> str | None:
    """Why an annotation is nowhere on the document, if it is not."""
    match one:
        case SpanAnnotation() if one.end > len(text):
            return f"the text has {len(text)} characters"
        case RangeAnnotation() if asset.kind is not Kind.VOICE:
            return "only a recording has time ranges"
        case RangeAnnotation() if asset.duration_seconds is not None and one.end > asset.duration_seconds:
            return f"the recording has {asset.duration_seconds} seconds"
        case BoxAnnotation() if asset.kind is not Kind.DOCUMENT:
            return "only a document has pages"
        case BoxAnnotation() if one.page > (asset.pages or 1):
            return f"the document has {asset.pages or 1} pages"
        case _:
            return None


def _said_twice(said: Sequence[AnyAnnotation]) -> list[dict[str, Any]]:
    # Other tools give one id to all that several fields say of the same place.
    keys = Counter((one.field, "" if one.type is LabelType.CHOICE else one.id) for one in said)
    return [
        {"annotation_id": annotation_id or None, "message": f"the field {field} says it twice"}
        for (field, annotation_id), count in keys.items()
        if count > 1
    ]
