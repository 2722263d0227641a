"""The connection to Firestore: one channel for each instance, and the six calls we make over it.

The calls speak plain protobuf messages. Google's client wraps each message and each value in a Python object of its
own, which is most of the time that a list takes (docs/decisions/0001-firestore-over-plain-protobuf.md); its transport
still makes the channel, with credentials and all.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from functools import lru_cache
from typing import Any

import grpc.aio
from google.cloud.firestore_v1 import types
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcAsyncIOTransport

from shared import errors
from shared.settings import emulator, settings
from shared.store.conflict import Conflict

TIMEOUT = 10.0
"""Seconds that one call may take, all its attempts together."""

_SERVICE = "google.firestore.v1.Firestore"
_READS = ("GetDocument", "BatchGetDocuments", "RunQuery", "RunAggregationQuery")
_REFUSED_COMMIT = frozenset(
    {
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ABORTED,
    }
)
"""A precondition did not hold. A query that is refused so lacks its index, which is a fault of ours."""
_AWAY = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
    }
)


def _retried(methods: tuple[str, ...], code: str) -> dict[str, Any]:
    return {
        "name": [{"service": _SERVICE, "method": method} for method in methods],
        "retryPolicy": {
            "maxAttempts": 5,
            "initialBackoff": "0.1s",
            "maxBackoff": "2s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": [code],
        },
    }


# gRPC itself repeats what is safe to repeat: reads while the service is away, and commits that lost a race for a lock.
_RETRIES = {"methodConfig": [_retried(_READS, "UNAVAILABLE"), _retried(("Commit",), "ABORTED")]}
_OPTIONS = [
    ("grpc.service_config", json.dumps(_RETRIES)),
    # A database that comes back is used again within a second, not after gRPC's two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", -1),
]


@lru_cache
def database() -> str:
    """The name of the database."""
    return f"projects/{settings().google_cloud_project}/databases/(default)"


def root() -> str:
    """What the path of every document is below."""
    return f"{database()}/documents"


@lru_cache
def _channel() -> grpc.aio.Channel:
    host = emulator("FIRESTORE_EMULATOR_HOST")
    if host:
        return grpc.aio.insecure_channel(host, options=_OPTIONS)
    channel: grpc.aio.Channel = FirestoreGrpcAsyncIOTransport.create_channel(options=_OPTIONS)
    return channel


@lru_cache
def _metadata() -> tuple[tuple[str, str], ...]:
    routing = ("google-cloud-resource-prefix", database()), ("x-goog-request-params", f"database={database()}")
    # The emulator lets its owner past the security rules, as IAM does with a service account.
    owner = (("authorization", "Bearer owner"),) if emulator("FIRESTORE_EMULATOR_HOST") else ()
    return (*routing, *owner)


async def get_document(request: Any) -> Any | None:
    """The document, or None when it is not there."""
    try:
        return await _unary("GetDocument", types.Document.pb())(request, timeout=TIMEOUT, metadata=_metadata())
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise _translated(error) from error


async def commit(request: Any) -> Any:
    """The answer to a commit; raises Conflict when a precondition does not hold."""
    try:
        return await _unary("Commit", types.CommitResponse.pb())(request, timeout=TIMEOUT, metadata=_metadata())
    except grpc.aio.AioRpcError as error:
        if error.code() in _REFUSED_COMMIT:
            raise Conflict("The record was changed by somebody else at the same time.") from error
        raise _translated(error) from error


def batch_get(request: Any) -> AsyncIterator[Any]:
    """One answer for each document asked."""
    return _stream("BatchGetDocuments", types.BatchGetDocumentsResponse.pb(), request)


def run_query(request: Any, seconds: float | None = None) -> AsyncGenerator[Any, None]:
    """One answer for each document found."""
    return _stream("RunQuery", types.RunQueryResponse.pb(), request, seconds)


def run_aggregation_query(request: Any, seconds: float | None = None) -> AsyncIterator[Any]:
    """One answer."""
    return _stream("RunAggregationQuery", types.RunAggregationQueryResponse.pb(), request, seconds)


async def _stream(method: str, response: Any, request: Any, seconds: float | None = None) -> AsyncGenerator[Any, None]:
    call = _streaming(method, response)(request, timeout=seconds or TIMEOUT, metadata=_metadata())
    try:
        async for answer in call:
            yield answer
    except grpc.aio.AioRpcError as error:
        raise _translated(error) from error
    finally:
        call.cancel()  # when nobody wants the rest


@lru_cache
def _unary(method: str, response: Any) -> Any:
    return _channel().unary_unary(
        f"/{_SERVICE}/{method}", request_serializer=_serialized, response_deserializer=response.FromString
    )


@lru_cache
def _streaming(method: str, response: Any) -> Any:
    return _channel().unary_stream(
        f"/{_SERVICE}/{method}", request_serializer=_serialized, response_deserializer=response.FromString
    )


def _serialized(message: Any) -> bytes:
    raw: bytes = message.SerializeToString()
    return raw


def _translated(error: grpc.aio.AioRpcError) -> Exception:
    if error.code() in _AWAY:
        return errors.Unavailable("The database does not answer right now.", retry_after=2)
    return error
