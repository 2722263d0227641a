"""Reading requests: numbers in them, their body in chunks, and what is left of it when they are refused."""

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from emulators.storage.errors import InvalidArgument

CLIENT_CLOSED_REQUEST = 499
"""The status of an upload that its sender cancelled or left."""
DRAINED = 64 * 1024 * 1024
"""Bytes of a refused body that are read and dropped: a client that is still sending then gets to see the refusal."""
LARGEST_JSON = 8 * 1024 * 1024
"""Bytes of a JSON body; real resources stay far below."""


def whole_number(name: str, text: str | None) -> int | None:
    """The number in a header or parameter called `name`; None for none. Raises InvalidArgument."""
    if text is not None and not (text.isascii() and text.isdigit()):
        raise InvalidArgument(f"{name} is not a number: {text}")
    return None if text is None else int(text)


async def body_chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives."""
    async for chunk in request.stream():
        if chunk:
            yield chunk


async def drain(request: Request) -> None:
    """Drop the rest of a body. A client that waits for "100 Continue" has not sent any, and is not asked to."""
    if "expect" in request.headers:
        return
    left = DRAINED
    try:
        async for chunk in request.stream():
            left -= len(chunk)
            if left < 0:
                return
    except (ClientDisconnect, RuntimeError):
        # Gone, or read to the end already: nothing is left.
        return


async def small_body(request: Request) -> bytes:
    """The whole body. Raises InvalidArgument when it is larger than any resource."""
    parts, size = [], 0
    async for chunk in body_chunks(request):
        size += len(chunk)
        if size > LARGEST_JSON:
            raise InvalidArgument("The request's body is too large.")
        parts.append(chunk)
    return b"".join(parts)
