"""What a request asks for: which pages, read how, and which fields of the answer."""

from collections.abc import Collection, Sequence

from google.cloud import documentai
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message

from emulators.documentai.reader import Look
from emulators.engines.errors import InvalidArgument


def select_pages(options: documentai.ProcessOptions, pages: int) -> Sequence[int]:
    """Numbers (from 1) of the pages to process, of a document with so many."""
    if "individual_page_selector" in options:
        numbers = sorted(set(options.individual_page_selector.pages))
        if not numbers or numbers[0] < 1 or numbers[-1] > pages:
            raise InvalidArgument(f"Page selection {numbers} is out of range: the document has {pages} pages.")
        return numbers
    if "from_start" in options:
        return range(1, min(_positive(options.from_start), pages) + 1)
    if "from_end" in options:
        return range(max(pages - _positive(options.from_end), 0) + 1, pages + 1)
    return range(1, pages + 1)


def _positive(count: int) -> int:
    if count < 1:
        raise InvalidArgument("A page range must hold at least one page.")
    return count


def look(options: documentai.ProcessOptions, mask: FieldMask, *, imageless: bool) -> Look:
    """How to read: pictures of the pages are made only when the answer will hold them."""
    images = not imageless and _wanted(mask.paths, "pages", "pages.image")
    return Look(native=options.ocr_config.enable_native_pdf_parsing, images=images)


def _wanted(paths: Collection[str], *names: str) -> bool:
    return not paths or any(name in paths for name in names)


def check_mask(mask: FieldMask) -> None:
    """Refuse a mask that names what a document does not have, or goes deeper than `pages.{field}`."""
    document = documentai.Document.pb().DESCRIPTOR.fields_by_name
    page = documentai.Document.Page.pb().DESCRIPTOR.fields_by_name
    for path in mask.paths:
        field, _, below = path.partition(".")
        if field not in document or (below and (field != "pages" or below not in page)):
            raise InvalidArgument(f"Invalid field mask: '{path}' is no field of a document or of its pages.")


def apply_mask(document: documentai.Document, mask: FieldMask) -> None:
    """Leave only the fields that the mask names; an empty mask leaves all."""
    if not mask.paths:
        return
    message = documentai.Document.pb(document)
    _keep(message, {path.partition(".")[0] for path in mask.paths})
    within = {path.partition(".")[2] for path in mask.paths if path.startswith("pages")}
    if "" not in within:
        for page in message.pages:
            _keep(page, within)


def _keep(message: Message, names: Collection[str]) -> None:
    for descriptor, _value in message.ListFields():
        if descriptor.name not in names:
            message.ClearField(descriptor.name)
