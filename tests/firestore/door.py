"""A door to the Firestore emulator: passes every call on, and lets somebody watch what passes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc

SERVICE = "/google.firestore.v1.Firestore/"
_OPTIONS = [
    # As the functions themselves: an emulator that was restarted is there again at once, and no commit is too large.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
]


class Watch:
    """What is seen of one call. It watches nothing; whoever wants to see something overrides."""

    def asked(self, message: bytes) -> None:
        """A message from the client."""

    def answered(self, message: bytes) -> None:
        """A message from the emulator."""

    def ended(self, code: grpc.StatusCode) -> None:
        """The call came to an end that the emulator gave it."""


Watching = Callable[[str], Watch]
"""Gives a watch for a call of this method, such as `RunQuery`."""


@asynccontextmanager
async def door(emulator: str, watching: Watching, port: int = 0) -> AsyncIterator[str]:
    """A door on this port, or on a free one; its address."""
    server = grpc.aio.server(options=_OPTIONS)
    async with grpc.aio.insecure_channel(emulator, options=_OPTIONS) as channel:
        server.add_generic_rpc_handlers((_Door(channel, watching),))
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        try:
            yield f"127.0.0.1:{bound}"
        finally:
            await server.stop(None)


class _Door(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs alone, not at run time
    """On the wire a call with one message is a stream of one, so one form serves all."""

    def __init__(self, channel: grpc.aio.Channel, watching: Watching) -> None:
        self._channel = channel
        self._watching = watching

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = handler_call_details.method

        async def pass_on(
            asked: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> AsyncIterator[bytes]:
            watch = self._watching(method.removeprefix(SERVICE))
            try:
                async for answer in self._answers(method, asked, context, watch):
                    watch.answered(answer)
                    yield answer
            except grpc.aio.AioRpcError as error:
                watch.ended(error.code())
                await context.abort(error.code(), error.details() or "")
            watch.ended(grpc.StatusCode.OK)

        return grpc.stream_stream_rpc_method_handler(pass_on)

    async def _answers(
        self, method: str, asked: AsyncIterator[bytes], context: Any, watch: Watch
    ) -> AsyncIterator[bytes]:
        async def messages() -> AsyncIterator[bytes]:
            async for message in asked:
                watch.asked(message)
                yield message

        metadata = tuple(context.invocation_metadata() or ())
        call = self._channel.stream_stream(method, None, None)(messages(), metadata=metadata)
        async for answer in call:
            yield answer
