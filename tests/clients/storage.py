"""The storage of the small platform: signed requests, PUTs and resumable uploads, as Cloud Storage takes them."""

import asyncio
import base64
import re
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import google_crc32c
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

GRAIN = 256 << 10
"""Chunks but the last are multiples of this."""


class Expected(Protocol):
    """A file that is to come."""

    id: str
    path: str
    size: int
    content_type: str
    crc32c: str
    state: str
    error: dict[str, str] | None


@dataclass
class Upload:
    """A resumable upload, and what of it has come."""

    asset_id: str
    data: bytearray = field(default_factory=bytearray)


class Storage:
    """Keeps objects by the id of their asset."""

    def __init__(self, expected: Callable[[str], Expected], gate: threading.Event) -> None:
        """`expected` gives the asset of an id."""
        self.url = ""
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.bytes_received = 0
        self.resumable_above = 8 << 20
        self.urls_issued = 0
        self.expired_up_to = 0
        """Signed URLs up to this number are expired."""
        self.before_upload: Callable[[str], None] = lambda path: None
        """Called with the path of a file whose bytes begin to come."""
        self._expected = expected
        self._gate = gate

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("/bucket/{id}", self._put, methods=["PUT"]),
            Route("/bucket/{id}", self._begin, methods=["POST"]),
            Route("/bucket/resumable/{id}", self._chunk, methods=["PUT"]),
        ]

    def signed(self, asset: Expected) -> dict[str, Any]:
        """Where and how the bytes of the asset are to be sent."""
        self.urls_issued += 1
        resumable = self._is_resumable(asset)
        return {
            "protocol": "resumable" if resumable else "put",
            "method": "POST" if resumable else "PUT",
            "url": f"{self.url}/bucket/{asset.id}?X-Goog-Credential=a%40b%2Fauto&number={self.urls_issued}",
            "headers": self._signed_headers(asset),
            "expires_at": "2030-01-01T00:00:00Z",
        }

    def _is_resumable(self, asset: Expected) -> bool:
        return asset.size > self.resumable_above

    def _signed_headers(self, asset: Expected) -> dict[str, str]:
        headers = {
            "content-type": asset.content_type,
            "x-goog-content-length-range": f"{asset.size},{asset.size}",
            "x-goog-if-generation-match": "0",
        }
        return headers | ({"x-goog-resumable": "start"} if self._is_resumable(asset) else {})

    def keep_cut(self, request: Request, taken: bytes) -> None:
        """Keeps the beginning of a chunk; a PUT that is cut leaves nothing, and a question has no body."""
        found = re.fullmatch(r"bytes (\d+)-\d+/\d+", request.headers.get("content-range", ""))
        if found is not None:
            upload = self.uploads[request.query_params["upload_id"]]
            assert int(found[1]) == len(upload.data), "a chunk follows what is there"
            upload.data += taken

    def _refusal(self, request: Request) -> Response | None:
        asset = self._expected(request.path_params["id"])
        self.before_upload(asset.path)
        if int(request.query_params["number"]) <= self.expired_up_to:
            return _xml(400, "ExpiredToken", "The provided token has expired.")
        signed = self._signed_headers(asset)
        sent = {name: request.headers.get(name) for name in signed}
        ours = {name for name in request.headers if name.startswith("x-") or name == "authorization"}
        if sent != signed or not ours <= set(signed) or "X-Goog-Credential=a%40b%2Fauto" not in str(request.url):
            return _xml(403, "SignatureDoesNotMatch", "The request is not the one that was signed.")
        if asset.id in self.objects:
            return _xml(412, "PreconditionFailed", "The object exists.")
        return None

    async def _put(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        body = bytearray()
        try:
            async for piece in self._gated(request):
                body += piece
        except ClientDisconnect:
            return Response(status_code=499)
        return self._complete(request.path_params["id"], bytes(body))

    async def _begin(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal is not None:
            return refusal
        number = f"up_{len(self.uploads) + 1}"
        self.uploads[number] = Upload(request.path_params["id"])
        location = f"{self.url}/bucket/resumable/{request.path_params['id']}?upload_id={number}"
        return Response(status_code=201, headers={"Location": location})

    async def _chunk(self, request: Request) -> Response:
        upload = self.uploads.get(request.query_params["upload_id"])
        if upload is None:
            return _xml(410, "Gone", "There is no such upload.")
        asset = self._expected(upload.asset_id)
        if asset.id in self.objects:
            return Response(status_code=200)
        said = request.headers["content-range"]
        if said == f"bytes */{asset.size}":
            return _incomplete(upload)
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", said)
        assert found, said
        start, end, total = map(int, found.groups())
        assert (start, total) == (len(upload.data), asset.size), f"{said} after {len(upload.data)} bytes"
        length = end + 1 - start
        assert end + 1 == total or length % GRAIN == 0, "chunks but the last are multiples of 256 KiB"
        try:
            async for piece in self._gated(request):
                upload.data += piece
        except ClientDisconnect:
            return Response(status_code=499)
        assert len(upload.data) == end + 1, "the chunk is as long as it says"
        if end + 1 < total:
            return _incomplete(upload)
        return self._complete(asset.id, bytes(upload.data))

    async def _gated(self, request: Request) -> AsyncIterator[bytes]:
        async for piece in request.stream():
            self.bytes_received += len(piece)
            yield piece
            if not self._gate.is_set():
                await asyncio.to_thread(self._gate.wait)

    def _complete(self, asset_id: str, body: bytes) -> Response:
        asset = self._expected(asset_id)
        if len(body) != asset.size:
            return _xml(400, "EntityTooSmall", "The length is not the one that was signed.")
        crc = base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()
        asset.state = "uploaded"
        if crc != asset.crc32c:
            asset.state, asset.error = "failed", {"code": "checksum_mismatch", "message": "Other bytes came."}
        self.objects[asset_id] = body
        return Response(status_code=200)


def _xml(status: int, code: str, message: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, media_type="application/xml")


def _incomplete(upload: Upload) -> Response:
    headers = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
    return Response(status_code=308, headers=headers)
