"""Says whether the platform is alive and ready: /health."""

from fastapi import APIRouter, Response

from shared.services import health
from shared.services.health import Readiness
from shared.web.app import http_function

router = APIRouter(prefix="/health", tags=["health"])


@router.get("")
async def alive() -> dict[str, str]:
    """Answers as long as the function runs."""
    return {"status": "alive"}


@router.get("/ready")
async def ready(response: Response) -> Readiness:
    """Each dependency with its state and latency; 503 when one is down."""
    found = await health.readiness()
    response.status_code = 200 if found.ready else 503
    return found


main = http_function("health", router)
