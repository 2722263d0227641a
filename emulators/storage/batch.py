"""Batches of the JSON API: many small requests in one (https://cloud.google.com/storage/docs/batch)."""

import secrets
from email.message import Message
from email.parser import BytesParser
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from emulators.storage.errors import InvalidArgument
from emulators.storage.requests import small_body

if TYPE_CHECKING:
    import httpx


class Batch:
    """Unpacks a batch and runs its calls one after the other through `app`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def answer(self, request: Request) -> Response:
        """POST /batch/storage/v1."""
        head = b"Content-Type: " + request.headers.get("content-type", "").encode("latin-1") + b"\r\n\r\n"
        body = BytesParser().parsebytes(head + await small_body(request))
        if not body.is_multipart():
            raise InvalidArgument("A batch is a multipart/mixed body.")
        import httpx  # here: its import would be a quarter of the server's start, and few servers see a batch

        boundary = f"batch_{secrets.token_hex(12)}"
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url=str(request.base_url)) as client:
            answers = [await _run(client, part) for part in body.get_payload() if isinstance(part, Message)]
        lines = [f"--{boundary}\r\n{answer}\r\n" for answer in answers]
        return Response("".join(lines) + f"--{boundary}--\r\n", media_type=f"multipart/mixed; boundary={boundary}")


async def _run(client: "httpx.AsyncClient", part: Message) -> str:
    """Run one `application/http` part; gives the part of the answer."""
    text = part.get_payload(decode=True)
    if not isinstance(text, bytes):
        raise InvalidArgument("A part of a batch is not of type application/http.")
    line, _, rest = text.lstrip().partition(b"\n")
    words = line.decode("latin-1").split()
    if len(words) != 3:
        raise InvalidArgument("A part of a batch does not begin with a request line.")
    call = BytesParser().parsebytes(rest)
    content = call.get_payload(decode=True)
    names = {
        name: value for name, value in call.items() if name.lower() in ("content-type", "if-match", "if-none-match")
    }
    answer = await client.request(
        words[0], words[1], headers=names, content=content if isinstance(content, bytes) else b""
    )
    identity = part.get("Content-ID", "")
    return (
        f"Content-Type: application/http\r\nContent-ID: <response-{identity.strip('<>')}>\r\n\r\n"
        f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}\r\n"
        f"Content-Type: {answer.headers.get('content-type', 'application/json')}\r\n"
        f"Content-Length: {len(answer.content)}\r\n\r\n{answer.text}"
    )
