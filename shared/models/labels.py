"""Labels: what a project wants to be said of its documents and recordings, and what was said of each."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, StringConstraints, model_validator

from shared.models.assets import AssetSummary
from shared.models.records import Asked, Frozen, Moment, Record, new_id
from shared.models.review import Refusal

ANNOTATIONS_LIMIT = 2_000
"""Annotations of one document."""
ANNOTATIONS_BYTES = 700_000
"""Bytes that they hold together as JSON; a record of Firestore holds 1 MiB."""
TASKS_LIMIT = 200
"""Tasks of Label Studio in one request."""
_DECIMALS = 8
"""Of a coordinate: far below a pixel, and the same after a way through percent."""


class LabelType(StrEnum):
    """How a field labels."""

    CHOICE = "choice"
    """One of its labels, or several, for the whole."""
    TAGS = "tags"
    """Any words for the whole; its labels are suggestions."""
    SPAN = "span"
    """Labels on a stretch of text."""
    RANGE = "range"
    """Labels on a time range of a recording."""
    BOX = "box"
    """Labels on a rectangle of a page."""


LabelName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"), Field(examples=["entities"])]
"""An identifier, unique in its project; `text`, `audio` and `pages` are what is labelled."""
Color = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$"), Field(examples=["#3366cc"])]

_LABELLED = frozenset({"text", "audio", "pages"})


class Label(Asked):
    """A label and the colour it is shown in."""

    name: LabelName
    color: Color = "#3366cc"


class LabelField(Asked):
    """One question that labels answer."""

    name: FieldName
    type: LabelType
    labels: Annotated[list[Label], Field(max_length=200)] = []
    multiple: bool = False
    """Of a choice: whether several labels may be chosen."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [label.name for label in self.labels]
        if len(set(names)) != len(names):
            raise ValueError("two labels have the same name")
        if not names and self.type is not LabelType.TAGS:
            raise ValueError(f"a field of type {self.type} needs labels")
        if self.name in _LABELLED:
            raise ValueError(f"a field can't be called {self.name}")
        return self


class NewLabelSet(Asked):
    """The fields of a project, in the order they are shown."""

    fields: Annotated[list[LabelField], Field(max_length=30)]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [field.name for field in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two fields have the same name")
        return self


class LabelSet(Record):
    """What a project wants to be said; its id is the project's."""

    company_id: str
    fields: list[LabelField] = []


class LabelSetView(Frozen):
    """A label set as clients see it."""

    project_id: str
    fields: list[LabelField]


# --- annotations


def _rounded(value: float) -> float:
    return round(value, _DECIMALS)


Part = Annotated[float, Field(ge=0, le=1), AfterValidator(_rounded)]
"""A coordinate on a page, as part of its width or height."""
Seconds = Annotated[float, Field(ge=0), AfterValidator(_rounded)]
AnnotationId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Labels = Annotated[list[LabelName], Field(min_length=1, max_length=100)]


class _Annotation(Asked):
    id: AnnotationId = Field(default_factory=lambda: new_id("ann"))
    field: FieldName
    labels: Labels
    foreign: dict[str, JsonValue] = {}
    """What another tool said beside it, kept for that tool."""

    @model_validator(mode="after")
    def _once(self) -> Self:
        if len(set(self.labels)) != len(self.labels):
            raise ValueError("a label is there twice")
        return self


class ChoiceAnnotation(_Annotation):
    """What was chosen for the whole."""

    type: Literal[LabelType.CHOICE] = LabelType.CHOICE


class TagsAnnotation(_Annotation):
    """Words for the whole."""

    type: Literal[LabelType.TAGS] = LabelType.TAGS


class SpanAnnotation(_Annotation):
    """Labels on characters of the text, counted in Unicode code points from 0; the end is exclusive."""

    type: Literal[LabelType.SPAN] = LabelType.SPAN
    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end is not after start")
        return self


class RangeAnnotation(_Annotation):
    """Labels on a time range, in seconds from the beginning."""

    type: Literal[LabelType.RANGE] = LabelType.RANGE
    start: Seconds
    end: Seconds

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("end is not after start")
        return self


class BoxAnnotation(_Annotation):
    """Labels on a rectangle of a page, from 1: left, top, right, bottom, each 0 to 1 from the upper left corner."""

    type: Literal[LabelType.BOX] = LabelType.BOX
    page: Annotated[int, Field(ge=1)] = 1
    box: Annotated[tuple[Part, Part, Part, Part], Field(examples=[[0.1, 0.2, 0.4, 0.25]])]
    rotation: Annotated[float, Field(ge=-360, le=360)] = 0
    """Degrees clockwise about the upper left corner."""

    @model_validator(mode="after")
    def _open(self) -> Self:
        left, top, right, bottom = self.box
        if right <= left or bottom <= top:
            raise ValueError("the box is empty")
        return self


AnyAnnotation = Annotated[
    ChoiceAnnotation | TagsAnnotation | SpanAnnotation | RangeAnnotation | BoxAnnotation, Field(discriminator="type")
]


class NewAnnotations(Asked):
    """Everything that is said of a document; what was said before and is not here goes."""

    annotations: Annotated[list[AnyAnnotation], Field(max_length=ANNOTATIONS_LIMIT)]


class Annotations(Record):
    """Everything that is said of a document or recording; its id is the asset's."""

    company_id: str
    project_id: str
    annotations: list[AnyAnnotation] = []
    revision: int = 0
    """Revision of the text that spans count in."""
    annotated_by: str

    def outdated(self, asset: AssetSummary) -> bool:
        """Whether the text was corrected, or read or heard again, since this was said: then spans may be off."""
        was_read_since = asset.processed_at is not None and asset.processed_at > self.updated_at
        return was_read_since or self.revision != asset.revision


class AnnotationsView(Frozen):
    """Annotations as clients see them. `outdated`: the text was corrected or read again since; spans may be off."""

    document_id: str
    annotations: list[AnyAnnotation]
    annotated_by: str | None
    annotated_at: Moment | None
    outdated: bool


# --- Label Studio (https://labelstud.io/guide/task_format)


class Task(Frozen):
    """A task of Label Studio with its annotations; whatever else it says is left out."""

    data: dict[str, JsonValue]
    annotations: list[dict[str, Any]] = []

    @property
    def document_id(self) -> str:
        """The document that it is of; empty for a task that did not come from here."""
        found = self.data.get("document_id")
        return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,100}", found) else ""


class TaskResult(Frozen):
    """What became of a task: an HTTP status, and how many annotations were taken over or why none was."""

    document_id: str
    status: Annotated[int, Field(examples=[200])]
    annotations: int = 0
    error: Refusal | None = None


class TaskResults(Frozen):
    """What became of each task, in the order they were sent."""

    results: list[TaskResult]
