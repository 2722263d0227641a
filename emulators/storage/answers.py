"""Answers about objects: their bytes, whole or a range, their headers, and how far an upload is."""

import re
from collections.abc import Mapping
from datetime import datetime
from io import FileIO

from starlette.datastructures import Headers
from starlette.responses import Response, StreamingResponse

from emulators.storage.blobs import Blobs, read_blocks
from emulators.storage.clock import http_date
from emulators.storage.errors import NotModified, PreconditionFailed, RangeNotSatisfiable
from emulators.storage.resources import StoredObject
from emulators.storage.resumable import Incomplete

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def parse_range(text: str | None, size: int) -> tuple[int, int] | None:
    """First byte and length of `bytes=FIRST-LAST`; None for no range, or for several (then all is sent, as RFC 9110
    allows). Raises RangeNotSatisfiable."""
    match = _RANGE.fullmatch(text.strip()) if text else None
    if not match or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last), size - 1) if first and last else size - 1
    if start >= size or (first and last and int(last) < start):
        raise RangeNotSatisfiable(size)
    return start, end - start + 1


def entity_tag(found: StoredObject) -> str:
    """The ETag header of an object."""
    return f'"{found.etag}"'


def object_headers(found: StoredObject) -> dict[str, str]:
    """The headers that describe an object."""
    optional = {
        "Cache-Control": found.text("cacheControl"),
        "Content-Disposition": found.text("contentDisposition"),
        "Content-Encoding": found.text("contentEncoding"),
        "Content-Language": found.text("contentLanguage"),
        "x-goog-custom-time": found.text("customTime"),
        "x-goog-component-count": str(found.components) if found.components else None,
    }
    return (
        {
            "Accept-Ranges": "bytes",
            "Content-Type": found.text("contentType") or "application/octet-stream",
            "ETag": entity_tag(found),
            "Last-Modified": http_date(datetime.fromisoformat(found.updated)),
            "x-goog-generation": str(found.generation),
            "x-goog-metageneration": str(found.metageneration),
            "x-goog-hash": found.hashes,
            "x-goog-stored-content-encoding": found.text("contentEncoding") or "identity",
            "x-goog-stored-content-length": str(found.size),
            "x-goog-storage-class": found.text("storageClass") or "STANDARD",
        }
        | {name: value for name, value in optional.items() if value}
        | {f"x-goog-meta-{name}": value for name, value in found.metadata().items()}
    )


def resume_incomplete(outcome: Incomplete) -> Response:
    """308: more is to come. Without a Range header nothing has arrived."""
    arrived = {"Range": f"bytes=0-{outcome.received - 1}"} if outcome.received else {}
    return Response(status_code=308, headers=arrived)


def check_etag(found: StoredObject, headers: Headers) -> None:
    """If-Match and If-None-Match. Raises PreconditionFailed or NotModified."""
    tags = {entity_tag(found), found.etag, "*"}
    if "if-match" in headers and not tags & _tags(headers["if-match"]):
        raise PreconditionFailed("If-Match does not hold.")
    if "if-none-match" in headers and tags & _tags(headers["if-none-match"]):
        raise NotModified


def content(
    blobs: Blobs,
    found: StoredObject,
    headers: Headers,
    *,
    head: bool = False,
    overrides: Mapping[str, str] | None = None,
) -> Response:
    """The object's bytes; `overrides` replace headers (response-content-type and the like). Raises what the conditions
    in `headers` raise."""
    check_etag(found, headers)
    answer = object_headers(found) | dict(overrides or {})
    span = parse_range(headers.get("range"), found.size)
    first, length = span or (0, found.size)
    answer["Content-Length"] = str(length)
    if span:
        answer["Content-Range"] = f"bytes {first}-{first + length - 1}/{found.size}"
    status = 206 if span else 200
    if head:
        return Response(None, status, _sendable(answer))
    # Opened before the first await: an object that is deleted now stays readable to this reader.
    file = FileIO(blobs.path(found.blob))
    return StreamingResponse(read_blocks(file, first, length), status, _sendable(answer))


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    # Headers are Latin-1 on the wire; metadata beyond it travels as its UTF-8 bytes.
    return {name: value.encode().decode("latin-1") for name, value in headers.items()}


def _tags(text: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in text.split(",")}
