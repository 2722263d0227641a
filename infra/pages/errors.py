"""The page of everything that can go wrong."""

from infra.pages.markdown import WRITTEN, table
from shared import errors
from shared.models.assets import Fault

_HEAD = """\
# Errors

Every error has one envelope, `{"error": {"type", "message", "code", "requestId", "details"}}`, or is
`application/problem+json` (RFC 9457) for a client that accepts it. `code` is stable: decide by it, not by the message.
`details` names the fields that are meant; `Retry-After` says how many seconds to wait, where waiting helps. Give the
`requestId` to whoever runs the platform: every log line of the request carries it.

"""
_FAULTS = """
## Faults of files

A file that can't be used is no error of a request: its record ends in the state `failed`, with one of these codes in
`error.code` and a sentence in `error.message`. The same bytes would fail again
([decision 4](decisions/0004-unusable-files.md)).

"""


def page() -> str:
    """docs/errors.md."""
    rows = [
        [f"`{error.code}`", str(error.status), " ".join((error.__doc__ or "").split()), error.remedy]
        for error in sorted(errors.catalogue(), key=lambda error: (error.status, error.code))
    ]
    faults = [[f"`{fault.value}`"] for fault in Fault]
    return (
        WRITTEN + _HEAD + table(["code", "status", "meaning", "what to do"], rows) + _FAULTS + table(["code"], faults)
    )
