"""ETag, If-Match and If-None-Match (RFC 9110, 8.8.3 and 13.1): the version of a record, as an opaque tag."""

from typing import Annotated

from fastapi import Depends, Header, Request, Response

from shared.errors import MalformedRequest
from shared.web.errors import NotModified

IF_MATCH = "If-Match"
IF_NONE_MATCH = "If-None-Match"

_NEVER = -1
"""The version of a tag that is none of ours: no record ever has it."""


def _tag(version: int) -> str:
    return f'"{version:x}"'


IfMatch = Annotated[
    str | None, Header(alias=IF_MATCH, description="The ETag that must be current, or nothing is changed.")
]
IfNoneMatch = Annotated[
    str | None, Header(alias=IF_NONE_MATCH, description="The ETag that the client has: 304 if it is current.")
]


class Etag:
    """The conditional headers of one request, and the tag of its answer."""

    def __init__(self, response: Response, if_match: str | None, known: str) -> None:
        self._if_match = if_match
        self._known = [one.strip().removeprefix("W/") for one in known.split(",")]
        self._response = response

    @property
    def expected(self) -> int | None:
        """The version that `If-Match` demands; None when it demands none."""
        if self._if_match is None or self._if_match.strip() == "*":
            return None
        if "," in self._if_match:
            raise MalformedRequest("If-Match names one ETag.")
        try:
            return int(self._if_match.strip().strip('"'), 16)
        except ValueError:
            return _NEVER

    def answer(self, version: int) -> None:
        """Tags the answer; ends the request with 304 when the client has this version already."""
        tag = _tag(version)
        if tag in self._known or "*" in self._known:
            raise NotModified(tag)
        self._response.headers["ETag"] = tag


async def _etag(
    request: Request, response: Response, if_match: IfMatch = None, if_none_match: IfNoneMatch = None
) -> Etag:
    # Asynchronous, as all dependencies: FastAPI calls others in a thread.
    reads = request.method in ("GET", "HEAD")
    return Etag(response, if_match, if_none_match or "" if reads else "")


Conditional = Annotated[Etag, Depends(_etag)]
