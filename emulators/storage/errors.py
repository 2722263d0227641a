"""Everything a request can be refused for: Cloud Storage's error codes, rendered once for each of its two APIs.

`code` is the name in the XML API (https://cloud.google.com/storage/docs/xml-api/reference-status), `reason` the one in
the JSON API (https://cloud.google.com/storage/docs/json_api/v1/status-codes).
"""

from http import HTTPStatus
from typing import ClassVar
from xml.etree.ElementTree import Element, SubElement, tostring

from pydantic import JsonValue
from starlette.responses import JSONResponse, PlainTextResponse, Response


class StorageError(Exception):
    """A refused request. `details` is the sentence for a person; `elements` are further elements of the XML body."""

    status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    code: ClassVar[str] = "InvalidArgument"
    reason: ClassVar[str] = "invalid"
    message: ClassVar[str] = "Invalid argument."

    def __init__(self, details: str | None = None, **elements: str) -> None:
        super().__init__(details or self.message)
        self.details = details
        self.elements = elements

    def headers(self) -> dict[str, str]:
        """Headers that go with the error."""
        return {}

    def as_xml(self) -> Response:
        """The error as the XML API answers it."""
        if self.status == HTTPStatus.NOT_MODIFIED:
            return Response(status_code=self.status)
        root = Element("Error")
        SubElement(root, "Code").text = self.code
        SubElement(root, "Message").text = self.message
        if self.details:
            SubElement(root, "Details").text = self.details
        for name, text in self.elements.items():
            SubElement(root, name).text = text
        body = tostring(root, encoding="UTF-8", xml_declaration=True)
        return Response(body, self.status, self.headers(), media_type="application/xml; charset=UTF-8")

    def as_json(self) -> Response:
        """The error as the JSON API answers it."""
        if self.status == HTTPStatus.NOT_MODIFIED:
            return Response(status_code=self.status)
        text = str(self)
        inner: JsonValue = [{"message": text, "domain": "global", "reason": self.reason}]
        body: JsonValue = {"error": {"code": self.status, "message": text, "errors": inner}}
        return JSONResponse(body, self.status, self.headers())


class InvalidArgument(StorageError):
    """An argument that makes no sense; `details` says which."""


class InvalidBucketName(StorageError):
    code = "InvalidBucketName"
    message = "The specified bucket is not valid."


class InvalidDigest(StorageError):
    code = "InvalidDigest"
    message = "The value provided for Content-MD5 or x-goog-hash was invalid."


class BadDigest(StorageError):
    code = "BadDigest"
    message = "The Content-MD5 or x-goog-hash you specified did not match what we received."


class EntityTooLarge(StorageError):
    code = "EntityTooLarge"
    message = "Your proposed upload is larger than the maximum object size specified in your Policy Document."


class EntityTooSmall(StorageError):
    code = "EntityTooSmall"
    message = "Your proposed upload is smaller than the minimum object size specified in your Policy Document."


class MalformedSecurityHeader(StorageError):
    code = "MalformedSecurityHeader"
    message = "Your request has a malformed header."


class ExpiredToken(StorageError):
    code = "ExpiredToken"
    message = "The provided token has expired."


class SignatureDoesNotMatch(StorageError):
    status = HTTPStatus.FORBIDDEN
    code = "SignatureDoesNotMatch"
    reason = "forbidden"
    message = "Access denied."


class RequestTimeTooSkewed(StorageError):
    status = HTTPStatus.FORBIDDEN
    code = "RequestTimeTooSkewed"
    reason = "forbidden"
    message = "The difference between the request time and the server's time is too large."


class AccessDenied(StorageError):
    status = HTTPStatus.FORBIDDEN
    code = "AccessDenied"
    reason = "forbidden"
    message = "Access denied."


class NoSuchBucket(StorageError):
    status = HTTPStatus.NOT_FOUND
    code = "NoSuchBucket"
    reason = "notFound"
    message = "The specified bucket does not exist."


class NoSuchProject(StorageError):
    status = HTTPStatus.NOT_FOUND
    code = "NoSuchProject"
    reason = "notFound"
    message = "The specified project does not exist."


class NoSuchKey(StorageError):
    status = HTTPStatus.NOT_FOUND
    code = "NoSuchKey"
    reason = "notFound"
    message = "The specified key does not exist."


class NoSuchNotification(StorageError):
    status = HTTPStatus.NOT_FOUND
    code = "NoSuchNotification"
    reason = "notFound"
    message = "The specified notification configuration does not exist."


class NoSuchUpload(StorageError):
    status = HTTPStatus.NOT_FOUND
    code = "NoSuchUpload"
    reason = "notFound"
    message = "The requested upload was not found."


class UploadGone(StorageError):
    """The session was cancelled, failed or is older than a week: the upload starts anew."""

    status = HTTPStatus.GONE
    code = "UploadGone"
    reason = "uploadBrokenConnection"
    message = "The upload session is no longer available."


class MethodNotAllowed(StorageError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "MethodNotAllowed"
    reason = "methodNotAllowed"
    message = "The specified method is not allowed against this resource."


class BucketAlreadyExists(StorageError):
    status = HTTPStatus.CONFLICT
    code = "BucketAlreadyOwnedByYou"
    reason = "conflict"
    message = "Your previous request to create the named bucket succeeded and you already own it."


class BucketNotEmpty(StorageError):
    status = HTTPStatus.CONFLICT
    code = "BucketNotEmpty"
    reason = "conflict"
    message = "The bucket you tried to delete is not empty."


class PreconditionFailed(StorageError):
    status = HTTPStatus.PRECONDITION_FAILED
    code = "PreconditionFailed"
    reason = "conditionNotMet"
    message = "At least one of the pre-conditions you specified did not hold."


class NotModified(StorageError):
    status = HTTPStatus.NOT_MODIFIED
    code = "NotModified"
    message = "The resource has not been modified according to the condition you specified."


class RangeNotSatisfiable(StorageError):
    """`size` is that of the object, in bytes."""

    status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    code = "InvalidRange"
    reason = "requestedRangeNotSatisfiable"
    message = "The requested range cannot be satisfied."

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def headers(self) -> dict[str, str]:
        return {"Content-Range": f"bytes */{self.size}"}


class NotImplementedHere(StorageError):
    """Cloud Storage does it, this server does not: refused, rather than ignored."""

    status = HTTPStatus.NOT_IMPLEMENTED
    code = "NotImplemented"
    reason = "notImplemented"
    message = "The local Cloud Storage does not implement what was asked for."


class OffsetTooFar(StorageError):
    """A chunk that starts after the bytes received. The real service answers 503 in plain text; clients look for it."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "ServiceUnavailable"
    reason = "backendError"

    def __init__(self, offset: int, received: int) -> None:
        super().__init__(
            f"Invalid request.  According to the Content-Range header, the upload offset is {offset} byte(s), "
            f"which exceeds already uploaded size of {received} byte(s)."
        )

    def as_xml(self) -> Response:
        return PlainTextResponse(str(self), self.status)

    def as_json(self) -> Response:
        return PlainTextResponse(str(self), self.status)
