"""`DocumentProcessorService` with a processor that reads documents."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from google.cloud import documentai
from google.protobuf.message import Message

from emulators.documentai import limits
from emulators.documentai.batch import Batch
from emulators.documentai.layout import compose
from emulators.documentai.options import apply_mask, check_mask, look, select_pages
from emulators.documentai.reader import Reader
from emulators.documentai.sources import opened
from emulators.engines.control import Control
from emulators.engines.errors import InvalidArgument
from emulators.engines.objects import GcsUri, ObjectMissing, Objects
from emulators.engines.operations import Operations, timestamp
from emulators.engines.rpc import Methods, serialize

PROCESSOR = re.compile(
    r"(?P<parent>projects/[^/]+/locations/[^/]+)/processors/(?P<id>[^/]+)(/processorVersions/[^/]+)?"
)
VERSION = "pretrained-ocr-v2.0-2023-06-02"

INSTANT = documentai.Document(
    mime_type="text/plain",
    text="instant\n",
    pages=[documentai.Document.Page(page_number=1)],
)

Skipped = documentai.HumanReviewStatus(state=documentai.HumanReviewStatus.State.SKIPPED)
"""There is no one to review here, whether or not `skip_human_review` says so."""


class DocumentProcessor:
    """The methods of the API. Any processor name of the right form exists and is an OCR processor."""

    def __init__(self, control: Control, reader: Reader, objects: Objects, operations: Operations) -> None:
        self._control = control
        self._reader = reader
        self._objects = objects
        self._operations = operations

    def handler(self) -> "grpc.GenericRpcHandler[Message, Message]":
        """The gRPC service."""
        api = documentai
        methods = Methods("google.cloud.documentai.v1.DocumentProcessorService", self._control)
        methods.add("ProcessDocument", self.process, api.ProcessRequest.deserialize, api.ProcessResponse.serialize)
        methods.add("BatchProcessDocuments", self.batch_process, api.BatchProcessRequest.deserialize, serialize)
        methods.add("GetProcessor", self.get_processor, api.GetProcessorRequest.deserialize, api.Processor.serialize)
        return methods.handler()

    async def process(self, request: documentai.ProcessRequest) -> documentai.ProcessResponse:
        """Read one document now: at most 15 pages (30 imageless) and 40 MB."""
        _processor(request.name)
        check_mask(request.field_mask)
        with TemporaryDirectory() as folder:
            document = await self._document(request, Path(folder) / "document")
        apply_mask(document, request.field_mask)
        return documentai.ProcessResponse(document=document, human_review_status=Skipped)

    async def batch_process(self, request: documentai.BatchProcessRequest) -> Message:
        """Begin to read many documents of the bucket; the results go back into the bucket."""
        parent = _processor(request.name)["parent"]
        Batch.check(request)
        now = timestamp(datetime.now(UTC))
        state = documentai.BatchProcessMetadata.State.WAITING
        waiting = documentai.BatchProcessMetadata(state=state, create_time=now, update_time=now)
        operation: Message = self._operations.begin(
            parent,
            "BatchProcessDocuments",
            documentai.BatchProcessRequest.serialize(request),
            documentai.BatchProcessMetadata.pb(waiting),
        )
        return operation

    async def get_processor(self, request: documentai.GetProcessorRequest) -> documentai.Processor:
        """The processor of that name: enabled, with one version."""
        name = request.name
        if "/processorVersions/" in name:
            raise InvalidArgument(f"Invalid processor name: '{name}'.")
        return documentai.Processor(
            name=name,
            type_="OCR_PROCESSOR",
            display_name=_processor(name)["id"],
            state=documentai.Processor.State.ENABLED,
            default_processor_version=f"{name}/processorVersions/{VERSION}",
        )

    async def _document(self, request: documentai.ProcessRequest, file: Path) -> documentai.Document:
        uri, mime_type, content = _source(request)
        self._control.processed(uri=uri, content=content)
        if self._control.instant:
            return documentai.Document(INSTANT)
        if uri:
            await self._fetch(uri, file)
        elif content is not None:
            limits.check_size(len(content), limits.ONLINE_BYTES)
        how = look(request.process_options, request.field_mask, imageless=request.imageless_mode)
        async with opened(file if uri else content or b"", mime_type) as source:
            numbers = select_pages(request.process_options, source.page_count)
            limits.check_online_pages(len(numbers), source.page_count, imageless=request.imageless_mode)
            pages = await self._reader.read(source, numbers, how)
        scores = request.process_options.ocr_config.enable_image_quality_scores
        return await asyncio.to_thread(compose, pages, mime_type=mime_type, uri=uri or "", scores=scores)

    async def _fetch(self, uri: str, file: Path) -> None:
        where = GcsUri.parse(uri)
        try:
            limits.check_size((await self._objects.describe(where)).size, limits.ONLINE_BYTES)
            await self._objects.download(where, file)
        except ObjectMissing:
            raise limits.document_not_found(uri) from None


def _source(request: documentai.ProcessRequest) -> tuple[str | None, str, bytes | None]:
    """Where the document is (address, or bytes) and its declared type."""
    if "raw_document" in request:
        return None, request.raw_document.mime_type, request.raw_document.content
    if "gcs_document" in request:
        return request.gcs_document.gcs_uri, request.gcs_document.mime_type, None
    if "inline_document" in request:
        inline = request.inline_document
        return (None, inline.mime_type, inline.content) if inline.content else (inline.uri, inline.mime_type, None)
    raise InvalidArgument("One of raw_document, gcs_document and inline_document must be set.")


def _processor(name: str) -> re.Match[str]:
    match = PROCESSOR.fullmatch(name)
    if not match:
        raise InvalidArgument(f"Invalid processor name: '{name}'.")
    return match
