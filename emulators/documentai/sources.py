"""Documents as pages to look at: PDF through PDFium, images through Pillow."""

import asyncio
import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import pypdfium2  # type: ignore[import-untyped]  # no types are published
from PIL import Image, ImageOps, UnidentifiedImageError

from emulators.documentai.limits import IMAGE_TYPES, PDF, no_pages, unsupported_format, unsupported_mime_type
from emulators.documentai.pages import Page
from emulators.documentai.pdftext import read_text_layer

RENDER_DPI = 200
"""Of print of 8 points, 5.7 % is wrong at 100 dpi, 0.2 % at 150, nothing at 200; 300 takes 40 % longer for no gain."""

MAX_PIXELS = 40_000_000
"""A larger picture is scaled down before it is read: an A4 page at 600 dpi still passes whole."""

END_OF_PDF = b"%%EOF"
END_WINDOW = 2048
"""Bytes at the end of a PDF among which its end mark must stand; without it the file was cut off."""

_pdfium = threading.Lock()  # PDFium may be entered by one thread at a time, whatever the document


class Source(Protocol):
    """A document that is open. Pages count from 0 here; `image` and `text_layer` may be called from any thread."""

    page_count: int

    def image(self, index: int) -> Image.Image:
        """The page as it is to be looked at."""

    def text_layer(self, index: int) -> Page | None:
        """The text that the file itself holds for the page; None where it holds none."""


@asynccontextmanager
async def opened(content: bytes | Path, mime_type: str) -> AsyncIterator[Source]:
    """Open a document of a declared type. `InvalidArgument` for a type that is not read, or bytes not of that type."""
    if mime_type == PDF:
        opening: AbstractContextManager[Source] = _pdf(content)
    elif mime_type in IMAGE_TYPES:
        opening = _picture(content, IMAGE_TYPES[mime_type])
    else:
        raise unsupported_mime_type(mime_type)
    source = await asyncio.to_thread(opening.__enter__)  # another document may hold PDFium for a while
    try:
        yield source
    finally:
        await asyncio.to_thread(opening.__exit__, None, None, None)


class _Pdf:
    def __init__(self, document: pypdfium2.PdfDocument) -> None:
        self._document = document
        self.page_count = len(document)

    def image(self, index: int) -> Image.Image:
        with _pdfium:
            page = self._document[index]
            try:
                width, height = page.get_size()
                scale = min(RENDER_DPI / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
                rendered: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
                return rendered
            finally:
                page.close()

    def text_layer(self, index: int) -> Page | None:
        with _pdfium:
            page = self._document[index]
            try:
                return read_text_layer(page, index + 1, RENDER_DPI / 72)
            finally:
                page.close()


@contextmanager
def _pdf(content: bytes | Path) -> Iterator[_Pdf]:
    if END_OF_PDF not in _end(content):
        raise unsupported_format("the PDF has no end: it was cut off")
    try:
        with _pdfium:
            document = pypdfium2.PdfDocument(content)
            source = _Pdf(document)
    except pypdfium2.PdfiumError as error:
        raise unsupported_format(str(error)) from error
    try:
        if source.page_count == 0:
            raise no_pages()
        yield source
    finally:
        with _pdfium:
            document.close()


def _end(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content[-END_WINDOW:]
    with content.open("rb") as file:
        file.seek(max(content.stat().st_size - END_WINDOW, 0))
        return file.read()


class _Picture:
    def __init__(self, image: Image.Image) -> None:
        self._image = image
        self._lock = threading.Lock()  # frames of one file share its position
        self.page_count: int = getattr(image, "n_frames", 1)

    def image(self, index: int) -> Image.Image:
        with self._lock:
            try:
                self._image.seek(index)
                frame = ImageOps.exif_transpose(_on_paper(self._image))
            except (OSError, SyntaxError, ValueError) as error:  # what Pillow raises for bytes that are cut or wrong
                raise unsupported_format(str(error)) from error
        frame.thumbnail(_within(frame.size))
        return frame

    def text_layer(self, index: int) -> None:  # noqa: ARG002  # the protocol's signature; a picture holds no text
        return None


@contextmanager
def _picture(content: bytes | Path, kind: str) -> Iterator[_Picture]:
    try:
        image = Image.open(io.BytesIO(content) if isinstance(content, bytes) else content, formats=[kind])
    except UnidentifiedImageError as error:
        raise unsupported_format(f"the bytes are no {kind} image") from error
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise unsupported_format(str(error)) from error
    with image:
        yield _Picture(image)


def _on_paper(image: Image.Image) -> Image.Image:
    """The picture in grey, with transparent parts as white as paper."""
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        return paper.convert("L")
    return image.convert("L")


def _within(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, (MAX_PIXELS / (size[0] * size[1])) ** 0.5)
    return int(size[0] * scale), int(size[1] * scale)
