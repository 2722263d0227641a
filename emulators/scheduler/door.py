"""The scheduler over HTTP: what is due when, and a job at once.

GET /_alta/ready; GET /jobs; POST /jobs/{name}:run, which answers when the job has; POST /jobs/{name}:pause.
"""

from collections.abc import Mapping
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.scheduler.clock import Run, Timer


def door(timers: Mapping[str, Timer]) -> Starlette:
    """The application for these timers."""

    async def ready(_: Request) -> Response:
        return JSONResponse({"ready": True})

    async def jobs(_: Request) -> Response:
        return JSONResponse({"jobs": [_described(timer) for timer in timers.values()]})

    def named(request: Request) -> Timer:
        timer = timers.get(request.path_params["name"])
        if timer is None:
            raise HTTPException(404, "No such job.")
        return timer

    async def run(request: Request) -> Response:
        return JSONResponse(_outcome(await named(request).run()))

    async def pause(request: Request) -> Response:
        named(request).paused = True
        return JSONResponse(_described(named(request)))

    return Starlette(
        routes=[
            Route("/_alta/ready", ready),
            Route("/jobs", jobs),
            Route("/jobs/{name}:run", run, methods=["POST"]),
            Route("/jobs/{name}:pause", pause, methods=["POST"]),
        ]
    )


def _described(timer: Timer) -> dict[str, object]:
    return timer.job.model_dump() | {
        "paused": timer.paused,
        "next": timer.next.isoformat() if timer.next else None,
        "last": _outcome(timer.last) if timer.last else None,
    }


def _outcome(run: Run) -> dict[str, object]:
    return asdict(run) | {"scheduled_for": run.scheduled_for.isoformat()}
