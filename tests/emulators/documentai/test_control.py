"""The control door: what was read how often, faults on demand, answers without the engine."""

import hashlib

import pytest
from google.api_core.exceptions import ResourceExhausted, ServiceUnavailable
from google.cloud import documentai
from google.cloud.documentai import DocumentProcessorServiceAsyncClient

from tests import material
from tests.emulators.documentai.conftest import PROCESSOR
from tests.emulators.documentai.test_reading import read
from tests.emulators.engines import Bucket, Running

Client = DocumentProcessorServiceAsyncClient


async def test_each_document_is_counted_by_its_bytes_or_its_address(
    client: Client, processor: Running, objects: Bucket
) -> None:
    content = material.picture("png", "counted")
    uri = objects.put("counted/one.png", content, "image/png")
    gcs = documentai.GcsDocument(gcs_uri=uri, mime_type="image/png")

    await read(client, content, "image/png")
    await client.process_document(request=documentai.ProcessRequest(name=PROCESSOR, gcs_document=gcs))
    await client.process_document(request=documentai.ProcessRequest(name=PROCESSOR, gcs_document=gcs))

    counters = processor.counters()
    assert counters["sha256"][hashlib.sha256(content).hexdigest()] == 1
    assert counters["uris"][uri] == 2
    assert counters["calls"]["ProcessDocument"] >= 3


@pytest.mark.parametrize(
    ("code", "error"), [("UNAVAILABLE", ServiceUnavailable), ("RESOURCE_EXHAUSTED", ResourceExhausted)]
)
async def test_a_fault_comes_as_often_as_asked_and_then_no_more(
    client: Client, processor: Running, code: str, error: type[Exception]
) -> None:
    fault = {"method": "GetProcessor", "code": code, "times": 2}
    processor.control.post("/_alta/faults", json=fault).raise_for_status()

    for _ in range(2):
        with pytest.raises(error):
            await client.get_processor(name=PROCESSOR, retry=None)
    assert (await client.get_processor(name=PROCESSOR, retry=None)).name == PROCESSOR


async def test_a_fault_of_no_known_kind_is_refused(processor: Running) -> None:
    refused = processor.control.post("/_alta/faults", json={"method": "GetProcessor", "code": "TIRED"})

    assert refused.status_code == 400
    assert "code" in refused.json()["error"]


async def test_instant_mode_answers_without_reading(client: Client, processor: Running) -> None:
    processor.control.post("/_alta/instant", json={"on": True}).raise_for_status()
    try:
        document = await read(client, b"anything", "image/png")
    finally:
        processor.control.post("/_alta/instant", json={"on": False}).raise_for_status()

    assert document.text == "instant\n"
    assert (await read(client, material.picture("png", "again read"), "image/png")).text == "again read\n"
