"""The event edge: a function that a finished object wakes.

Takes both shapes that are on the wire, the envelope of a Pub/Sub push
(https://cloud.google.com/pubsub/docs/push#receive_push) and a CloudEvent from Eventarc in binary or structured mode,
and hands the function one typed `ObjectFinalized`.

What the function raises is answered with an error, so that Pub/Sub backs off, tries again and in the end dead-letters.
What can't be parsed is refused too: it ends among the dead letters, where somebody sees it.
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request, Response
from pydantic import ValidationError

from shared import logs
from shared.errors import MalformedRequest
from shared.models.events import ObjectFinalized
from shared.web.edge import Entry, private_function
from shared.web.tasks import any_path

FINALIZE = "OBJECT_FINALIZE"
_LOGGED = 2000
"""Bytes of a malformed event that the log shows."""

_log = logs.logger(__name__)


def event_function(
    name: str, handle: Callable[[ObjectFinalized], Awaitable[None]], *, last_resort: bool = False
) -> Entry:
    """The entry point of the function `name`, which calls `handle` for each finished object.

    `last_resort`: nobody takes the event after this function, so what can't be parsed is logged and acknowledged.
    """

    async def receive(request: Request) -> Response:
        body = await request.body()
        try:
            event = parse(request.headers, body)
        except MalformedRequest:
            if not last_resort:
                raise
            _log.error("event_malformed", body=body[:_LOGGED].decode(errors="replace"))
            event = None
        if event is not None:
            await handle(event)
        return Response(status_code=204)

    return private_function(name, any_path(receive))


def parse(headers: Mapping[str, str], body: bytes) -> ObjectFinalized | None:
    """The finished object that a push or CloudEvent tells of; None when it tells of something else."""
    try:
        sent = json.loads(body)
        if "ce-type" in headers:
            return _object(sent, {})
        if "specversion" in sent:
            sent = sent["data"] if "data" in sent else json.loads(base64.b64decode(sent["data_base64"]))
        return _object(sent, {})
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise MalformedRequest("This is no notification of Cloud Storage.") from error


def _object(sent: Mapping[str, Any], attributes: Mapping[str, str]) -> ObjectFinalized | None:
    if "message" in sent:  # a Pub/Sub message, pushed or inside a CloudEvent
        message = sent["message"]
        data = json.loads(base64.b64decode(message["data"]))
        return _object(data, message.get("attributes", {}))
    if attributes.get("eventType", FINALIZE) != FINALIZE:
        return None
    return ObjectFinalized.model_validate(sent)
