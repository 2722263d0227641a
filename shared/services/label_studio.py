"""Label Studio's formats: a project's labels as its configuration, documents as its tasks, its results as annotations.

https://labelstud.io/guide/task_format: percent of a page for boxes, pages counted from 0, characters counted in code
points. Whatever a result says that has no place here is kept as `foreign` and given back. Nothing here reads or
writes: what exports a whole project builds on it too.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from pydantic import TypeAdapter, ValidationError

from shared.errors import ValidationFailed
from shared.models.assets import AssetSummary, Kind
from shared.models.labels import (
    Annotations,
    AnyAnnotation,
    BoxAnnotation,
    LabelField,
    LabelType,
    RangeAnnotation,
    SpanAnnotation,
    Task,
)

TEXT, AUDIO, PAGES = "text", "audio", "pages"
"""Names of what is labelled: in the configuration, and in the data of a task."""

_OBJECTS = {
    Kind.DOCUMENT: ((TEXT, "Text", "value"), (PAGES, "Image", "valueList")),
    Kind.VOICE: ((TEXT, "Text", "value"), (AUDIO, "Audio", "value")),
}
_CONTROLS = {
    LabelType.CHOICE: ("Choices", "Choice", TEXT),
    LabelType.TAGS: ("TextArea", None, TEXT),
    LabelType.SPAN: ("Labels", "Label", TEXT),
    LabelType.RANGE: ("Labels", "Label", AUDIO),
    LabelType.BOX: ("RectangleLabels", "Label", PAGES),
}
_RESULTS = {
    LabelType.CHOICE: ("choices", "choices"),
    LabelType.TAGS: ("textarea", "text"),
    LabelType.SPAN: ("labels", "labels"),
    LabelType.RANGE: ("labels", "labels"),
    LabelType.BOX: ("rectanglelabels", "rectanglelabels"),
}
"""The type of a result, and under which key of its value the labels are."""

_KNOWN = frozenset({"id", "from_name", "to_name", "type", "value", "item_index", "original_length"})
_PLACES = {
    LabelType.SPAN: ("start", "end", "text"),
    LabelType.RANGE: ("start", "end"),
    LabelType.BOX: ("x", "y", "width", "height", "rotation"),
}
"""Keys of a value that say where the labels are."""
_PERCENT_DECIMALS = 6
_annotation: TypeAdapter[AnyAnnotation] = TypeAdapter(AnyAnnotation)


# --- configuration


def config(fields: Sequence[LabelField], kind: Kind) -> str:
    """The labelling configuration for documents of one kind, as XML."""
    objects = _OBJECTS[kind]
    shown = [f"  <{tag} name={quoteattr(name)} {source}={quoteattr('$' + name)}/>" for name, tag, source in objects]
    names = {name for name, _, _ in objects}
    controls = [_control(field) for field in fields if _CONTROLS[field.type][2] in names]
    return "\n".join(["<View>", *shown, *controls, "</View>", ""])


def _control(field: LabelField) -> str:
    tag, inner, target = _CONTROLS[field.type]
    attributes = {"name": field.name, "toName": target}
    if field.type is LabelType.CHOICE:
        attributes["choice"] = "multiple" if field.multiple else "single"
    if field.type is LabelType.TAGS:
        attributes |= {"maxSubmissions": "100", "editable": "true"}
    begun = f"  <{tag} {_attributes(attributes)}"
    if inner is None:
        return f"{begun}/>"
    shade = {LabelType.CHOICE: None}.get(field.type, "background")
    labels = [
        f"    <{inner} {_attributes({'value': label.name, **({shade: label.color} if shade else {})})}/>"
        for label in field.labels
    ]
    return "\n".join([f"{begun}>", *labels, f"  </{tag}>"])


def _attributes(attributes: Mapping[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())


# --- out


def task(asset: AssetSummary, text: str, media: str, said: Annotations | None) -> dict[str, Any]:
    """A document with what is said of it; `media` is the address of its file."""
    data: dict[str, Any] = {"document_id": asset.id, "name": asset.name, TEXT: text}
    if asset.kind is Kind.VOICE:
        data[AUDIO] = media
    else:
        # One address for each page; the fragment names it, since a PDF has one file (RFC 8118).
        pages = asset.pages or 1
        data[PAGES] = [f"{media}#page={number}" for number in range(1, pages + 1)] if pages > 1 else [media]
    results = [result(one, asset, text) for one in said.annotations] if said else []
    return {"data": data, "annotations": [{"result": results}] if said else []}


def result(one: AnyAnnotation, asset: AssetSummary, text: str) -> dict[str, Any]:
    """An annotation as a result of Label Studio."""
    type_, key = _RESULTS[one.type]
    foreign = dict(one.foreign)
    value: Any = foreign.pop("value", {})
    made: dict[str, Any] = {
        "id": one.id,
        "from_name": one.field,
        "to_name": _CONTROLS[one.type][2],
        "type": type_,
        "value": {**value, **_place(one, text), key: list(one.labels)},
    }
    if isinstance(one, BoxAnnotation):
        made["item_index"] = one.page - 1
    if isinstance(one, RangeAnnotation) and asset.duration_seconds is not None:
        made["original_length"] = asset.duration_seconds
    return {**made, **foreign}


def _place(one: AnyAnnotation, text: str) -> dict[str, Any]:
    match one:
        case SpanAnnotation():
            return {"start": one.start, "end": one.end, "text": text[one.start : one.end]}
        case RangeAnnotation():
            return {"start": one.start, "end": one.end}
        case BoxAnnotation():
            left, top, right, bottom = one.box
            percent = {"x": left, "y": top, "width": right - left, "height": bottom - top}
            return {
                **{name: round(part * 100, _PERCENT_DECIMALS) for name, part in percent.items()},
                "rotation": one.rotation,
            }
        case _:
            return {}


# --- in


def annotations(found: Task, fields: Sequence[LabelField]) -> list[AnyAnnotation]:
    """What a task says, by the latest annotation that was not cancelled, the ground truth first.

    Raises ValidationFailed, with one entry in `details` for each result that can't be understood.
    """
    types = {field.name: field.type for field in fields}
    said: list[AnyAnnotation] = []
    wrong: list[dict[str, Any]] = []
    for one in _chosen(found.annotations):
        try:
            said.append(_annotation.validate_python(_described(one, types)))
        except (ValidationError, KeyError, TypeError, IndexError) as error:
            message = error.errors()[0]["msg"] if isinstance(error, ValidationError) else f"{error} is missing or wrong"
            wrong.append({"annotation_id": str(one.get("id", "")), "message": message})
    if wrong:
        raise ValidationFailed("Not all results of this task can be understood.", details=wrong)
    return said


def _chosen(several: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    given = [one for one in several if not one.get("was_cancelled")]
    if not given:
        return []
    latest = max(given, key=lambda one: (bool(one.get("ground_truth")), str(one.get("updated_at") or "")))
    return list(latest["result"])


def _described(one: Mapping[str, Any], types: Mapping[str, LabelType]) -> dict[str, Any]:
    """A result as the fields of an annotation."""
    type_ = types[one["from_name"]]
    kind, key = _RESULTS[type_]
    if one["type"] != kind:
        raise TypeError(f"type {one['type']}")
    value = dict(one["value"])
    described = {"field": one["from_name"], "type": type_, "labels": value.pop(key)}
    if "id" in one:
        described["id"] = one["id"]
    place = {name: value.pop(name) for name in _PLACES.get(type_, ()) if name in value}
    foreign = {name: given for name, given in one.items() if name not in _KNOWN}
    if one["to_name"] != _CONTROLS[type_][2]:
        foreign["to_name"] = one["to_name"]
    if value:
        foreign["value"] = value
    return {**described, **_placed(type_, place, one), "foreign": foreign}


def _placed(type_: LabelType, place: Mapping[str, Any], one: Mapping[str, Any]) -> dict[str, Any]:
    if type_ in (LabelType.SPAN, LabelType.RANGE):
        return {"start": place["start"], "end": place["end"]}
    if type_ is LabelType.BOX:
        left, top = place["x"] / 100, place["y"] / 100
        # What was drawn over the edge of a page ends at it.
        right, bottom = min(left + place["width"] / 100, 1), min(top + place["height"] / 100, 1)
        turned = {"rotation": place["rotation"]} if "rotation" in place else {}
        return {"page": one.get("item_index", 0) + 1, "box": (max(left, 0), max(top, 0), right, bottom), **turned}
    return {}
