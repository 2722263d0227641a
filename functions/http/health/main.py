"""Says whether the platform is alive and ready, and serves the reference of its API: /health, /docs, /redoc."""

from pathlib import Path
from typing import Annotated

from shared.models.health import Alive, Part, Readiness
from shared.services import health
from shared.web.app import http_function, router_at
from shared.web.reference import reference_routes

from fastapi import Query, Response

router = router_at("/health")


@router.get("", operation_id="get_health")
async def alive() -> Alive:
    """Answers as long as the function runs."""
    return health.alive()


@router.get("/ready", operation_id="get_readiness", responses={503: {"model": Readiness}})
async def ready(
    response: Response,
    only: Annotated[tuple[Part, ...], Query(description="Asks about these alone.")] = (),
) -> Readiness:
    """Each dependency with its state and latency; 503 when one is down."""
    found = await health.readiness(only)
    response.status_code = 200 if found.ready else 503
    return found


main = http_function("health", router, reference_routes(Path(__file__).with_name("openapi.json")))
