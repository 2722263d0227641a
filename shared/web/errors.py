"""Renders every error once: the envelope, or RFC 9457 when the client asks for it."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from shared import errors, logs

PROBLEM = "application/problem+json"


class NotModified(Exception):
    """The client's copy is current; rendered as 304."""

    status: ClassVar[int] = 304

    def __init__(self, etag: str) -> None:
        super().__init__(etag)
        self.etag = etag


def install(app: FastAPI) -> None:
    """Makes the app render all errors with this module."""
    app.add_exception_handler(errors.AltaError, _alta_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NotModified, _not_modified)
    # Starlette answers with it and raises the error on, to the edge, which logs it.
    app.add_exception_handler(Exception, _unhandled)


def render(error: errors.AltaError, accept: str, request_id: str) -> Response:
    """The answer to an error, in the form that `accept` prefers."""
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after is not None else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if PROBLEM in accept:
        problem = {
            "type": f"/docs/errors#{error.code}",
            "title": _title(error),
            "status": error.status,
            "detail": error.message,
            "code": error.code,
            "requestId": request_id,
            "details": error.details,
        }
        return JSONResponse(problem, error.status, headers, media_type=PROBLEM)
    envelope = {
        "type": type(error).__name__,
        "message": error.message,
        "code": error.code,
        "requestId": request_id,
        "details": error.details,
    }
    return JSONResponse({"error": envelope}, error.status, headers)


def _title(error: errors.AltaError) -> str:
    return error.code.replace("_", " ").capitalize()


def _answer(request: Request, error: errors.AltaError) -> Response:
    return render(error, request.headers.get("accept", ""), logs.correlation().request_id)


async def _alta_error(request: Request, error: Exception) -> Response:
    return _answer(request, cast(errors.AltaError, error))


async def _validation(request: Request, error: Exception) -> Response:
    found = cast(RequestValidationError, error).errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _answer(request, errors.MalformedRequest("The body is not valid JSON."))
    return _answer(request, errors.ValidationFailed("The request has fields that are wrong.", details=_fields(found)))


def _fields(found: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    # The input itself is not repeated: it may hold a password.
    return [
        {"field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]), "message": str(one["msg"])}
        for one in found
    ]


async def _http(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, errors.AltaError):  # FastAPI takes an error of the body's stream for a bad body
        return _answer(request, error.__cause__)
    status = cast(HTTPException, error).status_code
    known: dict[int, errors.AltaError] = {
        404: errors.NotFound("There is nothing at this path."),
        405: errors.MethodNotAllowed("This path does not take this method."),
    }
    return _answer(request, known.get(status, errors.MalformedRequest("The request can't be read.")))


async def _not_modified(_: Request, error: Exception) -> Response:
    return Response(status_code=NotModified.status, headers={"ETag": cast(NotModified, error).etag})


async def _unhandled(request: Request, _: Exception) -> Response:
    return _answer(request, errors.Internal("Something went wrong on our side."))
