"""One Document AI and one bucket for all tests of this folder."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import grpc.aio
import pytest
from google.cloud.documentai import DocumentProcessorServiceAsyncClient
from google.cloud.documentai_v1.services.document_processor_service.transports import (
    DocumentProcessorServiceGrpcAsyncIOTransport,
)

from tests.emulators.engines import Bucket, Running, bucket, engine

PROCESSOR = "projects/alta-test/locations/eu/processors/ocr"


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[DocumentProcessorServiceAsyncClient]:
    """Google's own client, on a channel without TLS."""
    async with grpc.aio.insecure_channel(address) as channel:
        transport = DocumentProcessorServiceGrpcAsyncIOTransport(channel=channel)
        yield DocumentProcessorServiceAsyncClient(transport=transport)


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with bucket(tmp_path_factory.mktemp("storage")) as opened:
        yield opened


@pytest.fixture(scope="session")
def processor(tmp_path_factory: pytest.TempPathFactory, objects: Bucket) -> Iterator[Running]:
    with engine("documentai", objects.storage, tmp_path_factory.mktemp("documentai")) as running:
        yield running


@pytest.fixture(scope="session")
async def client(processor: Running) -> AsyncIterator[DocumentProcessorServiceAsyncClient]:
    async with connected(processor.address) as opened:
        yield opened
