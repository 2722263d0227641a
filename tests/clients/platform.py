"""A small platform that plays the contract of the main path, with its storage, in one server on loopback.

It keeps the uploader's side honest: signed headers are compared, an object is never overwritten, resumable chunks must
follow each other, a session completes only when its manifest is closed and every file is settled. Tests reach into it
through its attributes; what is to go wrong is put into `faults`.
"""

import asyncio
import base64
import hashlib
import itertools
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import google_crc32c
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

GRAIN = 256 << 10


@dataclass
class Asset:
    """A file as the platform knows it."""

    id: str
    session: "UploadSession"
    path: str
    size: int
    content_type: str
    crc32c: str
    state: str = "pending"
    error: dict[str, str] | None = None

    @property
    def kind(self) -> str:
        if self.content_type.startswith("image/") or self.content_type == "application/pdf":
            return "document"
        return "voice" if self.content_type.startswith("audio/") else "file"


@dataclass
class UploadSession:
    """A session and its job, which share their id."""

    id: str
    project_id: str
    cycle_id: str | None
    name: str
    status: str = "pending"
    manifest_open: bool = False
    assets: dict[str, Asset] = field(default_factory=dict)
    pages: list[tuple[int, bool]] = field(default_factory=list)
    """Files and `expect_more` of each manifest page."""


@dataclass
class Upload:
    """A resumable upload. Bytes beyond `kept` are lost with a cut."""

    asset_id: str
    data: bytearray = field(default_factory=bytearray)


@dataclass
class Fault:
    """What happens to the next `times` requests that match: an answer, or after some bytes of the body a cut."""

    method: str
    path: str
    status: int | None = None
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    after_bytes: int = 0
    done_first: bool = False
    """The request is carried out, and only its answer is lost."""


class Refused(Exception):
    """Becomes the error envelope."""

    def __init__(self, status: int, code: str, message: str, details: object = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Platform:
    """The whole, with a server of its own thread. `url` is its address once it is started."""

    def __init__(self) -> None:
        self.password = "correct horse"
        self.token_life = 3600
        self.resumable_above = 8 << 20
        self.valid_access: set[str] = set()
        self.refresh_tokens = {"refresh-0"}
        self.projects: dict[str, dict[str, Any]] = {}
        self.cycles: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, UploadSession] = {}
        self.assets: dict[str, Asset] = {}
        self.objects: dict[str, bytes] = {}
        self.uploads: dict[str, Upload] = {}
        self.faults: list[Fault] = []
        self.crashes: list[Exception] = []
        """What the uploader did against the rules."""
        self.requests: Counter[str] = Counter()
        self.headers: list[tuple[str, dict[str, str]]] = []
        self.urls_issued = 0
        self.expired_up_to = 0
        """Signed URLs up to this number are expired."""
        self.bytes_received = 0
        self.processing = True
        self.failing: dict[str, dict[str, str]] = {}
        """Errors with which the files of these paths end."""
        self.before_upload: Callable[[str], None] = lambda path: None
        """Called with the path of a file whose bytes begin to come."""
        self.gate = threading.Event()
        """While it is not set, uploads wait after their first bytes."""
        self.gate.set()
        self._numbers = itertools.count(1)
        self._replies: dict[str, tuple[str, Response]] = {}
        self._server: _Server | None = None

    # --- the server

    def start(self, port: int = 0) -> None:
        config = uvicorn.Config(
            self._app, host="127.0.0.1", port=port, log_level="critical", lifespan="off", interface="asgi3"
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        assert self._server.ready.wait(10), "the platform did not start"
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        assert self._server is not None
        self.gate.set()
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        kind = "storage" if scope["path"].startswith("/bucket/") else "api"
        self.requests[kind] += 1
        self.requests[f"{scope['method']} {re.sub(r'(ses|ast|prj|up)_[^/]+', '*', scope['path'])}"] += 1
        if kind == "api":
            self.headers.append((f"{scope['method']} {scope['path']}", dict(request.headers)))
        fault = self._fault(scope["method"], scope["path"])
        try:
            if fault is None:
                await self._routes(scope, receive, send)
            else:
                await self._go_wrong(fault, request, send)
        except Exception as error:
            self.crashes.append(error)
            raise

    def _fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None

    async def _go_wrong(self, fault: Fault, request: Request, send: Send) -> None:
        if fault.status is not None:
            headers = [(name.encode(), value.encode()) for name, value in fault.headers.items()]
            body = b"<Error><Code>ServiceUnavailable</Code></Error>"
            headers.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": fault.status, "headers": headers})
            await send({"type": "http.response.body", "body": body})
            return
        if fault.done_first:

            async def nowhere(_: Any) -> None: ...

            await self._routes(request.scope, request.receive, nowhere)
        elif fault.after_bytes:
            await self._take_some(request, fault.after_bytes)
        # An answer shorter than promised makes the server close the connection: that is the cut.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})

    async def _take_some(self, request: Request, length: int) -> None:
        taken = bytearray()
        async for piece in request.stream():
            taken += piece
            if len(taken) >= length:
                break
        number = request.query_params.get("upload_id")
        if number is not None:
            upload = self.uploads[number]
            found = re.fullmatch(r"bytes (\d+)-\d+/\d+", request.headers["content-range"])
            if found is None:
                return  # a question about the status has no body
            assert int(found[1]) == len(upload.data), "a chunk follows what is there"
            upload.data += taken[:length]

    # --- routing

    @property
    def _routes(self) -> Starlette:
        if not hasattr(self, "_starlette"):
            self._starlette = Starlette(
                routes=[
                    Route("/api/auth/login", self._login, methods=["POST"]),
                    Route("/api/auth/refresh", self._refresh, methods=["POST"]),
                    Route("/api/projects", self._api(self._list_projects), methods=["GET"]),
                    Route("/api/projects", self._api(self._create_project), methods=["POST"]),
                    Route("/api/projects/{id}", self._api(self._get_project), methods=["GET"]),
                    Route("/api/cycles", self._api(self._list_cycles), methods=["GET"]),
                    Route("/api/cycles", self._api(self._create_cycle), methods=["POST"]),
                    Route("/api/sessions", self._api(self._create_session), methods=["POST"]),
                    Route("/api/sessions/{id}", self._api(self._get_session), methods=["GET"]),
                    Route("/api/uploads/start", self._api(self._start), methods=["POST"]),
                    Route("/api/uploads/{id}/files", self._api(self._add), methods=["POST"]),
                    Route("/api/uploads/{id}/urls", self._api(self._urls), methods=["POST"]),
                    Route("/api/uploads/{id}/cancel", self._api(self._cancel), methods=["POST"]),
                    Route("/api/uploads/status/{id}", self._api(self._status), methods=["GET"]),
                    Route("/api/documents", self._api(self._list_assets("document")), methods=["GET"]),
                    Route("/api/voice", self._api(self._list_assets("voice")), methods=["GET"]),
                    Route("/api/documents/{id}", self._api(self._get_asset), methods=["GET"]),
                    Route("/api/voice/{id}", self._api(self._get_asset), methods=["GET"]),
                    Route("/bucket/{id}", self._put, methods=["PUT"]),
                    Route("/bucket/{id}", self._begin, methods=["POST"]),
                    Route("/bucket/resumable/{id}", self._chunk, methods=["PUT"]),
                ]
            )
        return self._starlette

    def _api(self, handler: Callable[..., Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.valid_access:
                return _envelope(Refused(401, "unauthenticated", "The access token is not valid."), request)
            try:
                if request.method == "POST":
                    return self._once(request, await request.body(), handler)
                return handler(request)
            except Refused as refused:
                return _envelope(refused, request)

        return endpoint

    def _once(self, request: Request, body: bytes, handler: Callable[..., Response]) -> Response:
        key = request.headers["idempotency-key"]
        digest = hashlib.sha256(request.url.path.encode() + body).hexdigest()
        if key not in self._replies:
            self._replies[key] = (digest, handler(request, json.loads(body or b"{}")))
        assert self._replies[key][0] == digest, "a key is for one request"
        return self._replies[key][1]

    # --- accounts

    async def _login(self, request: Request) -> Response:
        asked = await request.json()
        if asked.get("username") != "ada" or asked["password"] != self.password:
            return _envelope(Refused(401, "invalid_credentials", "The name and the password don't match."), request)
        return JSONResponse(self._tokens())

    async def _refresh(self, request: Request) -> Response:
        token = (await request.json())["refresh_token"]
        if token not in self.refresh_tokens:
            return _envelope(Refused(401, "unauthenticated", "The refresh token is over."), request)
        return JSONResponse(self._tokens())

    def _tokens(self) -> dict[str, Any]:
        access, refresh = f"access-{next(self._numbers)}", f"refresh-{next(self._numbers)}"
        self.valid_access.add(access)
        self.refresh_tokens.add(refresh)
        return {"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": self.token_life}

    # --- projects, cycles, sessions

    def _list_projects(self, request: Request) -> Response:
        return _page(list(self.projects.values()), request)

    def _create_project(self, _: Request, asked: dict[str, Any]) -> Response:
        project = {"id": f"prj_{next(self._numbers)}", "name": asked["name"], "role": "admin"}
        self.projects[project["id"]] = project
        return JSONResponse(project, 201)

    def _get_project(self, request: Request) -> Response:
        return JSONResponse(_found(self.projects, request.path_params["id"]))

    def _list_cycles(self, request: Request) -> Response:
        wanted = request.query_params["project_id"]
        return _page([cycle for cycle in self.cycles.values() if cycle["project_id"] == wanted], request)

    def _create_cycle(self, _: Request, asked: dict[str, Any]) -> Response:
        cycle = {"id": f"cyc_{next(self._numbers)}", **asked}
        self.cycles[cycle["id"]] = cycle
        return JSONResponse(cycle, 201)

    def _create_session(self, _: Request, asked: dict[str, Any]) -> Response:
        _found(self.projects, asked["project_id"])
        session = UploadSession(f"ses_{next(self._numbers)}", asked["project_id"], asked.get("cycle_id"), asked["name"])
        self.sessions[session.id] = session
        return JSONResponse(self._session_view(session), 201)

    def _get_session(self, request: Request) -> Response:
        return JSONResponse(self._session_view(_found(self.sessions, request.path_params["id"])))

    def _session_view(self, session: UploadSession) -> dict[str, Any]:
        return {"id": session.id, "name": session.name, "status": session.status, "stats": self._stats(session)}

    # --- the job

    def _start(self, _: Request, asked: dict[str, Any]) -> Response:
        return self._manifest(_found(self.sessions, asked["session_id"]), asked)

    def _add(self, request: Request, asked: dict[str, Any]) -> Response:
        return self._manifest(_found(self.sessions, request.path_params["id"]), asked)

    def _manifest(self, session: UploadSession, asked: dict[str, Any]) -> Response:
        files = asked["files"]
        if not 1 <= len(files) <= 1000:
            raise Refused(422, "validation_failed", "1 to 1,000 files", [{"field": "files", "message": "count"}])
        if session.status not in ("pending", "in_progress"):
            raise Refused(409, "state_conflict", f"The session is {session.status}.")
        bad = [
            {"index": index, "path": file["path"], "code": "path_malformed", "message": "No backslashes."}
            for index, file in enumerate(files)
            if "\\" in file["path"]
        ]
        if bad:
            raise Refused(422, "manifest_invalid", f"{len(bad)} files have bad paths.", bad)
        session.status, session.manifest_open = "in_progress", asked["expect_more"]
        session.pages.append((len(files), asked["expect_more"]))
        assets = [self._announced(session, file) for file in files]
        self._tick(session)
        return JSONResponse(self._job(session, assets), 201)

    def _announced(self, session: UploadSession, file: dict[str, Any]) -> Asset:
        identity = json.dumps([session.id, file["path"], file["size"], file["crc32c"]])
        asset_id = "ast_" + hashlib.sha256(identity.encode()).hexdigest()[:20]
        if asset_id not in self.assets:
            asset = Asset(asset_id, session, file["path"], file["size"], file["content_type"], file["crc32c"])
            if not asset.size:
                asset.state, asset.error = "failed", {"code": "empty_file", "message": "The file is empty."}
            self.assets[asset_id] = session.assets[asset_id] = asset
        return self.assets[asset_id]

    def _job(self, session: UploadSession, assets: list[Asset]) -> dict[str, Any]:
        files = []
        for asset in assets:
            pending = asset.state == "pending"
            state = asset.state if pending or asset.state == "failed" else "already_uploaded"
            upload = self._signed(asset) if pending else None
            answer = {"path": asset.path, "asset_id": asset.id, "kind": asset.kind, "state": state, "upload": upload}
            files.append(answer)
        return {"job_id": session.id, "session_id": session.id, "files": files}

    def _signed(self, asset: Asset) -> dict[str, Any]:
        self.urls_issued += 1
        resumable = asset.size > self.resumable_above
        headers = {
            "content-type": asset.content_type,
            "x-goog-content-length-range": f"{asset.size},{asset.size}",
            "x-goog-if-generation-match": "0",
        }
        return {
            "protocol": "resumable" if resumable else "put",
            "method": "POST" if resumable else "PUT",
            "url": f"{self.url}/bucket/{asset.id}?X-Goog-Credential=a%40b%2Fauto&number={self.urls_issued}",
            "headers": headers | ({"x-goog-resumable": "start"} if resumable else {}),
            "expires_at": f"2030-01-01T00:00:{self.urls_issued // 100000:02}Z",
        }

    def _urls(self, request: Request, asked: dict[str, Any]) -> Response:
        session = _found(self.sessions, request.path_params["id"])
        return JSONResponse(self._job(session, [_found(self.assets, one) for one in asked["asset_ids"]]))

    def _cancel(self, request: Request, _: dict[str, Any]) -> Response:
        session = _found(self.sessions, request.path_params["id"])
        session.status = "cancelled"
        return JSONResponse(self._session_view(session))

    def _status(self, request: Request) -> Response:
        session = _found(self.sessions, request.path_params["id"])
        self._tick(session)
        errors = [{"path": a.path, **a.error} for a in session.assets.values() if a.error]
        answer = {
            "job_id": session.id,
            "session_id": session.id,
            "status": session.status,
            "stats": self._stats(session),
            "errors": errors[:50],
        }
        etag = '"' + hashlib.sha256(json.dumps(answer).encode()).hexdigest()[:16] + '"'
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers={"ETag": etag})
        return JSONResponse(answer, headers={"ETag": etag})

    def _tick(self, session: UploadSession) -> None:
        if session.status != "in_progress":
            return
        if self.processing:
            for asset in session.assets.values():
                if asset.state == "uploaded" and asset.path in self.failing:
                    asset.state, asset.error = "failed", self.failing[asset.path]
                elif asset.state == "uploaded" and asset.kind != "file":
                    asset.state = "processed"
        settled = all(_settled(asset) for asset in session.assets.values())
        if settled and not session.manifest_open:
            session.status = "completed"

    def _stats(self, session: UploadSession) -> dict[str, Any]:
        assets = list(session.assets.values())
        uploaded = [asset for asset in assets if asset.id in self.objects]
        done = [asset for asset in assets if _settled(asset) and asset.state != "failed"]
        failed = [asset for asset in assets if asset.state == "failed"]
        return {
            "files_total": len(assets),
            "files_uploaded": len(uploaded),
            "files_processed": len(done),
            "files_failed": len(failed),
            "bytes_total": sum(asset.size for asset in assets),
            "bytes_uploaded": sum(asset.size for asset in uploaded),
            "percent": 100.0 * (len(done) + len(failed)) / max(1, len(assets)),
            "bytes_per_second": None,
            "seconds_left": None,
        }

    # --- results

    def _list_assets(self, kind: str) -> Callable[[Request], Response]:
        def handler(request: Request) -> Response:
            session = _found(self.sessions, request.query_params["session_id"])
            return _page([self._view(a) for a in session.assets.values() if a.kind == kind], request)

        return handler

    def _get_asset(self, request: Request) -> Response:
        asset = _found(self.assets, request.path_params["id"])
        return JSONResponse({**self._view(asset), "text": f"The whole text of {asset.path}.", "text_truncated": False})

    def _view(self, asset: Asset) -> dict[str, Any]:
        return {
            "id": asset.id,
            "kind": asset.kind,
            "state": asset.state,
            "path": asset.path,
            "name": asset.path.rpartition("/")[2],
            "size": asset.size,
            "excerpt": f"The whole text of {asset.path}"[:20] if asset.state == "processed" else "",
            "confidence": 0.97 if asset.state == "processed" else None,
            "language": "en",
            "pages": 2 if asset.kind == "document" else None,
            "duration_seconds": 64.2 if asset.kind == "voice" else None,
            "error": asset.error,
        }

    # --- the storage

    def _storage_refusal(self, request: Request) -> Response | None:
        asset = self.assets[request.path_params["id"]]
        self.before_upload(asset.path)
        if int(request.query_params["number"]) <= self.expired_up_to:
            return _xml(400, "ExpiredToken", "The provided token has expired.")
        signed = self._signed(asset)["headers"]
        self.urls_issued -= 1
        sent = {name: request.headers.get(name) for name in signed}
        ours = {name for name in request.headers if name.startswith("x-") or name == "authorization"}
        if sent != signed or not ours <= set(signed) or "X-Goog-Credential=a%40b%2Fauto" not in str(request.url):
            return _xml(403, "SignatureDoesNotMatch", "The request is not the one that was signed.")
        if asset.id in self.objects:
            return _xml(412, "PreconditionFailed", "The object exists.")
        return None

    async def _put(self, request: Request) -> Response:
        refusal = self._storage_refusal(request)
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
        refusal = self._storage_refusal(request)
        if refusal is not None:
            return refusal
        number = f"up_{next(self._numbers)}"
        self.uploads[number] = Upload(request.path_params["id"])
        location = f"{self.url}/bucket/resumable/{request.path_params['id']}?upload_id={number}"
        return Response(status_code=201, headers={"Location": location})

    async def _chunk(self, request: Request) -> Response:
        upload = self.uploads.get(request.query_params["upload_id"])
        if upload is None:
            return _xml(410, "Gone", "There is no such upload.")
        asset = self.assets[upload.asset_id]
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
            if not self.gate.is_set():
                await asyncio.to_thread(self.gate.wait)

    def _complete(self, asset_id: str, body: bytes) -> Response:
        asset = self.assets[asset_id]
        if len(body) != asset.size:
            return _xml(400, "EntityTooSmall", "The length is not the one that was signed.")
        crc = base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()
        asset.state = "uploaded"
        if crc != asset.crc32c:
            asset.state, asset.error = "failed", {"code": "checksum_mismatch", "message": "Other bytes came."}
        self.objects[asset_id] = body
        return Response(status_code=200)

    def content(self, path: str) -> bytes:
        """The bytes of the only object that has this path."""
        ours = [asset.id for asset in self.assets.values() if asset.path == path]
        (found,) = [self.objects[asset_id] for asset_id in ours if asset_id in self.objects]
        return found

    @property
    def paths(self) -> list[str]:
        """The paths of all objects, in the order in which their files were announced."""
        return [asset.path for asset in self.assets.values() if asset.id in self.objects]


def _settled(asset: Asset) -> bool:
    return asset.state in ("processed", "failed") or (asset.state == "uploaded" and asset.kind == "file")


def _found(records: dict[str, Any], number: str) -> Any:
    if number not in records:
        raise Refused(404, "not_found", "There is no such thing.")
    return records[number]


def _page(items: list[dict[str, Any]], request: Request) -> Response:
    size, start = int(request.query_params["page_size"]), int(request.query_params.get("page_token", "0"))
    token = str(start + size) if start + size < len(items) else None
    return JSONResponse({"items": items[start : start + size], "next_page_token": token})


def _envelope(refused: Refused, request: Request) -> Response:
    error = {"type": "Refused", "message": refused.message, "code": refused.code, "details": refused.details}
    return JSONResponse({"error": {**error, "requestId": request.headers.get("x-request-id")}}, refused.status)


def _xml(status: int, code: str, message: str) -> Response:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Response(body, status, media_type="application/xml")


def _incomplete(upload: Upload) -> Response:
    headers = {"Range": f"bytes=0-{len(upload.data) - 1}"} if upload.data else {}
    return Response(status_code=308, headers=headers)
