"""What was read on a page, independent of the engine that read it and of the API that answers with it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the upright page, from the top left."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, boxes: "list[Box]") -> "Box":
        """The smallest rectangle that holds all of them."""
        return cls(
            min(box.left for box in boxes),
            min(box.top for box in boxes),
            max(box.right for box in boxes),
            max(box.bottom for box in boxes),
        )


@dataclass(frozen=True)
class Word:
    """A word, where it stands, and how sure the engine is of it (0 to 1)."""

    text: str
    box: Box
    confidence: float


@dataclass(frozen=True)
class Line:
    """Words on one line, left to right."""

    words: tuple[Word, ...]

    @property
    def box(self) -> Box:
        """Around all its words."""
        return Box.around([word.box for word in self.words])


@dataclass(frozen=True)
class Paragraph:
    """Lines that belong together."""

    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Block:
    """Paragraphs of one column or region."""

    paragraphs: tuple[Paragraph, ...]


@dataclass(frozen=True)
class Page:
    """One page: number from 1, size in pixels as it reads upright, and its text. A blank page has no blocks."""

    number: int
    width: int
    height: int
    blocks: tuple[Block, ...]
    turned: int = 0
    """Degrees clockwise by which the scan had to be turned to read upright: 0, 90, 180 or 270."""
    image: bytes | None = None
    """The upright page as PNG, when it was asked for."""

    @property
    def words(self) -> Iterator[Word]:
        """Every word, in reading order."""
        for block in self.blocks:
            for paragraph in block.paragraphs:
                for line in paragraph.lines:
                    yield from line.words

    @property
    def confidence(self) -> float:
        """Mean confidence of its words; 0 for a blank page."""
        confidences = [word.confidence for word in self.words]
        return sum(confidences) / len(confidences) if confidences else 0.0

    def with_image(self, image: bytes) -> "Page":
        """The same page, with its picture."""
        return replace(self, image=image)
