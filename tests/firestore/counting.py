"""Counts what Firestore would bill, on the wire between the functions and the emulator.

A read for each document that a get or a query returns, at least one a query, and one for each thousand index entries
that an aggregation counts; a write or a delete for each document changed (https://cloud.google.com/firestore/pricing).
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
from google.cloud.firestore_v1 import types

from tests.firestore.door import Watch, door

INDEX_ENTRIES = 1_000
"""Index entries of an aggregation that one read pays for."""

Count = Counter[str]
"""`firestore.reads`, `firestore.writes` and `firestore.deletes`, which are billed, and `commits`, which are not."""


def counted(emulator: str, count: Count) -> AbstractAsyncContextManager[str]:
    """A door to the emulator that counts what passes; its address."""
    return door(emulator, lambda method: _Counted(method, count))


class _Counted(Watch):
    def __init__(self, method: str, count: Count) -> None:
        self._method = method
        self._count = count
        self._returned = 0

    def asked(self, message: bytes) -> None:
        if self._method in ("Commit", "BatchWrite"):
            self._count["commits"] += 1
            for write in _parsed(types.CommitRequest, message).writes:
                kind = "deletes" if write.WhichOneof("operation") == "delete" else "writes"
                self._count[f"firestore.{kind}"] += 1

    def answered(self, message: bytes) -> None:
        reads = READS.get(self._method, _nothing)(message)
        self._returned += reads
        self._count["firestore.reads"] += reads

    def ended(self, code: grpc.StatusCode) -> None:
        # What is not there is billed too, whether one asks by name or by query.
        nothing_found = {"GetDocument": grpc.StatusCode.NOT_FOUND, "RunQuery": grpc.StatusCode.OK}.get(self._method)
        if code is nothing_found and not self._returned:
            self._count["firestore.reads"] += 1


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
