"""`google.longrunning.Operations`: work that goes on after the call that began it, and after a restart.

Each operation is a file in the state folder, replaced whole at every change. One that was in flight when the process
ended is begun again from its request, under the same name.
"""

import asyncio
import base64
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from google.longrunning import operations_pb2  # type: ignore[import-untyped]  # no types are published
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from emulators.engines.control import Control
from emulators.engines.errors import ApiError, InvalidArgument, NotFound
from emulators.engines.rpc import Methods, serialize

MAX_PAGE = 1000
MAX_WAIT = 60.0
"""Seconds that one WaitOperation may hang when the caller sets no timeout."""

log = logging.getLogger(__name__)


@dataclass
class Job:
    """A begun operation, as the code that does the work sees it."""

    name: str
    request: bytes
    begun: datetime
    _publish: Callable[[Message], None]

    @property
    def operation_id(self) -> str:
        """The last part of the operation's name."""
        return self.name.rpartition("/")[2]

    def report(self, metadata: Message) -> None:
        """Publish how far the work is: what GetOperation shows from now on."""
        self._publish(metadata)


Worker = Callable[[Job], Awaitable[Message]]
"""Does the work and returns the response. An `ApiError` becomes the operation's error. On cancellation it may report
its last metadata and lets `CancelledError` through."""


@dataclass
class _Record:
    method: str
    request: bytes
    begun: datetime
    operation: operations_pb2.Operation
    cancelled: bool = False
    task: asyncio.Task[None] | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Operations:
    """Begins, keeps and answers for long-running operations."""

    def __init__(self, folder: Path, workers: Mapping[str, Worker]) -> None:
        self._folder = folder
        self._workers = workers
        self._records: dict[str, _Record] = {}
        self._closing = False

    def open(self) -> None:
        """Read what is on disk and begin again what was in flight."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(self._folder.glob("*.json")):
            record = _load(path)
            self._records[record.operation.name] = record
            if record.operation.done:
                record.done.set()
            else:
                log.info("%s was in flight and is begun again", record.operation.name)
                self._launch(record)

    async def close(self) -> None:
        """Stop the work where it is; the files still say that it is in flight."""
        self._closing = True
        tasks = [record.task for record in self._records.values() if record.task and not record.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def begin(self, parent: str, method: str, request: bytes, metadata: Message) -> operations_pb2.Operation:
        """Start `method`'s worker for `request` under a new name below `parent` (`projects/P/locations/L`)."""
        record = _Record(method, request, datetime.now(UTC), operations_pb2.Operation(name=_new_name(parent)))
        record.operation.metadata.Pack(metadata)
        self._records[record.operation.name] = record
        self._save(record)
        self._launch(record)
        return record.operation

    def finished(self, parent: str, metadata: Message, response: Message) -> operations_pb2.Operation:
        """An operation that is done the moment it is begun."""
        record = _Record("", b"", datetime.now(UTC), operations_pb2.Operation(name=_new_name(parent), done=True))
        record.operation.metadata.Pack(metadata)
        record.operation.response.Pack(response)
        record.done.set()
        self._records[record.operation.name] = record
        self._save(record)
        return record.operation

    def handler(self, control: Control) -> "grpc.GenericRpcHandler[Message, Message]":
        """The gRPC service, for the port of the API that the operations belong to."""
        methods = Methods("google.longrunning.Operations", control)
        methods.add("GetOperation", self._get, operations_pb2.GetOperationRequest.FromString, serialize)
        methods.add("ListOperations", self._list, operations_pb2.ListOperationsRequest.FromString, serialize)
        methods.add("CancelOperation", self._cancel, operations_pb2.CancelOperationRequest.FromString, serialize)
        methods.add("DeleteOperation", self._delete, operations_pb2.DeleteOperationRequest.FromString, serialize)
        methods.add("WaitOperation", self._wait, operations_pb2.WaitOperationRequest.FromString, serialize)
        return methods.handler()

    async def _get(self, request: operations_pb2.GetOperationRequest) -> Message:
        operation: Message = self._record(request.name).operation
        return operation

    async def _list(self, request: operations_pb2.ListOperationsRequest) -> Message:
        if request.filter:
            raise InvalidArgument("Filters are not supported.")
        parent = request.name.removesuffix("/operations") + "/operations/"
        names = sorted(name for name in self._records if name.startswith(parent) and name > request.page_token)
        size = min(request.page_size or MAX_PAGE, MAX_PAGE)
        page = names[:size]
        response: Message = operations_pb2.ListOperationsResponse(
            operations=[self._records[name].operation for name in page],
            next_page_token=page[-1] if len(names) > size else "",
        )
        return response

    async def _cancel(self, request: operations_pb2.CancelOperationRequest) -> Message:
        record = self._record(request.name)
        if record.task and not record.operation.done:
            record.cancelled = True
            record.task.cancel()
        return Empty()

    async def _delete(self, request: operations_pb2.DeleteOperationRequest) -> Message:
        record = self._record(request.name)
        if not record.operation.done:
            raise ApiError(grpc.StatusCode.FAILED_PRECONDITION, "The operation is not done: cancel it first.")
        del self._records[request.name]
        self._path(record).unlink(missing_ok=True)
        return Empty()

    async def _wait(self, request: operations_pb2.WaitOperationRequest) -> Message:
        record = self._record(request.name)
        seconds = request.timeout.ToTimedelta().total_seconds() if request.HasField("timeout") else MAX_WAIT
        with suppress(TimeoutError):
            await asyncio.wait_for(record.done.wait(), min(seconds, MAX_WAIT))
        operation: Message = record.operation
        return operation

    def _record(self, name: str) -> _Record:
        try:
            return self._records[name]
        except KeyError:
            raise NotFound(f"Operation '{name}' not found.") from None

    def _launch(self, record: _Record) -> None:
        record.task = asyncio.create_task(self._run(record))

    async def _run(self, record: _Record) -> None:
        def publish(metadata: Message) -> None:
            if not self._closing:
                record.operation.metadata.Pack(metadata)
                self._save(record)

        job = Job(record.operation.name, record.request, record.begun, publish)
        try:
            record.operation.response.Pack(await self._workers[record.method](job))
        except ApiError as error:
            record.operation.error.CopyFrom(error.status)
        except asyncio.CancelledError:
            if not record.cancelled:
                raise
            cancelled = ApiError(grpc.StatusCode.CANCELLED, "The operation was cancelled.")
            record.operation.error.CopyFrom(cancelled.status)
        except Exception:  # the outermost frame of the work: whatever comes here is a fault of the emulator
            log.exception("%s failed", record.operation.name)
            internal = ApiError(grpc.StatusCode.INTERNAL, "Internal error encountered.")
            record.operation.error.CopyFrom(internal.status)
        record.operation.done = True
        self._save(record)
        record.done.set()

    def _path(self, record: _Record) -> Path:
        return self._folder / f"{record.operation.name.rpartition('/')[2]}.json"

    def _save(self, record: _Record) -> None:
        path = self._path(record)
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dict(_fields(record))))
        os.replace(partial, path)  # a process that dies in between leaves the old state, never half a file


def timestamp(moment: datetime) -> Timestamp:
    """A moment as the messages have it."""
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp


def _new_name(parent: str) -> str:
    return f"{parent}/operations/{secrets.randbelow(9 * 10**17) + 10**17}"


def _fields(record: _Record) -> Iterator[tuple[str, str]]:
    yield "method", record.method
    yield "begun", record.begun.isoformat()
    yield "request", base64.b64encode(record.request).decode()
    yield "operation", base64.b64encode(record.operation.SerializeToString()).decode()


def _load(path: Path) -> _Record:
    fields = json.loads(path.read_text())
    return _Record(
        fields["method"],
        base64.b64decode(fields["request"]),
        datetime.fromisoformat(fields["begun"]),
        operations_pb2.Operation.FromString(base64.b64decode(fields["operation"])),
    )
