"""Document AI: reads documents, at once or, above the online limits, as a long operation through the bucket.

What the service refuses for good (a broken file, an unsupported one) is `Unprocessable`; what it refuses now (quota,
outage, deadline) is `Unavailable` and worth another try. Limits: https://cloud.google.com/document-ai/limits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared import errors
from shared.cloud import passing
from shared.models.assets import Fault, Flag
from shared.models.recognition import Block, Interrupted, Page, Recognition, TooLong, Unprocessable, Word
from shared.settings import emulator, settings

if TYPE_CHECKING:
    from google.cloud import documentai_v1 as documentai

ONLINE_PAGES = 15
"""Pages that are read at once; more go the batch way."""
TIMEOUT = 240.0
"""Seconds that reading at once may take."""
_FIELDS = "text,pages.pageNumber,pages.dimension,pages.layout,pages.blocks,pages.tokens,pages.detectedLanguages"


async def read(uri: str, content_type: str, languages: Sequence[str]) -> Recognition:
    """Everything that stands in the document at `gs://...`.

    Raises TooLong above the online limits, Unprocessable for what can't be read, Unavailable when it may be read later.
    """
    from google.api_core import exceptions as google
    from google.cloud import documentai_v1 as documentai

    request = documentai.ProcessRequest(
        name=settings().documentai_processor,
        gcs_document=documentai.GcsDocument(gcs_uri=uri, mime_type=content_type),
        skip_human_review=True,
        field_mask=_FIELDS,
        process_options=_options(languages),
    )
    try:
        answer = await _client().process_document(request=request, timeout=TIMEOUT, retry=None)
    except google.InvalidArgument as error:
        if "PAGE_LIMIT_EXCEEDED" in (error.reason or "") or "page limit" in str(error).lower():
            raise TooLong("Over the online page limit.") from error
        raise Unprocessable(Fault.UNREADABLE, f"The document can't be read: {error.message}") from error
    except passing.raised() as error:
        raise errors.Unavailable("Document AI does not answer right now.", retry_after=10) from error
    return recognition([answer.document])


async def begin(uri: str, content_type: str, languages: Sequence[str], output_uri: str) -> str:
    """Starts reading a long document into `output_uri`; returns the name of the operation."""
    from google.api_core import exceptions as google
    from google.cloud import documentai_v1 as documentai

    document = documentai.GcsDocument(gcs_uri=uri, mime_type=content_type)
    output = documentai.DocumentOutputConfig.GcsOutputConfig(gcs_uri=output_uri, field_mask=_FIELDS)
    request = documentai.BatchProcessRequest(
        name=settings().documentai_processor,
        input_documents=documentai.BatchDocumentsInputConfig(
            gcs_documents=documentai.GcsDocuments(documents=[document])
        ),
        document_output_config=documentai.DocumentOutputConfig(gcs_output_config=output),
        skip_human_review=True,
        process_options=_options(languages),
    )
    try:
        operation = await _client().batch_process_documents(request=request, retry=None)
    except google.InvalidArgument as error:
        raise Unprocessable(Fault.UNREADABLE, f"The document can't be read: {error.message}") from error
    except passing.raised() as error:
        raise errors.Unavailable("Document AI does not answer right now.", retry_after=10) from error
    return str(operation.operation.name)


@dataclass(frozen=True)
class Ended:
    """How a long operation ended: the folders, `gs://...`, of what it read, and what went wrong with the rest."""

    outputs: Sequence[str]
    trouble: str


async def outcome(operation_name: str) -> Ended | None:
    """How a long operation ended; None while it runs.

    Raises Interrupted when nothing came of it for a reason that passes, Unprocessable when for one that stays.
    """
    from google.api_core import exceptions as google
    from google.cloud import documentai_v1 as documentai

    try:
        operation = await _client().transport.operations_client.get_operation(operation_name)
    except google.NotFound as error:
        raise Interrupted("The long operation is not known any more.") from error
    except passing.raised() as error:
        raise errors.Unavailable("Document AI does not answer right now.", retry_after=10) from error
    if not operation.done:
        return None
    metadata = documentai.BatchProcessMetadata()
    operation.metadata.Unpack(documentai.BatchProcessMetadata.pb(metadata))
    documents = metadata.individual_process_statuses
    troubles = [one.status for one in documents if one.status.code]
    message = "; ".join(status.message for status in troubles)
    if not operation.HasField("error"):
        return Ended([one.output_gcs_destination for one in documents if one.output_gcs_destination], message)
    # The operation itself only says that all failed, as if the request were wrong; why stands with the document.
    message = f"The document can't be read: {message or operation.error.message}"
    if any(status.code in passing.CODES for status in (operation.error, *troubles)):
        raise Interrupted(message)
    raise Unprocessable(Fault.UNREADABLE, message)


def shard(raw: str) -> "documentai.Document":
    """One output file of a long operation."""
    from google.cloud import documentai_v1 as documentai

    document: documentai.Document = documentai.Document.from_json(raw, ignore_unknown_fields=True)
    return document


def recognition(documents: Iterable["documentai.Document"]) -> Recognition:
    """What was read, from a document in one or several shards."""
    from google.cloud import documentai_v1 as documentai

    pages: list[Page] = []
    texts: list[str] = []
    languages: dict[str, float] = {}
    for document in documents:
        raw = documentai.Document.pb(document)
        texts.append(raw.text)
        for page in raw.pages:
            pages.append(_page(raw.text, page, len(pages) + 1))
            for found in page.detected_languages:
                languages[found.language_code] = languages.get(found.language_code, 0.0) + (found.confidence or 1.0)
    words = [word.confidence for page in pages for word in page.words if word.confidence is not None]
    return Recognition(
        text="\n".join(texts).strip(),
        confidence=sum(words) / len(words) if words else None,
        language=max(languages, key=languages.__getitem__) if languages else None,
        pages=pages,
        flags=_blank(pages),
    )


def _blank(pages: Sequence[Page]) -> list[Flag]:
    blank = [page for page in pages if not page.words]
    if not blank:
        return []
    return [Flag.BLANK] if len(blank) == len(pages) else [Flag.BLANK_PAGES]


def _page(text: str, page: Any, number: int) -> Page:
    return Page(
        number=number,
        width=page.dimension.width or None,
        height=page.dimension.height or None,
        text=_said(text, page.layout).strip(),
        confidence=_confidence(page.layout),
        blocks=[
            Block(text=_said(text, one.layout).strip(), confidence=_confidence(one.layout), box=_box(one.layout))
            for one in page.blocks
        ],
        words=[
            Word(text=_said(text, one.layout).strip(), confidence=_confidence(one.layout), box=_box(one.layout))
            for one in page.tokens
        ],
    )


def _said(text: str, layout: Any) -> str:
    return "".join(text[part.start_index : part.end_index] for part in layout.text_anchor.text_segments)


def _confidence(layout: Any) -> float | None:
    return round(layout.confidence, 4) or None


def _box(layout: Any) -> list[float] | None:
    corners = layout.bounding_poly.normalized_vertices
    if not corners:
        return None
    across, down = [corner.x for corner in corners], [corner.y for corner in corners]
    return [round(side, 5) for side in (min(across), min(down), max(across), max(down))]


def _options(languages: Sequence[str]) -> "documentai.ProcessOptions":
    from google.cloud import documentai_v1 as documentai

    hints = documentai.OcrConfig.Hints(language_hints=list(languages))
    return documentai.ProcessOptions(ocr_config=documentai.OcrConfig(hints=hints))


@lru_cache
def _client() -> "documentai.DocumentProcessorServiceAsyncClient":
    import grpc.aio
    from google.api_core.client_options import ClientOptions
    from google.cloud import documentai_v1 as documentai
    from google.cloud.documentai_v1.services.document_processor_service.transports import (
        DocumentProcessorServiceGrpcAsyncIOTransport,
    )

    host = emulator("DOCUMENTAI_EMULATOR_HOST")
    if host:
        channel = grpc.aio.insecure_channel(host, options=[("grpc.max_receive_message_length", -1)])
        return documentai.DocumentProcessorServiceAsyncClient(
            transport=DocumentProcessorServiceGrpcAsyncIOTransport(channel=channel)
        )
    location = settings().documentai_processor.split("/")[3]
    options = ClientOptions(api_endpoint=f"{location}-documentai.googleapis.com")
    return documentai.DocumentProcessorServiceAsyncClient(client_options=options)
