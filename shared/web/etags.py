"""ETag, If-Match and If-None-Match (RFC 9110, 8.8.3 and 13.1): the version of a record, as an opaque tag."""

from typing import Annotated

from fastapi import Depends, Request, Response

from shared.errors import MalformedRequest
from shared.web.errors import NotModified


def _tag(version: int) -> str:
    return f'"{version:x}"'


class Etag:
    """The conditional headers of one request, and the tag of its answer."""

    def __init__(self, request: Request, response: Response) -> None:
        self._if_match = request.headers.get("if-match")
        self._if_none_match = request.headers.get("if-none-match")
        self._response = response

    @property
    def expected(self) -> int | None:
        """The version that `If-Match` demands; None when it demands none."""
        if self._if_match is None or self._if_match.strip() == "*":
            return None
        try:
            return int(self._if_match.strip().strip('"'), 16)
        except ValueError:
            raise MalformedRequest("If-Match does not hold an ETag of ours.") from None

    def answer(self, version: int) -> None:
        """Tags the answer; ends the request with 304 when the client has this version already."""
        tag = _tag(version)
        known = [one.strip().removeprefix("W/") for one in (self._if_none_match or "").split(",")]
        if tag in known:
            raise NotModified(tag)
        self._response.headers["ETag"] = tag


Conditional = Annotated[Etag, Depends(Etag)]
