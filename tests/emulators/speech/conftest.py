"""One Speech-to-Text and one bucket for all tests of this folder."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import grpc.aio
import pytest
from google.cloud.speech_v2 import SpeechAsyncClient
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport

from tests.emulators.engines import Bucket, Running, bucket, engine

LOCATION = "projects/alta-test/locations/global"
RECOGNIZER = f"{LOCATION}/recognizers/_"


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[SpeechAsyncClient]:
    """Google's own client, on a channel without TLS."""
    async with grpc.aio.insecure_channel(address) as channel:
        yield SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bucket]:
    with bucket(tmp_path_factory.mktemp("storage")) as opened:
        yield opened


@pytest.fixture(scope="session")
def recognizer(tmp_path_factory: pytest.TempPathFactory, objects: Bucket) -> Iterator[Running]:
    with engine("speech", objects.storage, tmp_path_factory.mktemp("speech")) as running:
        yield running


@pytest.fixture(scope="session")
async def client(recognizer: Running) -> AsyncIterator[SpeechAsyncClient]:
    async with connected(recognizer.address) as opened:
        yield opened
