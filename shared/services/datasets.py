"""How a dataset is written: one writer for each format, fed a page of assets at a time."""

import csv
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow
import pyarrow.parquet

from shared.models.assets import Asset, Kind
from shared.models.exports import ExportFormat
from shared.models.labels import Annotations
from shared.services import label_studio
from shared.store import objects

_TIME = pyarrow.timestamp("us", tz="UTC")
SCHEMA = pyarrow.schema(
    [
        ("id", pyarrow.string()),
        ("kind", pyarrow.string()),
        ("path", pyarrow.string()),
        ("content_type", pyarrow.string()),
        ("size", pyarrow.int64()),
        ("text", pyarrow.string()),
        ("text_truncated", pyarrow.bool_()),
        ("language", pyarrow.string()),
        ("confidence", pyarrow.float64()),
        ("pages", pyarrow.int32()),
        ("duration_seconds", pyarrow.float64()),
        ("review_state", pyarrow.string()),
        ("character_error_rate", pyarrow.float64()),
        ("word_error_rate", pyarrow.float64()),
        ("uploader_id", pyarrow.string()),
        ("session_id", pyarrow.string()),
        ("cycle_id", pyarrow.string()),
        ("uri", pyarrow.string()),
        ("result_uri", pyarrow.string()),
        ("created_at", _TIME),
        ("processed_at", _TIME),
    ]
)
"""The columns of a dataset. `uri` and `result_uri` name the file and its whole result in Cloud Storage."""

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


def row(asset: Asset) -> dict[str, Any]:
    """An asset as a row of a dataset: the value of each column."""
    known = asset.model_dump(include=set(SCHEMA.names) - {"uri", "result_uri"})
    return {
        **known,
        "kind": str(asset.kind),
        "review_state": str(asset.review.state),
        "uri": objects.uri(asset.object_name),
        "result_uri": objects.uri(asset.result_object) if asset.result_object else None,
    }


@dataclass(frozen=True)
class Item:
    """An asset that goes into a dataset, with what is said of it, if the format shows that."""

    asset: Asset
    said: Annotations | None = None


class Writer(ABC):
    """Writes one file. `rows` and `size` (bytes) tell how much it holds so far."""

    rows = 0

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes so far."""

    @abstractmethod
    def add(self, items: Sequence[Item]) -> None:
        """Adds assets."""

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

    def add(self, items: Sequence[Item]) -> None:
        for item in items:
            self._raw += ((self.between if self.rows else "") + self.line(item)).encode()
            self.rows += 1

    def line(self, item: Item) -> str:
        """An asset as it is written."""
        return json.dumps(_plain(row(item.asset)), ensure_ascii=False)

    def finish(self) -> bytes:
        return bytes(self._raw) + self.tail.encode()


class _JsonLines(_Text):
    tail = "\n"


class _LabelStudio(_Text):
    """An array of tasks, with their annotations; plain files are not labelled."""

    head, tail, between = "[\n", "\n]\n", ",\n"

    def add(self, items: Sequence[Item]) -> None:
        super().add([item for item in items if item.asset.kind is not Kind.FILE])

    def line(self, item: Item) -> str:
        asset = item.asset
        task = label_studio.task(asset, asset.text, objects.uri(asset.object_name), item.said)
        return json.dumps(task, ensure_ascii=False)


class _Csv(_Text):
    between = ""

    def __init__(self) -> None:
        self.head = _csv_line(SCHEMA.names)
        super().__init__()

    def line(self, item: Item) -> str:
        return _csv_line(["" if value is None else value for value in _plain(row(item.asset)).values()])


class _Parquet(Writer):
    """One row group for each page, compressed."""

    def __init__(self) -> None:
        self._raw = io.BytesIO()
        self._writer = pyarrow.parquet.ParquetWriter(self._raw, SCHEMA, compression="zstd")

    @property
    def size(self) -> int:
        return self._raw.tell()

    def add(self, items: Sequence[Item]) -> None:
        if items:
            table = pyarrow.Table.from_pylist([row(item.asset) for item in items], schema=SCHEMA)
            self._writer.write_table(table)
            self.rows += len(items)

    def finish(self) -> bytes:
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


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON has them, in the order of the columns."""
    ordered = {name: values[name] for name in SCHEMA.names}
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in ordered.items()}


def _csv_line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()
