"""Sends what waits in the outbox to Pub/Sub, many messages in one request, until it is accepted."""

import asyncio
import logging
import time
from contextlib import suppress

import grpc

from emulators.storage.notifications import Outbox, Waiting
from emulators.storage.publish_request import PUBLISH_METHOD, encode_publish_request

BATCH = 500
"""Messages in a publish request; Pub/Sub takes 1,000 and 10 MB."""
TIMEOUT_SECONDS = 10.0
BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""How long a topic that refused is left alone, by the number of refusals; the last one repeats."""
POLL_SECONDS = 0.05
"""How often delayed and refused messages are looked at."""
_CHANNEL_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)]

log = logging.getLogger(__name__)


class Publisher:
    """Publishes the outbox to the Pub/Sub at `address` (host:port, plain text)."""

    def __init__(self, outbox: Outbox, address: str) -> None:
        self._outbox = outbox
        self._address = address
        self._wake = asyncio.Event()
        self._refusals: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    async def run(self) -> None:
        """Publish until cancelled."""
        self._outbox.on_filled = self._wake.set
        async with grpc.aio.insecure_channel(self._address, options=_CHANNEL_OPTIONS) as channel:
            publish = channel.unary_unary(PUBLISH_METHOD, request_serializer=bytes, response_deserializer=bytes)
            while True:
                await self._wait()
                now = time.monotonic()
                await asyncio.gather(
                    *(
                        self._publish(publish, topic, messages)
                        for topic, messages in self._outbox.waiting(BATCH).items()
                        if self._not_before.get(topic, 0) <= now
                    )
                )

    async def _wait(self) -> None:
        """Until something is put in; while something is left over, not longer than a poll."""
        if self._outbox.pending():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
        else:
            await self._wake.wait()
        self._wake.clear()

    async def _publish(
        self, publish: "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]", topic: str, messages: list[Waiting]
    ) -> None:
        request = encode_publish_request(topic, ((message.data, message.attributes) for message in messages))
        try:
            await publish(request, timeout=TIMEOUT_SECONDS)
        except grpc.aio.AioRpcError as error:
            refusals = self._refusals[topic] = self._refusals.get(topic, 0) + 1
            pause = BACKOFF_SECONDS[min(refusals, len(BACKOFF_SECONDS)) - 1]
            self._not_before[topic] = time.monotonic() + pause
            self._outbox.counters["refused"] += 1
            log.warning(
                "%s messages not published to %s (%s), again in %s s", len(messages), topic, error.code(), pause
            )
            return
        self._refusals.pop(topic, None)
        self._not_before.pop(topic, None)
        self._outbox.remove(messages)
