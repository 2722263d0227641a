"""Bucket notifications: what is published, to whom, and that nothing is lost."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import grpc
import httpx
import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud.storage import Bucket
from google.pubsub_v1 import PublisherAsyncClient, SubscriberAsyncClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcAsyncIOTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage
from hypothesis import given
from hypothesis import strategies as st

from emulators import java
from emulators.errors import CannotStartError
from emulators.ports import HOST, free_ports
from emulators.storage.publish_request import encode_publish_request
from tests import loopback
from tests.emulators.storage.pubsub import PubSub
from tests.emulators.storage.server import PROJECT, Account, Server
from tests.emulators.waiting import until

PATIENCE = 60.0
"""Seconds that a message may take on a machine that is busy with other tests."""
TOPIC = f"projects/{PROJECT}/topics/objects"


@pytest.fixture(scope="module")
async def pubsub() -> AsyncIterator[PubSub]:
    """A Pub/Sub that shows what it was given."""
    started = await PubSub().start()
    yield started
    await started.stop()


@pytest.fixture(scope="module")
async def publishing(
    account: Account, pubsub: PubSub, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Server]:
    """A server that publishes there."""
    server = Server(tmp_path_factory.mktemp("publishing"), account, pubsub.address)
    await asyncio.to_thread(server.__enter__)
    yield server
    await asyncio.to_thread(server.__exit__, None, None, None)


async def notified(server: Server, **settings: object) -> Bucket:
    """A new bucket with one notification configuration."""

    def create() -> Bucket:
        bucket = server.client.create_bucket(f"notified-{uuid4().hex[:12]}")
        bucket.notification(topic_name="objects", topic_project=PROJECT, **settings).create()
        return bucket

    return await asyncio.to_thread(create)


async def stored(bucket: Bucket, name: str, content: bytes = b"x") -> int:
    """Store an object; gives its generation."""
    blob = bucket.blob(name)
    await asyncio.to_thread(blob.upload_from_string, content)
    return int(blob.generation)


def holds(condition: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    """A condition for `until`."""

    async def check() -> bool:
        return condition()

    return check


async def test_a_stored_object_is_told_with_all_its_attributes(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="JSON_API_V1", custom_attributes={"team": "alta"})
    generation = await stored(bucket, "documents/a ü.pdf", b"content")
    await until(holds(lambda: len(pubsub.about(bucket)) == 1), PATIENCE)
    message = pubsub.about(bucket)[0]
    attributes = dict(message.attributes)
    assert attributes.pop("eventTime").endswith("Z")
    assert attributes == {
        "team": "alta",
        "notificationConfig": f"projects/_/buckets/{bucket.name}/notificationConfigs/1",
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": bucket.name,
        "objectId": "documents/a ü.pdf",
        "objectGeneration": str(generation),
    }
    resource = json.loads(message.data)
    path = f"/storage/v1/b/{bucket.name}/o/documents%2Fa%20%C3%BC.pdf"
    shown = await asyncio.to_thread(httpx.get, publishing.url + path)
    assert resource == shown.json()
    assert (resource["kind"], resource["size"]) == ("storage#object", "7")
    assert set(pubsub.topics) == {TOPIC}


async def test_an_overwrite_tells_of_both_generations(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="JSON_API_V1")
    first = await stored(bucket, "a")
    second = await stored(bucket, "a")
    await until(holds(lambda: len(pubsub.about(bucket)) == 3), PATIENCE)
    assert pubsub.events(bucket) == [("OBJECT_FINALIZE", "a"), ("OBJECT_DELETE", "a"), ("OBJECT_FINALIZE", "a")]
    deleted, finalized = pubsub.about(bucket)[1].attributes, pubsub.about(bucket)[2].attributes
    assert (deleted["objectGeneration"], deleted["overwrittenByGeneration"]) == (str(first), str(second))
    assert (finalized["objectGeneration"], finalized["overwroteGeneration"]) == (str(second), str(first))


async def test_a_versioned_bucket_tells_of_archived_objects(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="JSON_API_V1")
    bucket.versioning_enabled = True
    await asyncio.to_thread(bucket.patch)
    first = await stored(bucket, "a")
    await stored(bucket, "a")
    await asyncio.to_thread(bucket.blob("a").delete)
    await asyncio.to_thread(bucket.blob("a", generation=first).delete)
    await until(holds(lambda: len(pubsub.about(bucket)) == 5), PATIENCE)
    assert [kind for kind, _ in pubsub.events(bucket)] == [
        "OBJECT_FINALIZE", "OBJECT_ARCHIVE", "OBJECT_FINALIZE", "OBJECT_ARCHIVE", "OBJECT_DELETE",
    ]  # fmt: skip
    assert "overwrittenByGeneration" not in pubsub.about(bucket)[3].attributes


async def test_changed_metadata_and_deletions_are_told(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="NONE")
    await stored(bucket, "a")
    blob = bucket.blob("a")
    blob.metadata = {"k": "v"}
    await asyncio.to_thread(blob.patch)
    await asyncio.to_thread(blob.delete)
    await until(holds(lambda: len(pubsub.about(bucket)) == 3), PATIENCE)
    assert [kind for kind, _ in pubsub.events(bucket)] == ["OBJECT_FINALIZE", "OBJECT_METADATA_UPDATE", "OBJECT_DELETE"]
    assert all(message.data == b"" for message in pubsub.about(bucket))


async def test_only_the_wanted_events_and_names_are_told(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(
        publishing, payload_format="NONE", event_types=["OBJECT_FINALIZE"], blob_name_prefix="documents/"
    )
    for name in ("voice/1", "documents/1", "documents/2"):
        await stored(bucket, name)
    await asyncio.to_thread(bucket.blob("documents/1").delete)
    await stored(bucket, "documents/3")
    await until(holds(lambda: len(pubsub.about(bucket)) == 3), PATIENCE)
    assert [name for _, name in pubsub.events(bucket)] == ["documents/1", "documents/2", "documents/3"]


async def test_nothing_is_lost_while_pubsub_is_away(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="NONE")
    await pubsub.stop()
    names = [f"n/{number}" for number in range(20)]
    for name in names:
        await stored(bucket, name)
    counted = await asyncio.to_thread(publishing.counters)
    assert counted["notifications"]["pending"] == 20
    await pubsub.start()
    await until(holds(lambda: len(pubsub.about(bucket)) == 20), PATIENCE)
    assert [name for _, name in pubsub.events(bucket)] == names


async def test_nothing_is_lost_when_the_server_is_killed(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="NONE")
    pubsub.refusing = grpc.StatusCode.NOT_FOUND
    for number in range(5):
        await stored(bucket, f"n/{number}")
    await asyncio.to_thread(publishing.kill)
    pubsub.refusing = None
    await asyncio.to_thread(publishing.start)
    await until(holds(lambda: len(pubsub.about(bucket)) >= 5), PATIENCE)
    assert [name for _, name in pubsub.events(bucket)][:5] == [f"n/{number}" for number in range(5)]


async def test_a_topic_that_is_missing_does_not_stop_the_others(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="NONE", blob_name_prefix="a/")
    pubsub.refusing = grpc.StatusCode.NOT_FOUND
    await stored(bucket, "a/1")
    refused = pubsub.requests
    await until(holds(lambda: pubsub.requests > refused + 1), PATIENCE)
    pubsub.refusing = None
    await until(holds(lambda: pubsub.events(bucket) == [("OBJECT_FINALIZE", "a/1")]), PATIENCE)


async def test_many_messages_travel_in_few_requests(publishing: Server, pubsub: PubSub, account: Account) -> None:
    bucket = await notified(publishing, payload_format="JSON_API_V1")
    pubsub.refusing = grpc.StatusCode.UNAVAILABLE
    async with loopback.client() as http:
        urls = [account.sign(bucket.blob(f"n/{number}"), "PUT") for number in range(300)]
        answers = await asyncio.gather(*(http.put(url, content=b"x") for url in urls))
    assert {answer.status_code for answer in answers} == {200}
    pubsub.requests = 0
    pubsub.refusing = None
    await until(holds(lambda: len(pubsub.about(bucket)) == 300), PATIENCE)
    assert pubsub.requests <= 3
    assert len({name for _, name in pubsub.events(bucket)}) == 300


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"action": "drop", "times": 2}, ["3", "4", "5"]),
        ({"action": "duplicate", "times": 2}, ["1", "1", "2", "2", "3", "4", "5"]),
        ({"action": "delay", "times": 1, "seconds": 1}, ["2", "3", "4", "5", "1"]),
        ({"action": "reorder", "times": 4}, ["4", "3", "2", "1", "5"]),
    ],
    ids=lambda value: value["action"] if isinstance(value, dict) else "",
)
async def test_tests_can_disturb_the_order(
    plan: dict[str, object], expected: list[str], publishing: Server, pubsub: PubSub
) -> None:
    bucket = await notified(publishing, payload_format="NONE")
    answer = await asyncio.to_thread(httpx.post, f"{publishing.url}/_alta/notifications", json=plan)
    assert answer.status_code == 204
    for name in "12345":
        await stored(bucket, name)
    await until(holds(lambda: len(pubsub.about(bucket)) == len(expected)), PATIENCE)
    assert [name for _, name in pubsub.events(bucket)] == expected


async def test_configurations_are_listed_read_and_deleted(publishing: Server, pubsub: PubSub) -> None:
    bucket = await notified(publishing, payload_format="JSON_API_V1", event_types=["OBJECT_FINALIZE"])

    def check() -> None:
        (found,) = bucket.list_notifications()
        assert (found.topic_name, found.topic_project, found.event_types) == ("objects", PROJECT, ["OBJECT_FINALIZE"])
        assert bucket.get_notification(found.notification_id).payload_format == "JSON_API_V1"
        found.delete()
        assert list(bucket.list_notifications()) == []
        with pytest.raises(NotFound):
            bucket.get_notification(found.notification_id)
        with pytest.raises(BadRequest):
            bucket.notification("objects", topic_project=PROJECT, event_types=["NOTHING"]).create()

    await asyncio.to_thread(check)
    await stored(bucket, "a")
    counted = await asyncio.to_thread(publishing.counters)
    assert counted["notifications"]["pending"] == 0
    assert pubsub.about(bucket) == []


@given(
    topic=st.text(max_size=300),
    messages=st.lists(
        st.tuples(st.binary(max_size=300), st.dictionaries(st.text(), st.text(), max_size=4)), max_size=4
    ),
)
def test_requests_are_encoded_as_pubsub_reads_them(topic: str, messages: list[tuple[bytes, dict[str, str]]]) -> None:
    expected = PublishRequest(
        topic=topic, messages=[PubsubMessage(data=data, attributes=attributes) for data, attributes in messages]
    )
    assert PublishRequest.deserialize(encode_publish_request(topic, messages)) == expected


@pytest.fixture(scope="module")
def pubsub_emulator() -> Iterator[str]:
    """Google's own Pub/Sub emulator; its address."""
    try:
        jar = java.jar(java.PUBSUB, lambda _line: None)
    except CannotStartError as missing:
        pytest.skip(str(missing))
    port = free_ports(1)[0]
    process = subprocess.Popen([java.java(), "-jar", str(jar), f"--host={HOST}", f"--port={port}"])
    yield f"{HOST}:{port}"
    process.terminate()
    process.wait(timeout=20)


@pytest.fixture
async def to_emulator(pubsub_emulator: str, account: Account, tmp_path: Path) -> AsyncIterator[Server]:
    """A server that publishes to Google's emulator."""
    server = Server(tmp_path, account, pubsub_emulator)
    await asyncio.to_thread(server.__enter__)
    yield server
    await asyncio.to_thread(server.__exit__, None, None, None)


async def test_notifications_reach_google_pubsub_emulator(pubsub_emulator: str, to_emulator: Server) -> None:
    bucket = await notified(to_emulator, payload_format="JSON_API_V1")
    subscription = f"projects/{PROJECT}/subscriptions/objects"
    async with grpc.aio.insecure_channel(pubsub_emulator) as channel:
        publisher = PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
        subscriber = SubscriberAsyncClient(transport=SubscriberGrpcAsyncIOTransport(channel=channel))
        # The first one is told before there is a topic: it waits.
        await stored(bucket, "documents/0", b"content")
        await asyncio.wait_for(channel.channel_ready(), 60)
        await publisher.create_topic(name=TOPIC)
        await subscriber.create_subscription(name=subscription, topic=TOPIC)
        for number in (1, 2):
            await stored(bucket, f"documents/{number}", b"content")
        received: dict[str, PubsubMessage] = {}

        async def pulled() -> bool:
            answer = await subscriber.pull(subscription=subscription, max_messages=10)
            received.update({found.message.attributes["objectId"]: found.message for found in answer.received_messages})
            return {"documents/1", "documents/2"} <= set(received)

        await until(pulled, PATIENCE)
    assert json.loads(received["documents/1"].data)["name"] == "documents/1"
