"""How a dataset is written: one writer for each format, fed one asset after the other.

Arrow is imported by the first row and not before, so that no cold start waits for it.
"""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.models.assets import Asset, Kind
from shared.models.exports import ExportFormat
from shared.models.labels import Annotations, AnyAnnotation, RangeAnnotation
from shared.services import label_studio
from shared.store import objects

if TYPE_CHECKING:
    import pyarrow

GROUP_ROWS = 1_000
GROUP_CHARACTERS = 4_000_000
"""A row group of Parquet has so many rows, or so much text."""

_SUFFIXES = {
    ExportFormat.JSONL: "jsonl",
    ExportFormat.CSV: "csv",
    ExportFormat.LABEL_STUDIO: "json",
}
_CONTENT_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "md": "text/markdown",
}


@dataclass(frozen=True)
class Item:
    """An asset that goes into a dataset, with its whole text and what is said of it."""

    asset: Asset
    text: str
    said: Annotations | None = None


@lru_cache
def _annotation_type() -> "pyarrow.StructType":
    """`start` and `end` of a span are characters of the text, of a time range seconds; a box as the API has it."""
    import pyarrow

    return pyarrow.struct(
        [
            ("id", pyarrow.string()),
            ("field", pyarrow.string()),
            ("type", pyarrow.string()),
            ("labels", pyarrow.list_(pyarrow.string())),
            ("start", pyarrow.int64()),
            ("end", pyarrow.int64()),
            ("start_seconds", pyarrow.float64()),
            ("end_seconds", pyarrow.float64()),
            ("page", pyarrow.int32()),
            ("box", pyarrow.list_(pyarrow.float64())),
            ("rotation", pyarrow.float64()),
        ]
    )


@lru_cache
def schema() -> "pyarrow.Schema":
    """The columns of a dataset. `text` is the whole of it, as people corrected it; `revision` 0 is the machine's.

    `annotations_outdated`: the text was corrected or read again since, so that spans may be off. `uri` and `result_uri`
    name the file and its whole result in Cloud Storage.
    """
    import pyarrow

    time = pyarrow.timestamp("us", tz="UTC")
    return pyarrow.schema(
        [
            ("id", pyarrow.string()),
            ("kind", pyarrow.string()),
            ("path", pyarrow.string()),
            ("content_type", pyarrow.string()),
            ("size", pyarrow.int64()),
            ("text", pyarrow.string()),
            ("revision", pyarrow.int32()),
            ("language", pyarrow.string()),
            ("confidence", pyarrow.float64()),
            ("pages", pyarrow.int32()),
            ("duration_seconds", pyarrow.float64()),
            ("review_state", pyarrow.string()),
            ("character_error_rate", pyarrow.float64()),
            ("word_error_rate", pyarrow.float64()),
            ("annotations", pyarrow.list_(_annotation_type())),
            ("annotations_outdated", pyarrow.bool_()),
            ("uploader_id", pyarrow.string()),
            ("session_id", pyarrow.string()),
            ("cycle_id", pyarrow.string()),
            ("uri", pyarrow.string()),
            ("result_uri", pyarrow.string()),
            ("created_at", time),
            ("processed_at", time),
        ]
    )


def row(item: Item) -> dict[str, Any]:
    """An asset as a row of a dataset: the value of each column, in their order."""
    asset, said, columns = item.asset, item.said, schema().names
    values = {
        **asset.model_dump(include=set(columns)),
        "kind": str(asset.kind),
        "text": item.text,
        "review_state": str(asset.review.state),
        "annotations": [_annotation(one) for one in said.annotations] if said else [],
        "annotations_outdated": said is not None and said.outdated(asset),
        "uri": objects.uri(asset.object_name),
        "result_uri": objects.uri(asset.result_object) if asset.result_object else None,
    }
    return {name: values[name] for name in columns}


def _annotation(one: AnyAnnotation) -> dict[str, Any]:
    """An annotation, with every field of any type."""
    known = one.model_dump(mode="json", exclude={"foreign"})
    if isinstance(one, RangeAnnotation):
        known = {**known, "start": None, "end": None, "start_seconds": one.start, "end_seconds": one.end}
    return {field.name: known.get(field.name) for field in _annotation_type()}


class Writer(ABC):
    """Writes one file. `rows` and `size` tell how much it holds so far."""

    rows = 0

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes in memory so far."""

    @abstractmethod
    def add(self, item: Item) -> None:
        """Adds an asset."""

    @abstractmethod
    def finish(self) -> bytes:
        """The whole file."""


class _Text(Writer):
    """Lines of text, between a head and a tail."""

    head, tail, between = "", "", "\n"

    def __init__(self) -> None:
        self._raw = bytearray(self.head.encode())

    @property
    def size(self) -> int:
        return len(self._raw)

    def add(self, item: Item) -> None:
        self._raw += ((self.between if self.rows else "") + self.line(item)).encode()
        self.rows += 1

    def line(self, item: Item) -> str:
        """An asset as it is written."""
        return _json({name: _plain(value) for name, value in row(item).items()})

    def finish(self) -> bytes:
        return bytes(self._raw) + self.tail.encode()


class _JsonLines(_Text):
    tail = "\n"


class _LabelStudio(_Text):
    """An array of tasks, with their annotations; plain files are not labelled."""

    head, tail, between = "[\n", "\n]\n", ",\n"

    def add(self, item: Item) -> None:
        if item.asset.kind is not Kind.FILE:
            super().add(item)

    def line(self, item: Item) -> str:
        return _json(label_studio.task(item.asset, item.text, objects.uri(item.asset.object_name), item.said))


class _Csv(_Text):
    between = ""

    def __init__(self) -> None:
        self.head = _csv_line(schema().names)
        super().__init__()

    def line(self, item: Item) -> str:
        return _csv_line([_cell(value) for value in row(item).values()])


class _Parquet(Writer):
    """Compressed, in row groups that can be read one by one."""

    def __init__(self) -> None:
        import pyarrow.parquet

        self._raw = io.BytesIO()
        self._writer = pyarrow.parquet.ParquetWriter(self._raw, schema(), compression="zstd")
        self._waiting: list[dict[str, Any]] = []
        self._characters = 0

    @property
    def size(self) -> int:
        return self._raw.tell() + self._characters

    def add(self, item: Item) -> None:
        self._waiting.append(row(item))
        self._characters += len(item.text)
        self.rows += 1
        if len(self._waiting) >= GROUP_ROWS or self._characters >= GROUP_CHARACTERS:
            self._write()

    def _write(self) -> None:
        import pyarrow

        self._writer.write_table(pyarrow.Table.from_pylist(self._waiting, schema=schema()))
        self._waiting, self._characters = [], 0

    def finish(self) -> bytes:
        if self._waiting:
            self._write()
        self._writer.close()
        return self._raw.getvalue()


def writer(form: ExportFormat) -> Writer:
    """A writer for one part in this format."""
    writers: dict[ExportFormat, type[Writer]] = {
        ExportFormat.JSONL: _JsonLines,
        ExportFormat.CSV: _Csv,
        ExportFormat.LABEL_STUDIO: _LabelStudio,
    }
    return writers.get(form, _Parquet)()


def part_name(form: ExportFormat, number: int) -> str:
    """The name of the `number`th part; below `data/`, named by its split, where `datasets` looks for it."""
    return f"data/train-{number:05}.{_SUFFIXES.get(form, 'parquet')}"


def content_type(name: str) -> str:
    """What a file is, by its name."""
    return _CONTENT_TYPES[name.rpartition(".")[2]]


def card(rows: int) -> str:
    """The card of a dataset, from which `datasets` learns where its files are
    (https://huggingface.co/docs/hub/datasets-manual-configuration)."""
    return (
        "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/*.parquet\n---\n\n"
        f"# Dataset\n\n{rows} documents and recordings. `manifest.json` has the checksums of the files.\n"
    )


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    """A value as a table has it: nothing for null, JSON for a list."""
    if value is None:
        return ""
    return _json(value) if isinstance(value, list) else _plain(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _csv_line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()
