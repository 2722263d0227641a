"""Read pages as a `google.cloud.documentai.v1.Document`.

The text of the document is the text of its pages, one after the other; every element of a page points into it. A
token's anchor includes the white space after it, and a line ends with a line feed, as Document AI has it.
"""

from collections.abc import Iterable, Sequence

from google.cloud import documentai

from emulators.documentai.pages import Block, Box, Line, Page, Paragraph, Word

Json = dict[str, object]

LANGUAGE = "en"
"""The one language whose model the engine has."""

WIDE = 1.5
"""A gap between two words of more than this many line heights is a wide space."""

ORIENTATION = {0: 1, 90: 4, 180: 3, 270: 2}
"""Degrees by which a page was turned clockwise → where its top was, as `Layout.Orientation`: up, left, down, right."""


class _Builder:
    """Lays the text of a page down and keeps where each element begins and ends in it."""

    def __init__(self, page: Page, offset: int) -> None:
        self._page = page
        self._offset = offset
        self._length = 0
        self._parts: list[str] = []
        self.blocks: list[Json] = []
        self.paragraphs: list[Json] = []
        self.lines: list[Json] = []
        self.tokens: list[Json] = []
        for block in page.blocks:
            self._block(block)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def layout(self, start: int, words: Sequence[Word], box: Box) -> Json:
        """The layout of what was laid down since `start`."""
        layout: Json = {
            "bounding_poly": self._poly(box),
            "confidence": sum(word.confidence for word in words) / len(words) if words else 0.0,
            "orientation": ORIENTATION[self._page.turned],
        }
        if self._length > start:
            segment = {"start_index": self._offset + start, "end_index": self._offset + self._length}
            layout["text_anchor"] = {"text_segments": [segment]}
        return layout

    def _element(self, start: int, words: Sequence[Word]) -> Json:
        layout = self.layout(start, words, Box.around([word.box for word in words]))
        return {"layout": layout, "detected_languages": [{"language_code": LANGUAGE}]}

    def _block(self, block: Block) -> None:
        start = self._length
        words = [word for paragraph in block.paragraphs for word in self._paragraph(paragraph)]
        self.blocks.append(self._element(start, words))

    def _paragraph(self, paragraph: Paragraph) -> list[Word]:
        start = self._length
        for position, line in enumerate(paragraph.lines, start=1):
            self._line(line, last=position == len(paragraph.lines))
        words = [word for line in paragraph.lines for word in line.words]
        self.paragraphs.append(self._element(start, words))
        return words

    def _line(self, line: Line, *, last: bool) -> None:
        start = self._length
        height = line.box.bottom - line.box.top
        for position, word in enumerate(line.words):
            following = line.words[position + 1] if position + 1 < len(line.words) else None
            self._token(word, "\n" if following is None else " ", _break(word, following, height, last=last))
        self.lines.append(self._element(start, line.words))

    def _token(self, word: Word, space: str, kind: str) -> None:
        start = self._length
        self._parts.append(word.text + space)
        self._length += len(word.text) + len(space)
        self.tokens.append(self._element(start, [word]) | {"detected_break": {"type_": kind}})

    def _poly(self, box: Box) -> Json:
        corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
        width, height = self._page.width, self._page.height
        return {
            "vertices": [{"x": round(x), "y": round(y)} for x, y in corners],
            "normalized_vertices": [{"x": x / width, "y": y / height} for x, y in corners],
        }


def _break(word: Word, following: Word | None, height: float, *, last: bool) -> str:
    if following is None:
        return "HYPHEN" if word.text.endswith("-") and not last else "SPACE"
    return "WIDE_SPACE" if following.box.left - word.box.right > WIDE * height else "SPACE"


def page_text(page: Page) -> str:
    """The text of one page, exactly as it stands in the document."""
    return _Builder(page, 0).text


def compose(pages: Iterable[Page], *, mime_type: str, uri: str = "", scores: bool = False) -> documentai.Document:
    """A document of these pages; `scores` adds the quality of each."""
    texts: list[str] = []
    messages: list[Json] = []
    offset = 0
    for page in pages:
        built = _Builder(page, offset)
        messages.append(_page(page, built, scores=scores))
        texts.append(built.text)
        offset += len(built.text)
    # Built beneath the wrapper: a page has hundreds of tokens, and the wrapper is slow for each.
    message = documentai.Document.pb()(mime_type=mime_type, uri=uri, text="".join(texts), pages=messages)
    document: documentai.Document = documentai.Document.wrap(message)
    return document


def _page(page: Page, built: _Builder, *, scores: bool) -> Json:
    words = list(page.words)
    message: Json = {
        "page_number": page.number,
        "dimension": {"width": page.width, "height": page.height, "unit": "pixels"},
        "layout": built.layout(0, words, Box(0, 0, page.width, page.height)),
        "blocks": built.blocks,
        "paragraphs": built.paragraphs,
        "lines": built.lines,
        "tokens": built.tokens,
    }
    if words:
        message["detected_languages"] = [{"language_code": LANGUAGE, "confidence": page.confidence}]
    if page.image is not None:
        size = {"width": page.width, "height": page.height}
        message["image"] = {"content": page.image, "mime_type": "image/png", **size}
    if scores:
        message["image_quality_scores"] = {"quality_score": page.confidence}
    return message
