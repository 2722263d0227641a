"""What engines find in documents and recordings, whole as it lies in the bucket, and why they find nothing."""

from typing import Any

from shared.models.assets import AssetSummary, Fault, Flag
from shared.models.records import Frozen


class Word(Frozen):
    """A word: on a page with its box, from the upper left corner, 0 to 1; in a recording with its times in seconds."""

    text: str
    confidence: float | None = None
    box: list[float] | None = None
    """left, top, right, bottom."""
    start: float | None = None
    end: float | None = None


class Block(Frozen):
    """A block of text on a page."""

    text: str
    confidence: float | None = None
    box: list[float] | None = None


class Page(Frozen):
    """One page: its number from 1, size in pixels, blocks and words."""

    number: int
    width: float | None = None
    height: float | None = None
    text: str
    confidence: float | None = None
    blocks: list[Block] = []
    words: list[Word] = []


class Segment(Frozen):
    """A stretch of speech; times in seconds from the beginning."""

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    language: str | None = None
    words: list[Word] = []


class Recognition(Frozen):
    """Everything an engine found in a document or recording."""

    text: str
    confidence: float | None = None
    """Mean over words, 0 to 1."""
    language: str | None = None
    duration_seconds: float | None = None
    pages: list[Page] = []
    segments: list[Segment] = []
    flags: list[Flag] = []

    def as_json(self, asset: AssetSummary) -> dict[str, Any]:
        """The result object: what was found, and in what."""
        source = {"asset_id": asset.id, "generation": asset.generation, "content_type": asset.content_type}
        return {"source": source, **self.model_dump(mode="json", exclude_none=True)}


# --- why there is no result


class Unprocessable(Exception):
    """The bytes themselves are at fault: recorded on the asset, acknowledged, never tried again."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message


class Interrupted(Exception):
    """Recognition came to nothing for a reason that passes: worth beginning again."""


class TooLong(Exception):
    """Over the online limits of an engine: goes the batch way."""
