"""The errors a caller can get, each with its gRPC status; the wording is Google's where that is known."""

import grpc


class Refused(Exception):
    """A call that is answered with an error. `status` is set by each kind."""

    status = grpc.StatusCode.UNKNOWN


class InvalidArgument(Refused):
    """The request breaks a rule of the API."""

    status = grpc.StatusCode.INVALID_ARGUMENT


class NotFound(Refused):
    """The queue or task does not exist."""

    status = grpc.StatusCode.NOT_FOUND


class AlreadyExists(Refused):
    """The name is in use, or was until recently."""

    status = grpc.StatusCode.ALREADY_EXISTS


class Unimplemented(Refused):
    """Cloud Tasks can do it, this emulator cannot."""

    status = grpc.StatusCode.UNIMPLEMENTED
