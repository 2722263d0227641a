"""Batch processing: many documents from the bucket, their text back into the bucket, in shards."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from google.cloud import documentai
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from emulators.documentai import limits
from emulators.documentai.layout import compose, page_text
from emulators.documentai.options import apply_mask, check_mask, look, select_pages
from emulators.documentai.pages import Page
from emulators.documentai.reader import Reader
from emulators.documentai.sources import Source, opened
from emulators.engines.control import Control
from emulators.engines.errors import ApiError, InvalidArgument
from emulators.engines.objects import GcsUri, ObjectMissing, Objects
from emulators.engines.operations import Job, timestamp

PAGES_PER_SHARD = 10
"""When the request does not say: https://github.com/googleapis/python-documentai/issues/396"""

State = documentai.BatchProcessMetadata.State
Status = documentai.BatchProcessMetadata.IndividualProcessStatus
Sharding = documentai.DocumentOutputConfig.GcsOutputConfig.ShardingConfig


@dataclass(frozen=True)
class Shard:
    """Pages that go into one output file, and how many of them the shard before has too."""

    index: int
    numbers: Sequence[int]
    repeated: int


def shards(numbers: Sequence[int], sharding: Sharding) -> list[Shard]:
    """Cut the pages of a document into shards that overlap as asked."""
    size = sharding.pages_per_shard or PAGES_PER_SHARD
    step = size - sharding.pages_overlap
    starts = range(0, max(len(numbers) - sharding.pages_overlap, 1), step)
    return [
        Shard(index, numbers[start : start + size], sharding.pages_overlap if index else 0)
        for index, start in enumerate(starts)
    ]


class Batch:
    """Does the work of `BatchProcessDocuments` operations."""

    def __init__(self, control: Control, reader: Reader, objects: Objects) -> None:
        self._control = control
        self._reader = reader
        self._objects = objects

    @staticmethod
    def check(request: documentai.BatchProcessRequest) -> None:
        """Refuse, before anything begins, what can never work."""
        output = request.document_output_config.gcs_output_config
        GcsUri.parse(output.gcs_uri)
        check_mask(output.field_mask)
        sharding = output.sharding_config
        if sharding.pages_per_shard < 0 or not 0 <= sharding.pages_overlap < (
            sharding.pages_per_shard or PAGES_PER_SHARD
        ):
            raise InvalidArgument("pages_overlap must be smaller than pages_per_shard, and neither negative.")
        if "gcs_prefix" in request.input_documents:
            GcsUri.parse(request.input_documents.gcs_prefix.gcs_uri_prefix)
        elif not request.input_documents.gcs_documents.documents:
            raise InvalidArgument("One of gcs_prefix and gcs_documents must be set.")
        limits.check_documents(len(request.input_documents.gcs_documents.documents))

    async def run(self, job: Job) -> Message:
        """Read every input. One that fails says so in its status; only when all fail does the operation."""
        request = documentai.BatchProcessRequest.deserialize(job.request)
        metadata = documentai.BatchProcessMetadata(state=State.RUNNING, create_time=timestamp(job.begun))
        _report(job, metadata)
        try:
            inputs = [document async for document in self._inputs(request.input_documents)]
            limits.check_documents(len(inputs))
            metadata.individual_process_statuses = [Status(input_gcs_source=item.gcs_uri) for item in inputs]
            succeeded = 0
            for index, item in enumerate(inputs):
                status = metadata.individual_process_statuses[index]
                succeeded += await self._attempt(request, job, index, item, status)
                _report(job, metadata)
            if not succeeded:
                raise limits.all_failed()
        except ApiError as error:
            _end(job, metadata, State.FAILED, error.message)
            raise
        except asyncio.CancelledError:
            _end(job, metadata, State.CANCELLED, "The operation was cancelled.")
            raise
        _end(job, metadata, State.SUCCEEDED)
        response: Message = documentai.BatchProcessResponse.pb(documentai.BatchProcessResponse())
        return response

    async def _inputs(self, inputs: documentai.BatchDocumentsInputConfig) -> AsyncIterator[documentai.GcsDocument]:
        if "gcs_prefix" not in inputs:
            for document in inputs.gcs_documents.documents:
                yield document
            return
        prefix = inputs.gcs_prefix.gcs_uri_prefix
        found = False
        async for item in self._objects.list(GcsUri.parse(prefix)):
            if item.content_type == limits.PDF or item.content_type in limits.IMAGE_TYPES:
                found = True
                yield documentai.GcsDocument(gcs_uri=str(item.uri), mime_type=item.content_type)
        if not found:
            raise limits.no_documents(prefix)

    async def _attempt(
        self,
        request: documentai.BatchProcessRequest,
        job: Job,
        index: int,
        item: documentai.GcsDocument,
        status: Status,
    ) -> bool:
        """Read one input and write down how it went."""
        output = GcsUri.parse(request.document_output_config.gcs_output_config.gcs_uri)
        folder = output.below(job.operation_id, str(index))
        try:
            await self._read(request, item, folder)
        except ApiError as error:
            status.status = error.status
            return False
        except ObjectMissing as missing:
            status.status = limits.document_not_found(str(missing.uri)).status
            return False
        status.output_gcs_destination = str(folder)
        status.human_review_status = documentai.HumanReviewStatus(state=documentai.HumanReviewStatus.State.SKIPPED)
        return True

    async def _read(
        self, request: documentai.BatchProcessRequest, item: documentai.GcsDocument, folder: GcsUri
    ) -> None:
        where = GcsUri.parse(item.gcs_uri)
        self._control.enter("BatchedDocument")
        self._control.processed(uri=item.gcs_uri)
        limits.check_size((await self._objects.describe(where)).size, limits.BATCH_BYTES)
        with TemporaryDirectory() as scratch:
            file = Path(scratch) / "document"
            await self._objects.download(where, file)
            async with opened(file, item.mime_type) as source:
                limits.check_batch_pages(source.page_count)
                async for document in self._documents(source, request, item):
                    name = f"{where.stem}-{document.shard_info.shard_index}.json"
                    content = await asyncio.to_thread(_json, document)
                    await self._objects.upload(folder.below(name), content, "application/json")

    async def _documents(
        self, source: Source, request: documentai.BatchProcessRequest, item: documentai.GcsDocument
    ) -> AsyncIterator[documentai.Document]:
        """One document per shard; no more than a shard and its overlap is in memory."""
        output = request.document_output_config.gcs_output_config
        how = look(request.process_options, output.field_mask, imageless=False)
        cut = shards(select_pages(request.process_options, source.page_count), output.sharding_config)
        scores = request.process_options.ocr_config.enable_image_quality_scores
        offset = 0
        pages: list[Page] = []
        for shard in cut:
            again = pages[len(pages) - shard.repeated :]
            pages = again + await self._reader.read(source, shard.numbers[shard.repeated :], how)
            document = await asyncio.to_thread(
                compose, pages, mime_type=item.mime_type, uri=item.gcs_uri, scores=scores
            )
            offset -= sum(len(page_text(page)) for page in again)
            document.shard_info = documentai.Document.ShardInfo(
                shard_index=shard.index, shard_count=len(cut), text_offset=offset
            )
            offset += len(document.text)
            apply_mask(document, _with_shard_info(output.field_mask))
            yield document


def _end(job: Job, metadata: documentai.BatchProcessMetadata, state: int, message: str = "") -> None:
    metadata.state = State(state)
    metadata.state_message = message
    _report(job, metadata)


def _report(job: Job, metadata: documentai.BatchProcessMetadata) -> None:
    metadata.update_time = timestamp(datetime.now(UTC))
    job.report(documentai.BatchProcessMetadata.pb(metadata))


def _with_shard_info(mask: FieldMask) -> FieldMask:
    """A shard says which one it is, whatever fields were asked for."""
    return FieldMask(paths=[*mask.paths, "shard_info"]) if mask.paths else mask


def _json(document: documentai.Document) -> bytes:
    return MessageToJson(documentai.Document.pb(document), indent=None).encode()
