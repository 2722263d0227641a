"""Pub/Sub: tells the event functions of an object again, in the words of a Cloud Storage notification."""

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared import errors
from shared.settings import emulator, settings

if TYPE_CHECKING:
    from google.pubsub_v1.services.publisher import PublisherAsyncClient

TIMEOUT = 10.0
"""Seconds that one call may take."""


async def notify(topic: str, resource: Mapping[str, Any]) -> None:
    """Publishes that this object is finalised; `resource` is the object as the JSON API describes it.

    https://cloud.google.com/storage/docs/pubsub-notifications#format
    """
    from google.api_core import exceptions as google
    from google.pubsub_v1.types import PubsubMessage

    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": str(resource["bucket"]),
        "objectId": str(resource["name"]),
        "objectGeneration": str(resource["generation"]),
    }
    message = PubsubMessage(data=json.dumps(resource).encode(), attributes=attributes)
    name = f"projects/{settings().google_cloud_project}/topics/{topic}"
    try:
        await _client().publish(topic=name, messages=[message], timeout=TIMEOUT)
    except (google.ServiceUnavailable, google.DeadlineExceeded, google.RetryError) as error:
        raise errors.Unavailable("Pub/Sub does not answer right now.", retry_after=2) from error


@lru_cache
def _client() -> "PublisherAsyncClient":
    import grpc.aio
    from google.pubsub_v1.services.publisher import PublisherAsyncClient
    from google.pubsub_v1.services.publisher.transports import PublisherGrpcAsyncIOTransport

    host = emulator("PUBSUB_EMULATOR_HOST")
    if not host:
        return PublisherAsyncClient()
    channel = grpc.aio.insecure_channel(host)
    return PublisherAsyncClient(transport=PublisherGrpcAsyncIOTransport(channel=channel))
