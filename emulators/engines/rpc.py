"""Unary gRPC methods over the message types that Google's own clients ship."""

import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message
from grpc_status import rpc_status

from emulators.engines.control import Control
from emulators.engines.errors import ApiError

Request = TypeVar("Request")
Response = TypeVar("Response")

log = logging.getLogger(__name__)


class Methods:
    """The methods of one service, `service` in full (`google.longrunning.Operations`).

    Each is counted, fails where a test asked for it, and answers its errors in Google's shape.
    """

    def __init__(self, service: str, control: Control) -> None:
        self._service = service
        self._control = control
        self._handlers: dict[str, grpc.RpcMethodHandler[Message, Message]] = {}

    def add(
        self,
        name: str,
        behaviour: Callable[[Request], Awaitable[Response]],
        deserialize: Callable[[bytes], Request],
        serialize: Callable[[Response], bytes],
    ) -> None:
        """Serve the unary method `name` (its short name)."""

        async def call(request: Request, context: "grpc.aio.ServicerContext[Request, Response]") -> Response:
            try:
                self._control.enter(name)
                return await behaviour(request)
            except ApiError as error:
                await _abort(context, error)
            except Exception:  # the outermost frame of a call: whatever comes here is a fault of the emulator
                log.exception("%s failed", name)
                await _abort(context, ApiError(grpc.StatusCode.INTERNAL, "Internal error encountered."))

        self._handlers[name] = grpc.unary_unary_rpc_method_handler(call, deserialize, serialize)

    def handler(self) -> "grpc.GenericRpcHandler[Message, Message]":
        """All of them, for the server."""
        return grpc.method_handlers_generic_handler(self._service, self._handlers)


def serialize(message: Message) -> bytes:
    """Any plain protobuf message as bytes; the wrapped ones of the clients bring their own."""
    return message.SerializeToString()


async def _abort(context: "grpc.aio.ServicerContext[Request, Response]", error: ApiError) -> NoReturn:
    status = rpc_status.to_status(error.status)
    await context.abort(error.code, error.message, status.trailing_metadata)
