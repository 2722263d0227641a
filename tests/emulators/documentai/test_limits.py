"""What Document AI refuses, and in which words."""

import asyncio

import pytest
from google.api_core.exceptions import GoogleAPICallError, InvalidArgument, NotFound
from google.cloud import documentai
from google.cloud.documentai import DocumentProcessorServiceAsyncClient

from tests import material
from tests.emulators.documentai.conftest import PROCESSOR
from tests.emulators.documentai.test_reading import read
from tests.emulators.engines import BUCKET, Bucket

Client = DocumentProcessorServiceAsyncClient
PDF = "application/pdf"


async def refused(client: Client, content: bytes, mime_type: str, **request: object) -> GoogleAPICallError:
    """The error that these bytes bring."""
    with pytest.raises(InvalidArgument) as caught:
        await read(client, content, mime_type, **request)
    return caught.value


async def test_fifteen_pages_are_read_online_and_sixteen_are_not(client: Client) -> None:
    document = await read(client, material.numbered_pdf(15), PDF, field_mask={"paths": ["text"]})
    assert document.text.splitlines()[-1] == "Sheet 15"

    error = await refused(client, material.numbered_pdf(16), PDF)
    assert error.message == (
        "Document pages in non-imageless mode exceed the limit: 15 got 16. "
        "Try using imageless mode to increase the limit to 30."
    )
    assert error.reason == "PAGE_LIMIT_EXCEEDED"
    assert error.domain == "documentai.googleapis.com"
    assert error.metadata == {"page_limit": "15", "pages": "16"}


async def test_imageless_mode_raises_the_limit_to_thirty_pages(client: Client) -> None:
    document = await read(client, material.numbered_pdf(16), PDF, imageless_mode=True)
    assert document.text.splitlines()[-1] == "Sheet 16"

    error = await refused(client, material.numbered_pdf(31), PDF, imageless_mode=True)
    assert error.message == "Document pages exceed the limit: 30 got 31"
    assert error.reason == "PAGE_LIMIT_EXCEEDED"


async def test_a_few_pages_of_a_long_document_are_read_online(client: Client) -> None:
    document = await read(client, material.numbered_pdf(31), PDF, process_options={"from_end": 1})

    assert document.text == "Sheet 31\n"


async def test_a_document_of_more_than_forty_megabytes_is_refused(client: Client) -> None:
    error = await refused(client, bytes((40 << 20) + 1), PDF)

    assert error.message == "Document size (41943041) exceeds limit: 41943040 (bytes)."
    assert error.reason == "DOCUMENT_SIZE_LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (material.truncated_pdf(), PDF),
        (material.encrypted_pdf(), PDF),
        (b"%PDF-1.4 and nothing that follows %%EOF", PDF),
        (material.text_named_png(), "image/png"),
        (material.truncated_png(), "image/png"),
        (material.picture("jpeg", "other"), "image/png"),
    ],
    ids=["truncated PDF", "encrypted PDF", "broken PDF", "text named .png", "truncated PNG", "JPEG named .png"],
)
async def test_a_file_that_is_not_what_its_type_says_is_refused(client: Client, content: bytes, mime_type: str) -> None:
    error = await refused(client, content, mime_type)

    assert error.message == "Unsupported input file format."
    assert error.reason == "UNSUPPORTED_INPUT_FORMAT"


async def test_an_empty_file_is_refused(client: Client) -> None:
    error = await refused(client, material.empty(), PDF)

    assert error.message == "No pages were found in the document."
    assert error.reason == "NO_PAGES"


@pytest.mark.parametrize("mime_type", ["text/csv", "image/svg+xml", ""])
async def test_a_type_that_is_not_read_is_refused(client: Client, mime_type: str) -> None:
    error = await refused(client, b"a,b\n1,2\n", mime_type)

    assert error.message == f"Unsupported MIME type: '{mime_type}'."
    assert error.reason == "UNSUPPORTED_MIME_TYPE"


@pytest.mark.parametrize(
    "request_",
    [
        {"field_mask": {"paths": ["nothing"]}},
        {"field_mask": {"paths": ["pages.nothing"]}},
        {"field_mask": {"paths": ["entities.type"]}},
        {"process_options": {"individual_page_selector": {"pages": [2]}}},
        {"process_options": {"from_start": 0}},
    ],
    ids=["unknown field", "unknown page field", "too deep", "page that is not there", "no page"],
)
async def test_a_request_that_makes_no_sense_is_refused(client: Client, request_: dict[str, object]) -> None:
    await refused(client, material.numbered_pdf(1), PDF, **request_)


async def test_a_processor_name_of_another_form_is_refused(client: Client) -> None:
    raw = documentai.RawDocument(content=b"x", mime_type=PDF)
    with pytest.raises(InvalidArgument, match="Invalid processor name"):
        await client.process_document(request=documentai.ProcessRequest(name="processors/ocr", raw_document=raw))


async def test_a_document_in_the_bucket_is_read(client: Client, objects: Bucket) -> None:
    uri = objects.put("read/one.png", material.picture("png", "in the bucket"), "image/png")
    gcs = documentai.GcsDocument(gcs_uri=uri, mime_type="image/png")
    answer = await client.process_document(request=documentai.ProcessRequest(name=PROCESSOR, gcs_document=gcs))

    assert answer.document.text == "in the bucket\n"
    assert answer.document.uri == uri


async def test_a_document_that_is_not_in_the_bucket_is_not_found(client: Client, objects: Bucket) -> None:
    gcs = documentai.GcsDocument(gcs_uri=f"gs://{BUCKET}/missing.pdf", mime_type=PDF)
    with pytest.raises(NotFound) as caught:
        await client.process_document(request=documentai.ProcessRequest(name=PROCESSOR, gcs_document=gcs))

    assert caught.value.message == f"Document not found: 'gs://{BUCKET}/missing.pdf'."
    assert caught.value.reason == "DOCUMENT_NOT_FOUND"


async def test_calls_are_answered_while_pages_are_read(client: Client) -> None:
    reading = asyncio.create_task(read(client, material.numbered_pdf(15), PDF, field_mask={"paths": ["text"]}))
    answers = 0
    while not reading.done():
        await client.get_processor(name=PROCESSOR, timeout=5)
        answers += 1
        await asyncio.sleep(0.05)

    assert answers >= 5
    assert (await reading).text.startswith("Sheet 1\n")
