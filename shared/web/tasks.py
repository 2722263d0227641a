"""The task edge: a function that a queue or the clock wakes.

Any answer but 2xx makes Cloud Tasks (or the scheduler) try again, so an error is simply raised. A body that can't be
parsed can never succeed: it is logged and acknowledged.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError

from shared import logs
from shared.web.edge import Entry, private_function

B = TypeVar("B", bound=BaseModel)

_log = logs.logger(__name__)


def task_function(name: str, model: type[B], handle: Callable[[B], Awaitable[None]]) -> Entry:
    """The entry point of the function `name`, which calls `handle` with the body of each task."""

    async def receive(request: Request) -> Response:
        try:
            body = model.model_validate_json(await request.body())
        except ValidationError as error:
            _log.error("task_malformed", errors=error.errors(include_input=False, include_url=False))
            return Response(status_code=204)
        await handle(body)
        return Response(status_code=204)

    return private_function(name, any_path(receive))


def schedule_function(name: str, handle: Callable[[], Awaitable[None]]) -> Entry:
    """The entry point of the function `name`, which calls `handle` when the clock says so."""

    async def receive() -> Response:
        await handle()
        return Response(status_code=204)

    return private_function(name, any_path(receive))


def any_path(receive: Callable[..., Awaitable[Response]]) -> APIRouter:
    """A router that takes a POST at whatever path the function is called."""
    router = APIRouter()
    router.add_api_route("/{path:path}", receive, methods=["POST"])
    return router
