"""The catalogue of what can go wrong: one class an error, with its code, HTTP status and what to do about it.

`shared.web.errors` renders every one of them; nothing else turns an error into an answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

Details = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class AltaError(Exception):
    """The base of all errors that a client may see.

    `code` is stable and machine-readable, `message` is for people, `details` names what is meant (a field, a path).
    `retry_after` is in seconds.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    remedy: ClassVar[str] = "Try again; if it persists, report the requestId."

    def __init__(self, message: str, *, details: Details = None, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.retry_after = retry_after


class Internal(AltaError):
    """A fault of ours. The message never carries the cause."""


class MalformedRequest(AltaError):
    """The request can't be read: not JSON, a bad header, a bad page token."""

    code = "malformed_request"
    status = 400
    remedy = "Correct the request as the message says."


class Unauthenticated(AltaError):
    """No token, or one that is broken, expired or revoked."""

    code = "unauthenticated"
    status = 401
    remedy = "Sign in again, or refresh the access token, and send it as `Authorization: Bearer ...`."


class TokenRefused(AltaError):
    """The token out of a mail, or the challenge of a passkey, is unknown, used, expired, or somebody else's."""

    code = "token_refused"
    status = 400
    remedy = "Ask for a new mail, or start the step again."


class UnknownHost(AltaError):
    """The request names a host that is not ours."""

    code = "unknown_host"
    status = 400
    remedy = "Use the platform's own address."


class InvalidCredentials(AltaError):
    """The name and the password don't belong together; says nothing about which is wrong."""

    code = "invalid_credentials"
    status = 401
    remedy = "Check the user name or e-mail and the password."


class EmailNotVerified(AltaError):
    """The account exists but its address is not verified yet."""

    code = "email_not_verified"
    status = 403
    remedy = "Open the link in the verification mail, or ask for another one."


class RegistrationRequired(AltaError):
    """The Google account is genuine but belongs to nobody here yet."""

    code = "registration_required"
    status = 403
    remedy = "Send the Google token again with `company_name`, or with an `invitation_token`."


class Suspended(AltaError):
    """The user or the company is suspended."""

    code = "account_suspended"
    status = 403
    remedy = "Ask an administrator of the company."


class Forbidden(AltaError):
    """The caller sees the resource but their role does not allow this."""

    code = "forbidden"
    status = 403
    remedy = "Ask an administrator of the project or company for a role that allows it."


class OwnUpload(AltaError):
    """Nobody reviews what they uploaded themselves."""

    code = "own_upload"
    status = 403
    remedy = "Leave the decision to another reviewer."


class NotFound(AltaError):
    """It does not exist, or not for this caller: the two are told apart to nobody."""

    code = "not_found"
    status = 404
    remedy = "Check the id and that you are signed in to the right company."


class MethodNotAllowed(AltaError):
    """The path exists, the method does not."""

    code = "method_not_allowed"
    status = 405
    remedy = "See the reference at /docs for the methods of this path."


class AlreadyExists(AltaError):
    """A record with this name or address is there already."""

    code = "already_exists"
    status = 409
    remedy = "Choose another name, or use the record that exists."


class StateConflict(AltaError):
    """The record's state does not allow this step."""

    code = "state_conflict"
    status = 409
    remedy = "Read the record again; `details.state` tells where it stands."


class TakenByOther(AltaError):
    """Another reviewer has it before them right now."""

    code = "taken_by_other"
    status = 409
    remedy = "Take another one, or wait until `details.until`."


class LastAdmin(AltaError):
    """A company can't be left without an admin who can sign in."""

    code = "last_admin"
    status = 409
    remedy = "Make somebody else an admin of the company first."


class Changed(AltaError):
    """Somebody else changed the record at the same time."""

    code = "concurrent_change"
    status = 409
    remedy = "Read the record again and repeat the change."


class RequestInFlight(AltaError):
    """The same Idempotency-Key is being worked on right now."""

    code = "request_in_flight"
    status = 409
    remedy = "Wait for the first request; repeat it with the same key to read its answer."


class PreconditionFailed(AltaError):
    """The record is not the one that `If-Match` names."""

    code = "precondition_failed"
    status = 412
    remedy = "Read the record again and send its current ETag."


class TooLarge(AltaError):
    """The body, or a file in a manifest, is larger than allowed."""

    code = "too_large"
    status = 413
    remedy = "Send less at once."


class UnsupportedMediaType(AltaError):
    """This content type is not taken here."""

    code = "unsupported_content_type"
    status = 415
    remedy = "Send one of the content types that the message names."


class ValidationFailed(AltaError):
    """A field is missing or wrong; `details` has one entry a field."""

    code = "validation_failed"
    status = 422
    remedy = "Correct the fields in `details` and send the request again."


class ManifestInvalid(AltaError):
    """The manifest of an upload is refused as a whole; `details` has one entry a bad file. Nothing was written."""

    code = "manifest_invalid"
    status = 422
    remedy = "Correct the files in `details` and send the manifest again."


class IdempotencyMismatch(AltaError):
    """The Idempotency-Key was used before with another request."""

    code = "idempotency_mismatch"
    status = 422
    remedy = "Use a new key for a new request."


class RateLimited(AltaError):
    """Too many requests of this kind."""

    code = "rate_limited"
    status = 429
    remedy = "Wait as long as `Retry-After` says."


class Unavailable(AltaError):
    """A dependency is away for the moment; nothing was changed."""

    code = "unavailable"
    status = 503
    remedy = "Try again after `Retry-After` seconds."


def catalogue() -> list[type[AltaError]]:
    """Every error that a client may see, ordered by status and code."""
    found: list[type[AltaError]] = []
    pending = AltaError.__subclasses__()
    while pending:
        error = pending.pop()
        found.append(error)
        pending.extend(error.__subclasses__())
    return sorted(found, key=lambda error: (error.status, error.code))
