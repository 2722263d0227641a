"""The JSON API of buckets, notifications and objects, as google-cloud-storage uses it.

Open to every caller: local clients have no tokens. Names in paths are percent-encoded, so routes see the path as sent.
"""

import json
from urllib.parse import unquote

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from emulators.storage import answers
from emulators.storage.errors import InvalidArgument, NoSuchProject, NotImplementedHere
from emulators.storage.listing import ListQuery, list_objects
from emulators.storage.requests import small_body, whole_number
from emulators.storage.resources import StoredObject
from emulators.storage.storage import Storage
from emulators.storage.uploads import Preconditions, Settings, Upload

LARGEST_COMPOSE = 32
"""Objects that one compose joins (https://cloud.google.com/storage/docs/composite-objects)."""
_SOURCE_PRECONDITIONS = {
    "ifGenerationMatch": "ifSourceGenerationMatch",
    "ifGenerationNotMatch": "ifSourceGenerationNotMatch",
    "ifMetagenerationMatch": "ifSourceMetagenerationMatch",
    "ifMetagenerationNotMatch": "ifSourceMetagenerationNotMatch",
}
_BUCKET = "/storage/v1/b/{bucket}"
_OBJECT = f"{_BUCKET}/o/{{object}}"
_resource = TypeAdapter(Settings)


class JsonApi:
    """Everything but uploads and batches."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._base_url = storage.config.base_url

    def routes(self) -> list[Route]:
        """Its routes, over paths as sent."""
        copies = "{destination_bucket}/o/{destination}"
        return [
            Route("/storage/v1/projects/{project}/serviceAccount", self.get_service_account, methods=["GET"]),
            Route("/storage/v1/b", self.list_buckets, methods=["GET"]),
            Route("/storage/v1/b", self.create_bucket, methods=["POST"]),
            Route(_BUCKET, self.get_bucket, methods=["GET"]),
            Route(_BUCKET, self.change_bucket, methods=["PATCH", "PUT"]),
            Route(_BUCKET, self.delete_bucket, methods=["DELETE"]),
            Route(f"{_BUCKET}/notificationConfigs", self.list_notifications, methods=["GET"]),
            Route(f"{_BUCKET}/notificationConfigs", self.create_notification, methods=["POST"]),
            Route(f"{_BUCKET}/notificationConfigs/{{id}}", self.get_notification, methods=["GET"]),
            Route(f"{_BUCKET}/notificationConfigs/{{id}}", self.delete_notification, methods=["DELETE"]),
            Route(f"{_BUCKET}/o", self.list_objects, methods=["GET"]),
            Route(_OBJECT, self.get_object, methods=["GET"]),
            Route(f"/download{_OBJECT}", self.download, methods=["GET"]),
            Route(_OBJECT, self.change_object, methods=["PATCH", "PUT"]),
            Route(_OBJECT, self.delete_object, methods=["DELETE"]),
            Route(f"{_OBJECT}/compose", self.compose, methods=["POST"]),
            Route(f"{_OBJECT}/rewriteTo/b/{copies}", self.rewrite, methods=["POST"]),
            Route(f"{_OBJECT}/copyTo/b/{copies}", self.copy, methods=["POST"]),
        ]

    async def get_service_account(self, request: Request) -> Response:
        """projects.serviceAccount.get: who publishes notifications, as Terraform asks before it grants the right to."""
        project = segment(request, "project")
        if project != self._storage.config.project:
            raise NoSuchProject
        email = f"service-{project}@gs-project-accounts.iam.gserviceaccount.com"
        return JSONResponse({"kind": "storage#serviceAccount", "email_address": email})

    async def list_buckets(self, request: Request) -> Response:
        """buckets.list, on one page."""
        found = self._storage.buckets.list(request.query_params.get("prefix", ""))
        return JSONResponse({"kind": "storage#buckets", "items": [bucket.resource(self._base_url) for bucket in found]})

    async def create_bucket(self, request: Request) -> Response:
        """buckets.insert."""
        given = await read_resource(request)
        bucket = self._storage.buckets.create(str(given.get("name", "")), given)
        return JSONResponse(bucket.resource(self._base_url))

    async def get_bucket(self, request: Request) -> Response:
        """buckets.get."""
        bucket = self._storage.buckets.get(segment(request, "bucket"))
        Preconditions.of(request.query_params).check(bucket, reading=True)
        return JSONResponse(bucket.resource(self._base_url))

    async def change_bucket(self, request: Request) -> Response:
        """buckets.patch and buckets.update."""
        changes = await read_resource(request)
        conditions = Preconditions.of(request.query_params)
        name = segment(request, "bucket")
        bucket = self._storage.buckets.change(name, changes, conditions, replace=request.method == "PUT")
        return JSONResponse(bucket.resource(self._base_url))

    async def delete_bucket(self, request: Request) -> Response:
        """buckets.delete."""
        self._storage.buckets.delete(segment(request, "bucket"), Preconditions.of(request.query_params))
        return Response(status_code=204)

    async def list_notifications(self, request: Request) -> Response:
        """notifications.list."""
        bucket = self._storage.buckets.get(segment(request, "bucket"))
        items = [config.resource(self._base_url) for config in self._storage.notification_configs.list(bucket.name)]
        return JSONResponse({"kind": "storage#notifications", "items": items})

    async def create_notification(self, request: Request) -> Response:
        """notifications.insert."""
        given = await read_resource(request)
        bucket = self._storage.buckets.get(segment(request, "bucket"))
        config = self._storage.notification_configs.create(bucket.name, given)
        return JSONResponse(config.resource(self._base_url))

    async def get_notification(self, request: Request) -> Response:
        """notifications.get."""
        config = self._storage.notification_configs.get(segment(request, "bucket"), segment(request, "id"))
        return JSONResponse(config.resource(self._base_url))

    async def delete_notification(self, request: Request) -> Response:
        """notifications.delete."""
        self._storage.notification_configs.delete(segment(request, "bucket"), segment(request, "id"))
        return Response(status_code=204)

    async def list_objects(self, request: Request) -> Response:
        """objects.list."""
        asked = dict(request.query_params)
        unknown = {"matchGlob", "softDeleted", "includeTrailingDelimiter", "filter"} & set(asked)
        if unknown:
            raise NotImplementedHere(f"objects.list does not know {', '.join(sorted(unknown))} here.")
        bucket = self._storage.buckets.get(segment(request, "bucket"))
        try:
            query = ListQuery.model_validate(asked)
        except ValidationError as error:
            raise InvalidArgument(f"Invalid list: {error}") from None
        page = list_objects(self._storage.database, bucket.name, query)
        body: Settings = {"kind": "storage#objects", "items": [self._shown(found) for found in page.items]}
        if page.prefixes:
            body["prefixes"] = list(page.prefixes)
        if page.next_page_token:
            body["nextPageToken"] = page.next_page_token
        return JSONResponse(body)

    async def get_object(self, request: Request) -> Response:
        """objects.get: the resource, or with alt=media the bytes."""
        if request.query_params.get("alt") == "media":
            return await self.download(request)
        found = self._found(request)
        Preconditions.of(request.query_params).check(found, reading=True)
        answers.check_etag(found, request.headers)
        return JSONResponse(self._shown(found))

    async def download(self, request: Request) -> Response:
        """objects.get of the bytes."""
        found = self._found(request)
        Preconditions.of(request.query_params).check(found, reading=True)
        return answers.content(self._storage.blobs, found, request.headers, head=request.method == "HEAD")

    async def change_object(self, request: Request) -> Response:
        """objects.patch and objects.update."""
        changes = await read_resource(request)
        conditions = Preconditions.of(request.query_params)
        replace_all = request.method == "PUT"
        changed = self._storage.objects.change(self._found(request), changes, conditions, replace_all=replace_all)
        return JSONResponse(self._shown(changed))

    async def delete_object(self, request: Request) -> Response:
        """objects.delete."""
        version = "generation" in request.query_params
        self._storage.objects.delete(self._found(request), Preconditions.of(request.query_params), version=version)
        return Response(status_code=204)

    async def compose(self, request: Request) -> Response:
        """objects.compose."""
        body = await read_resource(request)
        given = body.get("sourceObjects")
        if not isinstance(given, list) or not 0 < len(given) <= LARGEST_COMPOSE:
            raise InvalidArgument(f"sourceObjects names 1 to {LARGEST_COMPOSE} objects.")
        bucket = segment(request, "bucket")
        upload = self._destination(request, bucket, segment(request, "object"), _part(body, "destination"))
        self._storage.objects.check(upload)
        sources = [self._source(bucket, _resource.validate_python(source)) for source in given]
        file, digests = await self._storage.blobs.concatenate(source.blob for source in sources)
        whole = type(digests)(digests.size, digests.crc32c, None)
        parts = sum(source.components or 1 for source in sources)
        composed = self._storage.objects.create(upload, self._storage.blobs.adopt(file), whole, parts)
        if body.get("deleteSourceObjects") is True:
            for source in sources:
                self._storage.objects.delete(source, Preconditions(), version=False)
        return JSONResponse(self._shown(composed))

    async def rewrite(self, request: Request) -> Response:
        """objects.rewrite, done in one call."""
        copied = await self._copied(request)
        return JSONResponse(
            {
                "kind": "storage#rewriteResponse",
                "totalBytesRewritten": str(copied.size),
                "objectSize": str(copied.size),
                "done": True,
                "resource": self._shown(copied),
            }
        )

    async def copy(self, request: Request) -> Response:
        """objects.copy."""
        return JSONResponse(self._shown(await self._copied(request)))

    async def _copied(self, request: Request) -> StoredObject:
        given = await read_resource(request)
        name, bucket = segment(request, "object"), segment(request, "bucket")
        source = self._storage.objects.get(
            bucket, name, whole_number("sourceGeneration", request.query_params.get("sourceGeneration"))
        )
        Preconditions.of(request.query_params, _SOURCE_PRECONDITIONS).check(source)
        target = segment(request, "destination_bucket"), segment(request, "destination")
        return self._storage.objects.copy(source, self._destination(request, *target, given or source.settings))

    def _destination(self, request: Request, bucket: str, name: str, settings: Settings) -> Upload:
        conditions = Preconditions.of(request.query_params)
        return Upload(bucket=bucket, name=name, settings=settings, preconditions=conditions)

    def _source(self, bucket: str, source: Settings) -> StoredObject:
        number = source.get("generation")
        found = self._storage.objects.get(
            bucket, str(source.get("name")), whole_number("generation", str(number) if number else None)
        )
        given = _part(source, "objectPreconditions")
        Preconditions.of({name: str(value) for name, value in given.items()}).check(found)
        return found

    def _found(self, request: Request) -> StoredObject:
        wanted = whole_number("generation", request.query_params.get("generation"))
        return self._storage.objects.get(segment(request, "bucket"), segment(request, "object"), wanted)

    def _shown(self, found: StoredObject) -> Settings:
        return found.resource(self._base_url)


def segment(request: Request, name: str) -> str:
    """A part of the path, decoded."""
    return unquote(request.path_params[name])


async def read_resource(request: Request) -> Settings:
    """The JSON object in the body; empty for an empty body. Raises InvalidArgument."""
    return parse_resource(await small_body(request))


def parse_resource(body: bytes) -> Settings:
    """A JSON object; empty for nothing. Raises InvalidArgument."""
    try:
        return _resource.validate_python(json.loads(body)) if body.strip() else {}
    except ValueError as error:
        raise InvalidArgument(f"The body is not a JSON object: {error}") from None


def _part(body: Settings, name: str) -> Settings:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
