"""What Document AI refuses, in its own words.

Numbers: https://cloud.google.com/document-ai/limits. Messages and reasons:
https://cloud.google.com/document-ai/docs/error-messages.
"""

from emulators.engines.errors import InvalidArgument, NotFound, error_info

ONLINE_PAGES = 15
ONLINE_PAGES_IMAGELESS = 30
ONLINE_BYTES = 40 << 20
BATCH_PAGES = 500
BATCH_BYTES = 1 << 30
BATCH_DOCUMENTS = 5000

PDF = "application/pdf"
IMAGE_TYPES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/bmp": "BMP",
}
"""Content type → the name Pillow has for it. https://cloud.google.com/document-ai/docs/file-types"""

DOMAIN = "documentai.googleapis.com"


def unsupported_mime_type(mime_type: str) -> InvalidArgument:
    """The declared type is none that the processor reads."""
    info = error_info(DOMAIN, "UNSUPPORTED_MIME_TYPE", mime_type=mime_type)
    return InvalidArgument(f"Unsupported MIME type: '{mime_type}'.", info)


def unsupported_format(why: str) -> InvalidArgument:
    """The bytes are not what the declared type says, or broken, or locked: one message for all, as Google has it."""
    return InvalidArgument("Unsupported input file format.", error_info(DOMAIN, "UNSUPPORTED_INPUT_FORMAT", cause=why))


def no_pages() -> InvalidArgument:
    """An empty file, or one without a page."""
    return InvalidArgument("No pages were found in the document.", error_info(DOMAIN, "NO_PAGES"))


def no_documents(prefix: str) -> InvalidArgument:
    """A prefix under which nothing readable lies."""
    message = f"No valid documents found in {prefix} directory. Ensure files are in a supported MIME type."
    return InvalidArgument(message, error_info(DOMAIN, "NO_DOCUMENTS"))


def document_not_found(uri: str) -> NotFound:
    """An input that is not in the bucket."""
    return NotFound(f"Document not found: '{uri}'.", error_info(DOMAIN, "DOCUMENT_NOT_FOUND", document=uri))


def all_failed() -> InvalidArgument:
    """A batch of which nothing could be read: the operation itself fails."""
    return InvalidArgument("Failed to process all documents.", error_info(DOMAIN, "FAILED_TO_PROCESS_ALL_DOCUMENTS"))


def check_size(size: int, limit: int) -> None:
    """Refuse a file of more than `limit` bytes, and an empty one."""
    if size == 0:
        raise no_pages()
    if size > limit:
        info = error_info(DOMAIN, "DOCUMENT_SIZE_LIMIT_EXCEEDED", limit=limit, size=size)
        raise InvalidArgument(f"Document size ({size}) exceeds limit: {limit} (bytes).", info)


def check_documents(documents: int) -> None:
    """Refuse a batch of too many inputs."""
    if documents > BATCH_DOCUMENTS:
        info = error_info(DOMAIN, "DOCUMENT_LIMIT_EXCEEDED", document_limit=BATCH_DOCUMENTS, documents=documents)
        raise InvalidArgument(f"Document count exceed the limit: {BATCH_DOCUMENTS} got {documents}", info)


def check_online_pages(selected: int, pages: int, *, imageless: bool) -> None:
    """Refuse an online call for more than 15 pages, 30 without images; `pages` is what the document has in all."""
    if selected <= (ONLINE_PAGES_IMAGELESS if imageless else ONLINE_PAGES):
        return
    if imageless or selected > ONLINE_PAGES_IMAGELESS:
        _refuse_pages(
            f"Document pages exceed the limit: {ONLINE_PAGES_IMAGELESS} got {pages}", ONLINE_PAGES_IMAGELESS, pages
        )
    message = (
        f"Document pages in non-imageless mode exceed the limit: {ONLINE_PAGES} got {pages}. "
        f"Try using imageless mode to increase the limit to {ONLINE_PAGES_IMAGELESS}."
    )
    _refuse_pages(message, ONLINE_PAGES, pages)


def check_batch_pages(pages: int) -> None:
    """Refuse a batch input of more than 500 pages."""
    if pages > BATCH_PAGES:
        _refuse_pages(_too_many(BATCH_PAGES, pages), BATCH_PAGES, pages)


def _too_many(limit: int, pages: int) -> str:
    return f"Document pages exceed the limit: {limit} got {pages}"


def _refuse_pages(message: str, limit: int, pages: int) -> None:
    raise InvalidArgument(message, error_info(DOMAIN, "PAGE_LIMIT_EXCEEDED", page_limit=limit, pages=pages))
