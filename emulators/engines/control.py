"""The control door of an engine: readiness, counters, faults and the instant mode, over HTTP on loopback.

`GET /_alta/ready` · `GET`, `DELETE /_alta/counters` · `POST`, `DELETE /_alta/faults` · `POST /_alta/instant`
"""

import hashlib
import logging
from collections import Counter, defaultdict, deque
from typing import Literal

import grpc
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from emulators.engines.errors import ApiError

log = logging.getLogger(__name__)


class Fault(BaseModel):
    """The next `times` calls of `method` (its short name, as in `ProcessDocument`) fail with `code`.

    `BatchedDocument` and `BatchedFile` are what a batch does for each of its files.
    """

    model_config = ConfigDict(extra="forbid")

    method: str
    code: Literal["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", "PERMISSION_DENIED", "ABORTED"]
    times: int = Field(default=1, ge=1)


class Instant(BaseModel):
    """Whether calls are answered at once, with a fixed result and without the engine. For load benchmarks only."""

    model_config = ConfigDict(extra="forbid")

    on: bool


class Control:
    """What the engine has done so far, and what tests ask it to do."""

    def __init__(self) -> None:
        self.instant = False
        self._calls: Counter[str] = Counter()
        self._uris: Counter[str] = Counter()
        self._contents: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._faults: defaultdict[str, deque[grpc.StatusCode]] = defaultdict(deque)

    def enter(self, method: str) -> None:
        """Count a call of `method`; raise the fault that waits for it, if any."""
        self._calls[method] += 1
        if faults := self._faults.get(method):
            code = faults.popleft()
            self._failed[method] += 1
            raise ApiError(code, f"{code.name}: a fault asked for through the control door")

    def processed(self, *, uri: str | None = None, content: bytes | None = None) -> None:
        """Count an input given to the engine, by its address in Cloud Storage, by its bytes, or by both."""
        if uri:
            self._uris[uri] += 1
        if content is not None:
            self._contents[hashlib.sha256(content).hexdigest()] += 1

    def app(self) -> Starlette:
        """The control door."""
        return Starlette(
            routes=[
                Route("/_alta/ready", self._ready),
                Route("/_alta/counters", self._counters, methods=["GET", "DELETE"]),
                Route("/_alta/faults", self._set_faults, methods=["POST", "DELETE"]),
                Route("/_alta/instant", self._set_instant, methods=["POST"]),
            ],
            exception_handlers={ValidationError: _refuse},
        )

    async def _ready(self, _request: Request) -> JSONResponse:
        return JSONResponse({"ready": True})

    async def _counters(self, request: Request) -> JSONResponse:
        counters = {
            "calls": self._calls,
            "faults": self._failed,
            "uris": self._uris,
            "sha256": self._contents,
        }
        if request.method == "DELETE":
            for counter in counters.values():
                counter.clear()
        return JSONResponse(counters)

    async def _set_faults(self, request: Request) -> JSONResponse:
        if request.method == "DELETE":
            self._faults.clear()
        else:
            fault = Fault.model_validate_json(await request.body())
            self._faults[fault.method].extend([grpc.StatusCode[fault.code]] * fault.times)
        return JSONResponse({method: [code.name for code in codes] for method, codes in self._faults.items()})

    async def _set_instant(self, request: Request) -> JSONResponse:
        self.instant = Instant.model_validate_json(await request.body()).on
        if self.instant:
            log.warning("INSTANT MODE: nothing is read or transcribed, every answer is the same fixed one")
        return JSONResponse({"on": self.instant})


async def _refuse(_request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)
