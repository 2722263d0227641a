"""A small platform that plays the contract of the main path, with its storage, in one server on loopback.

It keeps the uploader's side honest: signed headers are compared, an object is never overwritten, resumable chunks must
follow each other, a session completes only when its manifest is closed and every file is settled. Tests reach into it
through its attributes.
"""

import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.clients.faulty_server import FaultyServer
from tests.clients.storage import Storage


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


class Refused(Exception):
    """Becomes the error envelope."""

    def __init__(self, status: int, code: str, message: str, details: object = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details


class Platform(FaultyServer):
    """The whole."""

    def __init__(self) -> None:
        self.password = "correct horse"
        self.token_life = 3600
        self.valid_access: set[str] = set()
        self.refresh_tokens = {"refresh-0"}
        self.projects: dict[str, dict[str, Any]] = {}
        self.cycles: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, UploadSession] = {}
        self.assets: dict[str, Asset] = {}
        self.processing = True
        self.failing: dict[str, dict[str, str]] = {}
        """Errors with which the files of these paths end."""
        self._numbers = itertools.count(1)
        self._replies: dict[str, tuple[str, Response]] = {}
        super().__init__()

    def start(self, port: int = 0) -> None:
        super().start(port)
        self.storage.url = self.url

    def routes(self) -> list[Route]:
        self.storage = Storage(self.assets.__getitem__, self.gate)
        return [
            *self.storage.routes(),
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
        ]

    def keep_cut(self, request: Request, taken: bytes) -> None:
        self.storage.keep_cut(request, taken)

    def content(self, path: str) -> bytes:
        """The bytes of the only object that has this path."""
        ours = [asset.id for asset in self.assets.values() if asset.path == path]
        (found,) = [self.storage.objects[asset_id] for asset_id in ours if asset_id in self.storage.objects]
        return found

    @property
    def paths(self) -> list[str]:
        """The paths of all objects, in the order in which their files were announced."""
        return [asset.path for asset in self.assets.values() if asset.id in self.storage.objects]

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
            upload = self.storage.signed(asset) if pending else None
            answer = {"path": asset.path, "asset_id": asset.id, "kind": asset.kind, "state": state, "upload": upload}
            files.append(answer)
        return {"job_id": session.id, "session_id": session.id, "files": files}

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
        uploaded = [asset for asset in assets if asset.id in self.storage.objects]
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
