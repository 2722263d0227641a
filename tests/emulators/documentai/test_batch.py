"""Batches: from the bucket into the bucket, in shards, through restarts and failures."""

import json
from pathlib import Path

import grpc.aio
import pytest
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, NotFound
from google.api_core.operation_async import AsyncOperation
from google.api_core.operations_v1 import OperationsAsyncClient
from google.cloud import documentai
from google.cloud.documentai import BatchProcessMetadata, Document, DocumentProcessorServiceAsyncClient
from google.cloud.documentai_v1.services.document_processor_service.transports import (
    DocumentProcessorServiceGrpcAsyncIOTransport,
)
from google.longrunning import operations_pb2  # type: ignore[import-untyped]  # no types are published

from tests import material
from tests.emulators.documentai.conftest import PROCESSOR, connected
from tests.emulators.engines import BUCKET, Bucket, Running, engine
from tests.emulators.waiting import until

Client = DocumentProcessorServiceAsyncClient
PDF = "application/pdf"
LIMIT = 120.0
"""Seconds that a batch may take here."""


def request(inputs: list[tuple[str, str]], output: str, **gcs: object) -> documentai.BatchProcessRequest:
    """A batch over these addresses and types, with its output below a folder."""
    documents = [{"gcs_uri": uri, "mime_type": mime_type} for uri, mime_type in inputs]
    return documentai.BatchProcessRequest(
        name=PROCESSOR,
        input_documents={"gcs_documents": {"documents": documents}},
        document_output_config={"gcs_output_config": {"gcs_uri": f"gs://{BUCKET}/{output}", **gcs}},
    )


async def result(operation: AsyncOperation) -> None:
    """Wait for an operation as Google's client does; raises its error."""
    await operation.result(timeout=LIMIT)  # type: ignore[no-untyped-call]  # not annotated in google-api-core


def metadata_of(operation: operations_pb2.Operation) -> BatchProcessMetadata:
    """What an operation says of its progress."""
    metadata: BatchProcessMetadata = BatchProcessMetadata.deserialize(operation.metadata.value)
    return metadata


async def finished(client: Client, name: str) -> operations_pb2.Operation:
    """An operation, once it is done."""
    operation = await client.get_operation({"name": name})

    async def done() -> bool:
        nonlocal operation
        operation = await client.get_operation({"name": name})
        return bool(operation.done)

    await until(done, LIMIT)
    return operation


def operations(client: Client) -> OperationsAsyncClient:
    """The client for operations that the API's own client brings."""
    transport = client.transport
    assert isinstance(transport, DocumentProcessorServiceGrpcAsyncIOTransport)
    return transport.operations_client


def shards(objects: Bucket, folder: str) -> list[Document]:
    """The documents that lie in an output folder, in order."""
    return [Document.from_json(objects.get(f"gs://{BUCKET}/{name}").decode()) for name in objects.names(f"{folder}/")]


async def test_a_batch_writes_one_folder_per_input_and_says_how_each_went(client: Client, objects: Bucket) -> None:
    good = objects.put("batch/good.png", material.picture("png", "good one"), "image/png")
    bad = objects.put("batch/bad.pdf", material.truncated_pdf(), PDF)
    missing = f"gs://{BUCKET}/batch/missing.pdf"

    operation = await client.batch_process_documents(
        request=request([(good, "image/png"), (bad, PDF), (missing, PDF)], "out/mixed/")
    )
    await result(operation)

    metadata = operation.metadata
    assert metadata.state == BatchProcessMetadata.State.SUCCEEDED
    assert metadata.create_time <= metadata.update_time
    first, second, third = metadata.individual_process_statuses
    assert [status.input_gcs_source for status in (first, second, third)] == [good, bad, missing]
    operation_id = operation.operation.name.rpartition("/")[2]
    assert first.status.code == 0
    assert first.output_gcs_destination == f"gs://{BUCKET}/out/mixed/{operation_id}/0"
    assert (second.status.code, second.status.message) == (3, "Unsupported input file format.")
    assert (third.status.code, third.status.message) == (5, f"Document not found: '{missing}'.")
    assert not second.output_gcs_destination
    assert objects.names(f"gs://{BUCKET}/out/mixed/") == [f"out/mixed/{operation_id}/0/good-0.json"]
    assert shards(objects, first.output_gcs_destination)[0].text == "good one\n"


async def test_a_long_document_is_cut_into_shards_that_join_to_the_whole(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/long.pdf", material.numbered_pdf(16), PDF)

    operation = await client.batch_process_documents(
        request=request([(uri, PDF)], "out/long", field_mask={"paths": ["text", "pages.page_number", "pages.layout"]})
    )
    await result(operation)

    found = shards(objects, operation.metadata.individual_process_statuses[0].output_gcs_destination)
    assert [len(shard.pages) for shard in found] == [10, 6]
    assert [shard.shard_info.shard_count for shard in found] == [2, 2]
    assert [shard.shard_info.shard_index for shard in found] == [0, 1]
    assert found[1].shard_info.text_offset == len(found[0].text)
    assert "".join(shard.text for shard in found) == "".join(f"Sheet {number}\n" for number in range(1, 17))
    assert found[1].pages[0].page_number == 11
    assert found[1].pages[0].layout.text_anchor.text_segments[0].start_index == 0
    assert not found[0].pages[0].tokens


async def test_shards_overlap_as_asked(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/overlap.pdf", material.numbered_pdf(5), PDF)

    operation = await client.batch_process_documents(
        request=request([(uri, PDF)], "out/overlap", sharding_config={"pages_per_shard": 3, "pages_overlap": 1})
    )
    await result(operation)

    found = shards(objects, operation.metadata.individual_process_statuses[0].output_gcs_destination)
    assert [[page.page_number for page in shard.pages] for shard in found] == [[1, 2, 3], [3, 4, 5]]
    assert found[1].shard_info.text_offset == len("Sheet 1\nSheet 2\n")


async def test_a_shard_is_json_as_google_writes_it(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/shape.png", material.picture("png", "shape"), "image/png")
    operation = await client.batch_process_documents(request=request([(uri, "image/png")], "out/shape"))
    await result(operation)

    folder = operation.metadata.individual_process_statuses[0].output_gcs_destination
    document = json.loads(objects.get(f"{folder}/shape-0.json"))

    token = document["pages"][0]["tokens"][0]
    assert token["layout"]["textAnchor"]["textSegments"] == [{"endIndex": "6"}]
    assert token["detectedBreak"] == {"type": "SPACE"}
    assert document["mimeType"] == "image/png"
    assert document["uri"] == uri


async def test_every_readable_object_below_a_prefix_is_read(client: Client, objects: Bucket) -> None:
    objects.put("prefix/a.png", material.picture("png", "first"), "image/png")
    objects.put("prefix/b.pdf", material.pdf(["second"]), PDF)
    objects.put("prefix/c.csv", b"no,document", "text/csv")
    prefixed = request([], "out/prefix")
    prefixed.input_documents = documentai.BatchDocumentsInputConfig(
        gcs_prefix={"gcs_uri_prefix": f"gs://{BUCKET}/prefix/"}
    )

    operation = await client.batch_process_documents(request=prefixed)
    await result(operation)

    statuses = operation.metadata.individual_process_statuses
    texts = [shards(objects, status.output_gcs_destination)[0].text for status in statuses]
    assert texts == ["first\n", "second\n"]


async def test_a_batch_of_which_nothing_can_be_read_fails(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/locked.pdf", material.encrypted_pdf(), PDF)

    operation = await client.batch_process_documents(request=request([(uri, PDF)], "out/locked"))
    with pytest.raises(GoogleAPICallError, match="3: Failed to process all documents"):
        await result(operation)

    state = await client.get_operation({"name": operation.operation.name})
    assert metadata_of(state).state == BatchProcessMetadata.State.FAILED
    assert metadata_of(state).individual_process_statuses[0].status.message == "Unsupported input file format."


async def test_more_than_five_hundred_pages_fail_in_a_batch(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/endless.pdf", material.numbered_pdf(501), PDF)

    operation = await client.batch_process_documents(request=request([(uri, PDF)], "out/endless"))
    await finished(client, operation.operation.name)

    state = await client.get_operation({"name": operation.operation.name})
    message = metadata_of(state).individual_process_statuses[0].status.message
    assert message == "Document pages exceed the limit: 500 got 501"


@pytest.mark.parametrize(
    "wrong",
    [
        request([], "out/none"),
        request([("gs://b/o", PDF)], "out/mask", field_mask={"paths": ["nothing"]}),
        request([("gs://b/o", PDF)], "out/overlap", sharding_config={"pages_per_shard": 2, "pages_overlap": 2}),
    ],
    ids=["no input", "unknown field", "overlap of a whole shard"],
)
async def test_a_batch_that_can_never_work_is_refused_at_once(
    client: Client, wrong: documentai.BatchProcessRequest
) -> None:
    with pytest.raises(InvalidArgument):
        await client.batch_process_documents(request=wrong)


async def test_operations_are_listed_cancelled_and_deleted(client: Client, objects: Bucket) -> None:
    uri = objects.put("batch/cancelled.pdf", material.numbered_pdf(60), PDF)
    operation = await client.batch_process_documents(request=request([(uri, PDF)], "out/cancelled"))
    name = operation.operation.name

    listed = await client.list_operations({"name": PROCESSOR.partition("/processors")[0]})
    assert name in [item.name for item in listed.operations]
    await client.cancel_operation({"name": name})
    state = await finished(client, name)
    assert state.error.code == 1
    assert metadata_of(state).state == BatchProcessMetadata.State.CANCELLED

    await operations(client).delete_operation(name)  # type: ignore[no-untyped-call]  # not annotated either
    with pytest.raises(NotFound):
        await client.get_operation({"name": name})


async def test_a_batch_in_flight_goes_on_after_a_restart(objects: Bucket, tmp_path: Path) -> None:
    uri = objects.put("batch/restart.pdf", material.numbered_pdf(24), PDF)
    batch = request([(uri, PDF)], "out/restart", sharding_config={"pages_per_shard": 4}, field_mask={"paths": ["text"]})

    with engine("documentai", objects.storage, tmp_path) as before:
        async with connected(before.address) as client:
            operation = await client.batch_process_documents(request=batch)
            name = operation.operation.name
            folder = f"gs://{BUCKET}/out/restart/{name.rpartition('/')[2]}/"

            async def begun() -> bool:
                return len(objects.names(folder)) >= 1

            await until(begun, LIMIT)
            assert not (await client.get_operation({"name": name})).done
        assert before.stop() == 0

    with engine("documentai", objects.storage, tmp_path) as after:
        async with connected(after.address) as client:
            state = await finished(client, name)
        assert metadata_of(state).state == BatchProcessMetadata.State.SUCCEEDED
        assert "".join(shard.text for shard in shards(objects, f"{folder}0")) == "".join(
            f"Sheet {number}\n" for number in range(1, 25)
        )

    with engine("documentai", objects.storage, tmp_path) as later:
        async with connected(later.address) as client:
            assert (await client.get_operation({"name": name})).done
        assert later.counters()["uris"] == {}


async def test_waiting_for_an_operation_returns_when_it_is_done(
    client: Client, processor: Running, objects: Bucket
) -> None:
    uri = objects.put("batch/waited.png", material.picture("png", "waited"), "image/png")
    operation = await client.batch_process_documents(request=request([(uri, "image/png")], "out/waited"))

    async with grpc.aio.insecure_channel(processor.address) as channel:  # the client has no method for it
        wait = channel.unary_unary(
            "/google.longrunning.Operations/WaitOperation",
            request_serializer=operations_pb2.WaitOperationRequest.SerializeToString,
            response_deserializer=operations_pb2.Operation.FromString,
        )
        request_ = operations_pb2.WaitOperationRequest(name=operation.operation.name, timeout={"seconds": 60})
        state = await wait(request_, timeout=LIMIT)

    assert state.done
