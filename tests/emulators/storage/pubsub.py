"""A Pub/Sub that only takes messages: what the storage server published, in the order in which it came."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

import grpc
from google.cloud.storage import Bucket
from google.pubsub_v1.types import PublishRequest, PublishResponse, PubsubMessage

from emulators.ports import HOST, free_ports


@dataclass
class PubSub:
    """A publisher service on a port of its own. While `refusing` is set, every request is refused with it."""

    address: str = field(default_factory=lambda: f"{HOST}:{free_ports(1)[0]}")
    messages: list[PubsubMessage] = field(default_factory=list)
    topics: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    refusing: grpc.StatusCode | None = None
    _server: "grpc.aio.Server | None" = None

    async def start(self) -> Self:
        """Listen."""
        handler = grpc.unary_unary_rpc_method_handler(
            self._publish,
            request_deserializer=PublishRequest.deserialize,
            response_serializer=PublishResponse.serialize,
        )
        self._server = grpc.aio.server()
        service = grpc.method_handlers_generic_handler("google.pubsub.v1.Publisher", {"Publish": handler})
        self._server.add_generic_rpc_handlers((service,))
        self._server.add_insecure_port(self.address)
        await self._server.start()
        return self

    async def stop(self) -> None:
        """Be gone."""
        if self._server:
            await self._server.stop(grace=None)

    def about(self, bucket: Bucket) -> list[PubsubMessage]:
        """The messages about a bucket."""
        return [message for message in self.messages if message.attributes["bucketId"] == bucket.name]

    def events(self, bucket: Bucket) -> list[tuple[str, str]]:
        """Event type and object of every message about a bucket."""
        return [(message.attributes["eventType"], message.attributes["objectId"]) for message in self.about(bucket)]

    async def _publish(
        self, request: PublishRequest, context: "grpc.aio.ServicerContext[PublishRequest, PublishResponse]"
    ) -> PublishResponse:
        self.requests += 1
        if self.refusing:
            await context.abort(self.refusing, "refused by the test")
        self.topics[request.topic] += len(request.messages)
        self.messages.extend(request.messages)
        return PublishResponse(message_ids=[str(number) for number, _ in enumerate(request.messages)])
