"""Errors as Google's APIs answer them: a code, a message and `google.rpc` details."""

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo  # type: ignore[import-untyped]  # no types are published
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no types are published


class ApiError(Exception):
    """A call, or one input of a batch, that fails with a code of its own."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    @property
    def status(self) -> Status:
        """The error as `google.rpc.Status`: what operations hold and what travels in the trailing metadata."""
        status = Status(code=self.code.value[0], message=self.message)
        for detail in self.details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status


class InvalidArgument(ApiError):
    """The request itself is wrong: repeating it changes nothing."""

    def __init__(self, message: str, *details: Message) -> None:
        super().__init__(grpc.StatusCode.INVALID_ARGUMENT, message, *details)


class NotFound(ApiError):
    """A named resource or object does not exist."""

    def __init__(self, message: str, *details: Message) -> None:
        super().__init__(grpc.StatusCode.NOT_FOUND, message, *details)


class Unavailable(ApiError):
    """Something behind the service does not answer: try again."""

    def __init__(self, message: str) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, message)


def error_info(domain: str, reason: str, **metadata: object) -> ErrorInfo:
    """The machine-readable half of an error (`google.rpc.ErrorInfo`), every value as text."""
    return ErrorInfo(domain=domain, reason=reason, metadata={key: str(value) for key, value in metadata.items()})
