"""How errors look on the wire."""

from typing import Any

from shared.models.records import Frozen


class ErrorBody(Frozen):
    """What went wrong. `code` is stable and machine-readable; /docs/errors says of each what to do."""

    type: str
    message: str
    code: str
    requestId: str  # noqa: N815  # the contract's spelling
    details: list[dict[str, Any]] | dict[str, Any] | None


class Error(Frozen):
    """The envelope of every error."""

    error: ErrorBody


class Problem(Frozen):
    """An error as RFC 9457 has it, for clients that accept application/problem+json."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    requestId: str  # noqa: N815  # the contract's spelling
    details: list[dict[str, Any]] | dict[str, Any] | None
