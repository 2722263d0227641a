"""The control API of tests, under /_alta/."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.storage.errors import StorageError
from emulators.storage.faults import RequestFault, RequestFaults
from emulators.storage.notification_faults import NotificationPlan
from emulators.storage.requests import small_body
from emulators.storage.storage import Storage

Plan = TypeVar("Plan", bound=BaseModel)


class Backdated(BaseModel):
    """An object that is to be older than it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bucket: str
    name: str
    created: datetime


class Control:
    """Readiness, counters, faults, and the age of objects."""

    def __init__(self, storage: Storage, faults: RequestFaults) -> None:
        self._storage = storage
        self._faults = faults

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            Route("/_alta/ready", self.ready, methods=["GET"]),
            Route("/_alta/counters", self.counters, methods=["GET"]),
            Route("/_alta/faults", self.add_fault, methods=["POST"]),
            Route("/_alta/notifications", self.add_plan, methods=["POST"]),
            Route("/_alta/faults", self.clear, methods=["DELETE"]),
            Route("/_alta/objects", self.backdate, methods=["POST"]),
        ]

    async def ready(self, _request: Request) -> Response:
        """The server answers."""
        return JSONResponse({"ready": True})

    async def counters(self, _request: Request) -> Response:
        """Requests by method and faults; notifications by what became of them; messages that wait."""
        notifications = self._storage.outbox.counters | {"pending": self._storage.outbox.pending()}
        return JSONResponse({"requests": self._faults.counters, "notifications": notifications})

    async def add_fault(self, request: Request) -> Response:
        """Add a `RequestFault`."""
        return await _add(request, RequestFault, self._faults.add)

    async def add_plan(self, request: Request) -> Response:
        """Add a `NotificationPlan`."""
        return await _add(request, NotificationPlan, self._storage.outbox.faults.plan)

    async def backdate(self, request: Request) -> Response:
        """Make an object as old as a `Backdated` says."""
        return await _add(request, Backdated, self._backdate)

    def _backdate(self, asked: Backdated) -> None:
        self._storage.objects.backdate(self._storage.objects.get(asked.bucket, asked.name), asked.created)

    async def clear(self, _request: Request) -> Response:
        """Forget every fault."""
        self._faults.clear()
        self._storage.outbox.faults.clear()
        return Response(status_code=204)


async def _add(request: Request, model: type[Plan], add: Callable[[Plan], None]) -> Response:
    try:
        add(model.model_validate_json(await small_body(request)))
    except ValidationError as error:
        return Response(error.json(include_url=False), 422, media_type="application/json")
    except StorageError as error:
        return error.as_json()
    return Response(status_code=204)
