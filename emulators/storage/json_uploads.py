"""Uploads of the JSON API: media, multipart and resumable."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.storage import answers
from emulators.storage.checksums import Checksums
from emulators.storage.errors import InvalidArgument
from emulators.storage.json_api import parse_resource, read_resource, segment
from emulators.storage.multipart import MultipartReader
from emulators.storage.requests import CLIENT_CLOSED_REQUEST, body_chunks, whole_number
from emulators.storage.resources import StoredObject
from emulators.storage.resumable import ContentRange, Incomplete
from emulators.storage.storage import Storage
from emulators.storage.uploads import Preconditions, Settings, Upload

_PATH = "/upload/storage/v1/b/{bucket}/o"


class JsonUploads:
    """objects.insert."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def routes(self) -> list[Route]:
        """Its routes, over paths as sent."""
        return [
            Route(_PATH, self.insert, methods=["POST"]),
            Route(_PATH, self.resume, methods=["PUT"]),
            Route(_PATH, self.cancel, methods=["DELETE"]),
        ]

    async def insert(self, request: Request) -> Response:
        """One object in one request, or the start of a session."""
        kind = request.query_params.get("uploadType")
        if "upload_id" in request.query_params:
            return await self.resume(request)
        if kind == "resumable":
            return await self._start(request)
        if kind == "multipart":
            return self._shown(await self._multipart(request))
        if kind == "media":
            settings: Settings = {"contentType": request.headers.get("content-type", "")}
            upload = self._upload(request, settings)
            return self._shown(await self._storage.store(upload, body_chunks(request)))
        raise InvalidArgument(f"Unknown uploadType: {kind}")

    async def resume(self, request: Request) -> Response:
        """A chunk of a session, or the question how far it is."""
        outcome = await self._storage.sessions.put(
            _session(request),
            ContentRange.of(request.headers.get("content-range")),
            body_chunks(request),
            Checksums.of_headers(request.headers.items()),
        )
        return answers.resume_incomplete(outcome) if isinstance(outcome, Incomplete) else self._shown(outcome)

    async def cancel(self, request: Request) -> Response:
        """The end of a session without an object."""
        self._storage.sessions.cancel(_session(request))
        return Response(status_code=CLIENT_CLOSED_REQUEST)

    async def _multipart(self, request: Request) -> StoredObject:
        reader = MultipartReader(request.headers.get("content-type", ""), body_chunks(request))
        if await reader.next_part() is None:
            raise InvalidArgument("A multipart upload has two parts.")
        settings = parse_resource(await reader.text())
        media = await reader.next_part()
        if media is None:
            raise InvalidArgument("A multipart upload has two parts.")
        settings.setdefault("contentType", media.get("content-type", ""))
        return await self._storage.store(self._upload(request, settings), reader.chunks())

    async def _start(self, request: Request) -> Response:
        settings = await read_resource(request)
        settings.setdefault("contentType", request.headers.get("x-upload-content-type", ""))
        announced = whole_number("x-upload-content-length", request.headers.get("x-upload-content-length"))
        number = self._storage.sessions.start(self._upload(request, settings), announced)
        # The host as the client calls it: the server may be reached by more than one name.
        base = f"{request.url.scheme}://{request.headers['host']}{request.scope['path']}"
        location = f"{base}?uploadType=resumable&upload_id={number}"
        return Response(headers={"Location": location, "X-GUploader-UploadID": number})

    def _upload(self, request: Request, settings: Settings) -> Upload:
        name = request.query_params.get("name") or settings.get("name")
        promised = Checksums.of_headers(request.headers.items()).and_also(Checksums.of_resource(settings))
        return Upload(
            bucket=segment(request, "bucket"),
            name=str(name or ""),
            settings={key: value for key, value in settings.items() if value != ""},
            preconditions=Preconditions.of(request.query_params),
            checksums=promised,
        )

    def _shown(self, found: StoredObject) -> Response:
        return JSONResponse(found.resource(self._storage.config.base_url))


def _session(request: Request) -> str:
    number = request.query_params.get("upload_id")
    if not number:
        raise InvalidArgument("upload_id is missing.")
    return number
