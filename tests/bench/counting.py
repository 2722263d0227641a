"""Counts what Firestore would bill, on the wire between the functions and the emulator.

A read for each document that a get or a query returns, at least one a query, and one for each thousand index entries
that an aggregation counts; a write or a delete for each document changed (https://cloud.google.com/firestore/pricing).
"""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

SERVICE = "/google.firestore.v1.Firestore/"
INDEX_ENTRIES = 1_000
"""Index entries of an aggregation that one read pays for."""

Count = Counter[str]


@asynccontextmanager
async def counted(emulator: str, count: Count) -> AsyncIterator[str]:
    """A door to the emulator that counts what passes; its address."""
    server = grpc.aio.server()
    async with grpc.aio.insecure_channel(emulator) as channel:
        server.add_generic_rpc_handlers((_Door(channel, count),))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            await server.stop(None)


class _Door(grpc.GenericRpcHandler):  # type: ignore[type-arg]  # generic in its stubs alone, not at run time
    """Passes every call on. On the wire a call with one message is a stream of one, so one form serves all."""

    def __init__(self, channel: grpc.aio.Channel, count: Count) -> None:
        self._channel = channel
        self._count = count

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = handler_call_details.method

        async def pass_on(
            asked: AsyncIterator[bytes], context: grpc.aio.ServicerContext[bytes, bytes]
        ) -> AsyncIterator[bytes]:
            metadata = tuple(context.invocation_metadata() or ())
            call = self._channel.stream_stream(method, None, None)(self._asked(method, asked), metadata=metadata)
            returned = 0
            try:
                async for answer in call:
                    returned += self._answered(method, answer)
                    yield answer
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details() or "")
            if method == f"{SERVICE}RunQuery" and not returned:
                self._count["firestore.reads"] += 1

        return grpc.stream_stream_rpc_method_handler(pass_on)

    async def _asked(self, method: str, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for message in messages:
            if method in (f"{SERVICE}Commit", f"{SERVICE}BatchWrite"):
                for write in _parsed(types.CommitRequest, message).writes:
                    kind = "deletes" if write.WhichOneof("operation") == "delete" else "writes"
                    self._count[f"firestore.{kind}"] += 1
            yield message

    def _answered(self, method: str, message: bytes) -> int:
        reads = READS.get(method.removeprefix(SERVICE), _nothing)(message)
        self._count["firestore.reads"] += reads
        return reads


def _parsed(kind: Any, message: bytes) -> Any:
    """A message of one of Google's types; their classes are made at run time and unknown to a type checker."""
    return kind.pb().FromString(message)


def _nothing(_: bytes) -> int:
    return 0


def _one(_: bytes) -> int:
    return 1


def _got(message: bytes) -> int:
    return int(_parsed(types.BatchGetDocumentsResponse, message).WhichOneof("result") is not None)


def _queried(message: bytes) -> int:
    return int(_parsed(types.RunQueryResponse, message).HasField("document"))


def _aggregated(message: bytes) -> int:
    fields = _parsed(types.RunAggregationQueryResponse, message).result.aggregate_fields
    entries: int = fields["count"].integer_value if "count" in fields else 0
    return max(1, -(-entries // INDEX_ENTRIES))


READS: dict[str, Callable[[bytes], int]] = {
    "BatchGetDocuments": _got,
    "GetDocument": _one,
    "RunQuery": _queried,
    "RunAggregationQuery": _aggregated,
}
"""Method → how many reads one of its answers costs."""
