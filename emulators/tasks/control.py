"""What tests and people see of the queues, and the faults they can ask for, over HTTP.

GET /_alta/ready; GET /_alta/queues: depth, oldest age and counts; GET, POST /_alta/faults: see `Faults`.
"""

from dataclasses import asdict
from time import time

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.tasks.faults import Faults
from emulators.tasks.sender import Sender
from emulators.tasks.service import CloudTasks


def control(service: CloudTasks, sender: Sender) -> Starlette:
    """The control door of a running emulator."""

    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": True})

    async def queues(_: Request) -> Response:
        return JSONResponse({"queues": [_described(service, name) for name in sorted(service.dispatchers)]})

    async def faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                sender.faults = Faults.model_validate_json(await request.body())
            except ValidationError as error:
                return Response(error.json(include_url=False), status_code=400, media_type="application/json")
        return JSONResponse(sender.faults.model_dump())

    return Starlette(
        routes=[
            Route("/_alta/ready", ready),
            Route("/_alta/queues", queues),
            Route("/_alta/faults", faults, methods=["GET", "POST"]),
        ]
    )


def _described(service: CloudTasks, name: str) -> dict[str, str | int | float]:
    """`oldest_age_seconds` is how long the next task has been due: 0 when it lies ahead, or there is none."""
    backlog = service.store.backlog(name)
    age = max(time() - backlog.oldest_due, 0) if backlog.oldest_due is not None else 0
    counters = asdict(service.dispatchers[name].counters)
    return {
        "name": name,
        "depth": backlog.depth,
        "in_flight": backlog.leased,
        "oldest_age_seconds": age,
        **counters,
    }
