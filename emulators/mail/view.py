"""The messages over HTTP: JSON for tests, a page for people.

GET /messages?to=ADDRESS   newest first        GET /messages/{id}           one, with its text, HTML, links and headers
DELETE /messages           all of them         GET /messages/{id}/html      as a page that can do no harm
GET /messages/{id}/raw     as it arrived       GET /messages/{id}/attachments/{number}
GET /_alta/ready                               GET, POST /_alta/faults      {"refuse": 2}: 451 for the next two
"""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from emulators.mail.mailbox import Mailbox, Message

_STATIC = Path(__file__).parent / "static"
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'"
)
# A message may show pictures and styles and open links in a new tab; it may not run scripts, send forms or see the
# page around it. Said here too, not only by the frame, for whoever opens the address directly.
_MESSAGE_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data: http: https:; "
    "style-src 'unsafe-inline'"
)
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


class Faults(BaseModel):
    """How many of the next messages are refused with 451, "try again later"."""

    model_config = ConfigDict(extra="forbid")

    refuse: Annotated[int, Field(ge=0)]


class View:
    """The HTTP side of a mailbox."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/", self._page),
                Mount("/static", StaticFiles(directory=_STATIC)),
                Route("/messages", self._list),
                Route("/messages", self._clear, methods=["DELETE"]),
                Route("/messages/{id}", self._one),
                Route("/messages/{id}/html", self._html),
                Route("/messages/{id}/raw", self._raw),
                Route("/messages/{id}/attachments/{number:int}", self._attachment),
                Route("/_alta/ready", self._ready),
                Route("/_alta/faults", self._faults, methods=["GET", "POST"]),
            ]
        )

    async def _page(self, _: Request) -> Response:
        return FileResponse(_STATIC / "page.html", headers={"Content-Security-Policy": _PAGE_POLICY})

    async def _list(self, request: Request) -> Response:
        found = self._mailbox.messages(request.query_params.get("to"))
        return JSONResponse({"items": [_summary(message) for message in found]})

    async def _clear(self, _: Request) -> Response:
        self._mailbox.clear()
        return Response(status_code=204)

    async def _one(self, request: Request) -> Response:
        return JSONResponse(_whole(self._message(request)))

    async def _html(self, request: Request) -> Response:
        html = self._message(request).html
        if html is None:
            raise HTTPException(404, "This message has no HTML.")
        # Without a target, a link would open inside the frame, where the page it leads to could not work.
        page = f'<!doctype html><base target="_blank">{html}'
        return HTMLResponse(page, headers={"Content-Security-Policy": _MESSAGE_POLICY} | _NO_SNIFFING)

    async def _raw(self, request: Request) -> Response:
        return PlainTextResponse(self._message(request).raw, headers=_NO_SNIFFING)

    async def _attachment(self, request: Request) -> Response:
        attachments, number = self._message(request).attachments, request.path_params["number"]
        if number >= len(attachments):
            raise HTTPException(404, "No such attachment.")
        found = attachments[number]
        disposition = f"attachment; filename*=UTF-8''{quote(found.name)}"
        headers = {"Content-Disposition": disposition} | _NO_SNIFFING
        return Response(found.content, media_type=found.content_type, headers=headers)

    async def _ready(self, _: Request) -> Response:
        return JSONResponse({"ready": True})

    async def _faults(self, request: Request) -> Response:
        if request.method == "POST":
            try:
                self._mailbox.refuse = Faults.model_validate_json(await request.body()).refuse
            except ValidationError as error:
                return Response(error.json(include_url=False), status_code=400, media_type="application/json")
        return JSONResponse({"refuse": self._mailbox.refuse})

    def _message(self, request: Request) -> Message:
        message = self._mailbox.message(request.path_params["id"])
        if message is None:
            raise HTTPException(404, "No such message.")
        return message


def _summary(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "received_at": message.received_at.isoformat(),
        "from": message.sender,
        "to": message.recipients,
        "subject": message.subject,
        "size": len(message.raw),
    }


def _whole(message: Message) -> dict[str, object]:
    return _summary(message) | {
        "text": message.text,
        "html": message.html,
        "links": message.links,
        "headers": message.headers,
        "attachments": [
            {"name": attachment.name, "content_type": attachment.content_type, "size": len(attachment.content)}
            for attachment in message.attachments
        ],
    }
