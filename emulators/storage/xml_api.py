"""The XML API of objects, for the holders of V4 signed URLs and of session URIs.

A request without a signature is refused, as it is by a private bucket.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from emulators.storage import answers, cors
from emulators.storage.addressing import Target, resolve
from emulators.storage.checksums import Checksums
from emulators.storage.errors import (
    AccessDenied,
    InvalidArgument,
    MethodNotAllowed,
    NoSuchUpload,
    NotImplementedHere,
    StorageError,
)
from emulators.storage.forms import receive_form
from emulators.storage.listing import LARGEST_PAGE, ListQuery, list_objects
from emulators.storage.requests import CLIENT_CLOSED_REQUEST, body_chunks, drain, whole_number
from emulators.storage.resources import StoredObject
from emulators.storage.resumable import ContentRange, Incomplete
from emulators.storage.signature import SignedRequest, is_signed, verify
from emulators.storage.storage import Storage
from emulators.storage.uploads import LengthRange, Preconditions, Settings, Upload

_PRECONDITIONS = {
    "ifGenerationMatch": "x-goog-if-generation-match",
    "ifMetagenerationMatch": "x-goog-if-metageneration-match",
}
_SETTINGS = {
    "contentType": "content-type",
    "cacheControl": "cache-control",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
    "contentLanguage": "content-language",
    "customTime": "x-goog-custom-time",
    "storageClass": "x-goog-storage-class",
}
_OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-disposition": "Content-Disposition",
    "response-cache-control": "Cache-Control",
    "response-content-encoding": "Content-Encoding",
    "response-content-language": "Content-Language",
}
_NOT_HERE = frozenset(
    {"acl", "cors", "compose", "lifecycle", "logging", "tagging", "uploads", "uploadId", "versioning"}
)
"""Subresources that are refused, rather than mistaken for the object."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request and what it is about; `query` is decoded."""

    request: Request
    target: Target
    query: dict[str, str]

    @property
    def generation(self) -> int | None:
        """The generation asked for."""
        return whole_number("generation", self.query.get("generation"))

    def preconditions(self) -> Preconditions:
        """The x-goog-if-* headers."""
        return Preconditions.of(self.request.headers, _PRECONDITIONS)


class XmlApi:
    """Answers every path that is not one of the JSON API."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._methods: dict[str, Callable[[Call], Awaitable[Response]]] = {
            "GET": self._get,
            "HEAD": self._get,
            "PUT": self._put,
            "DELETE": self._delete,
            "POST": self._start,
        }

    async def answer(self, request: Request) -> Response:
        """Authorise, act, and add what the bucket's CORS rules say, unless the authorisation was refused."""
        query = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        target = resolve(request.headers.get("host", ""), request.scope["path"], self._storage.buckets)
        call = Call(request, target, query)
        if request.method == "OPTIONS":
            return self._preflight(call)
        cross_origin: dict[str, str] = {}
        try:
            act = self._authorised(call)
            cross_origin = self._cross_origin(call)
            response = await act(call)
        except ClientDisconnect:
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        except StorageError as error:
            await drain(request)
            response = error.as_xml()
        response.headers.update(cross_origin)
        return response

    def _authorised(self, call: Call) -> Callable[[Call], Awaitable[Response]]:
        """What is to be done, if it may be: by the id of a session, by a signed form, or by a signed URL."""
        request = call.request
        if not set(call.query).isdisjoint(_NOT_HERE):
            raise NotImplementedHere("Subresources are not served by the local XML API.")
        if "upload_id" in call.query:
            return self._session
        if request.method == "POST" and request.headers.get("content-type", "").startswith("multipart/form-data"):
            return self._form
        signed = SignedRequest(
            request.method,
            request.scope["path"],
            request.scope["query_string"].decode(),
            [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]],
        )
        if not is_signed(signed):
            raise AccessDenied(
                f"Anonymous caller does not have access to the Google Cloud Storage object {call.target.bucket}/"
                f"{call.target.name}. The local XML API takes V4 signed URLs."
            )
        verify(signed, self._storage.config.signers, self._storage.config.clock())
        act = self._methods.get(request.method)
        if act is None:
            raise MethodNotAllowed
        return act

    async def _get(self, call: Call) -> Response:
        if not call.target.name:
            return self._list(call)
        found = self._storage.objects.get(call.target.bucket, call.target.name, call.generation)
        call.preconditions().check(found, reading=True)
        overrides = {_OVERRIDES[name]: value for name, value in call.query.items() if name in _OVERRIDES}
        headers = call.request.headers
        head = call.request.method == "HEAD"
        return answers.content(self._storage.blobs, found, headers, head=head, overrides=overrides)

    def _list(self, call: Call) -> Response:
        self._storage.buckets.get(call.target.bucket)
        query = ListQuery(
            prefix=call.query.get("prefix", ""),
            delimiter=call.query.get("delimiter", ""),
            pageToken=call.query.get("continuation-token", ""),
            maxResults=max(whole_number("max-keys", call.query.get("max-keys")) or LARGEST_PAGE, 1),
        )
        page = list_objects(self._storage.database, call.target.bucket, query)
        root = Element("ListBucketResult")
        SubElement(root, "Name").text = call.target.bucket
        SubElement(root, "Prefix").text = query.prefix
        SubElement(root, "IsTruncated").text = "true" if page.next_page_token else "false"
        if page.next_page_token:
            SubElement(root, "NextContinuationToken").text = page.next_page_token
        for found in page.items:
            entry = SubElement(root, "Contents")
            SubElement(entry, "Key").text = found.name
            SubElement(entry, "Generation").text = str(found.generation)
            SubElement(entry, "LastModified").text = found.updated
            SubElement(entry, "ETag").text = answers.entity_tag(found)
            SubElement(entry, "Size").text = str(found.size)
        for prefix in page.prefixes:
            SubElement(SubElement(root, "CommonPrefixes"), "Prefix").text = prefix
        return Response(tostring(root, encoding="UTF-8", xml_declaration=True), media_type="application/xml")

    async def _put(self, call: Call) -> Response:
        upload = self._upload(call)
        declared = call.request.headers.get("content-length")
        if declared is not None:
            upload.length.check(int(declared))
        return _stored(await self._storage.store(upload, body_chunks(call.request)))

    async def _delete(self, call: Call) -> Response:
        found = self._storage.objects.get(call.target.bucket, call.target.name, call.generation)
        self._storage.objects.delete(found, call.preconditions(), version=call.generation is not None)
        return Response(status_code=204)

    async def _start(self, call: Call) -> Response:
        if call.request.headers.get("x-goog-resumable") != "start":
            raise InvalidArgument("A POST of an object starts a resumable upload: x-goog-resumable: start.")
        total = call.request.headers.get("x-upload-content-length")
        upload = self._upload(call)
        # The hash of the payload speaks of this request's empty body, not of the object.
        upload = upload.model_copy(update={"checksums": upload.checksums.model_copy(update={"sha256": None})})
        number = self._storage.sessions.start(upload, whole_number("x-upload-content-length", total))
        request = call.request
        location = f"{request.url.scheme}://{request.headers['host']}{request.scope['path']}?upload_id={number}"
        return Response(status_code=201, headers={"Location": location, "X-GUploader-UploadID": number})

    async def _session(self, call: Call) -> Response:
        number = call.query["upload_id"]
        session = self._storage.sessions.get(number)
        if (session.upload.bucket, session.upload.name) != (call.target.bucket, call.target.name):
            raise NoSuchUpload
        if call.request.method == "DELETE":
            self._storage.sessions.cancel(number)
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        if call.request.method not in ("PUT", "POST"):
            raise MethodNotAllowed
        outcome = await self._storage.sessions.put(
            number,
            ContentRange.of(call.request.headers.get("content-range")),
            body_chunks(call.request),
            Checksums.of_headers(_headers(call.request, but="x-goog-content-sha256")),
        )
        return answers.resume_incomplete(outcome) if isinstance(outcome, Incomplete) else _stored(outcome)

    async def _form(self, call: Call) -> Response:
        stored, answer = await receive_form(self._storage, call.target.bucket, call.request)
        answer.headers.update({"ETag": answers.entity_tag(stored), "x-goog-generation": str(stored.generation)})
        return answer

    def _upload(self, call: Call) -> Upload:
        headers = call.request.headers
        refused = [name for name in headers if name.startswith(("x-goog-encryption-", "x-goog-copy-source"))]
        if refused:
            raise NotImplementedHere(f"{refused[0]} is not understood by the local XML API.")
        settings: Settings = {name: headers[header] for name, header in _SETTINGS.items() if header in headers}
        prefix = "x-goog-meta-"
        settings["metadata"] = {
            name.removeprefix(prefix): value.encode("latin-1").decode(errors="replace")
            for name, value in headers.items()
            if name.startswith(prefix)
        }
        length = headers.get("x-goog-content-length-range")
        return Upload(
            bucket=call.target.bucket,
            name=call.target.name,
            settings={name: value for name, value in settings.items() if value},
            preconditions=call.preconditions(),
            checksums=Checksums.of_headers(_headers(call.request)),
            length=LengthRange.parse(length) if length else LengthRange(),
        )

    def _preflight(self, call: Call) -> Response:
        if call.target.bucket not in self._storage.buckets:
            return Response(status_code=200)
        headers = call.request.headers
        asked = headers.get("access-control-request-headers", "")
        answer = cors.preflight_headers(
            cors.rules_of(self._storage.buckets.get(call.target.bucket).settings),
            headers.get("origin"),
            headers.get("access-control-request-method", ""),
            [name.strip() for name in asked.split(",") if name.strip()],
        )
        return Response(status_code=200, headers=answer)

    def _cross_origin(self, call: Call) -> dict[str, str]:
        if call.target.bucket not in self._storage.buckets:
            return {}
        rules = cors.rules_of(self._storage.buckets.get(call.target.bucket).settings)
        return cors.answer_headers(rules, call.request.headers.get("origin"), call.request.method)


def _stored(found: StoredObject) -> Response:
    described = answers.object_headers(found)
    kept = {name: value for name, value in described.items() if name.startswith("x-goog-") and "meta-" not in name}
    return Response(headers=kept | {"ETag": described["ETag"]})


def _headers(request: Request, but: str | None = None) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.headers.items() if name != but]
