"""The text layer of a PDF page, with the place of each word."""

from collections.abc import Iterator
from itertools import pairwise

import pypdfium2  # type: ignore[import-untyped]  # no types are published

from emulators.documentai.pages import Block, Box, Line, Page, Paragraph, Word

PARAGRAPH_GAP = 1.0
"""White between two lines, in heights of a line, from which on a new paragraph begins."""


def read_text_layer(page: pypdfium2.PdfPage, number: int, scale: float) -> Page | None:
    """The page's own text, its places in pixels at `scale` pixels a point; None when it has no text."""
    width, height = page.get_size()
    text = page.get_textpage()
    try:
        lines = [line for line in _lines(text, height, scale) if line.words]
    finally:
        text.close()
    if not lines:
        return None
    block = Block(tuple(_paragraphs(lines)))
    return Page(number, round(width * scale), round(height * scale), (block,))


def _lines(text: pypdfium2.PdfTextPage, height: float, scale: float) -> Iterator[Line]:
    words: list[Word] = []
    for index, box in _words(text):
        word = Word(index, Box(box[0] * scale, (height - box[3]) * scale, box[2] * scale, (height - box[1]) * scale), 1)
        if words and not _same_line(words[-1].box, word.box):
            yield Line(tuple(words))
            words = []
        words.append(word)
    yield Line(tuple(words))


def _words(text: pypdfium2.PdfTextPage) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Each word with its rectangle in points: left, bottom, right, top."""
    letters: list[str] = []
    boxes: list[tuple[float, float, float, float]] = []
    for index, letter in enumerate(text.get_text_range()):
        if not letter.isspace():
            letters.append(letter)
            boxes.append(text.get_charbox(index))
        elif letters:
            yield "".join(letters), _around(boxes)
            letters, boxes = [], []
    if letters:
        yield "".join(letters), _around(boxes)


def _around(boxes: list[tuple[float, float, float, float]]) -> tuple[float, float, float, float]:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _same_line(before: Box, after: Box) -> bool:
    middle = (after.top + after.bottom) / 2
    return before.top < middle < before.bottom and after.left >= before.left


def _paragraphs(lines: list[Line]) -> Iterator[Paragraph]:
    group = [lines[0]]
    for above, below in pairwise(lines):
        white = below.box.top - above.box.bottom
        if white > PARAGRAPH_GAP * (above.box.bottom - above.box.top):
            yield Paragraph(tuple(group))
            group = []
        group.append(below)
    yield Paragraph(tuple(group))
