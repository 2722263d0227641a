"""What every stored record has in common, and how ids are made."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

ID_BYTES = 15
"""Random bytes in an id: 120 bits, 24 letters in base 32."""

Moment = datetime
"""A point in time, UTC; RFC 3339 on the wire."""


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


AskedMoment = Annotated[datetime, AfterValidator(_in_utc)]
"""A point in time, as clients send it; without a zone it is UTC."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
"""What people call a thing: 1 to 200 characters."""

Text = Annotated[str, StringConstraints(max_length=5000)]
"""What people write about a thing: up to 5,000 characters."""

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
"""An id of ours, as clients send it."""


class Frozen(BaseModel):
    """A value: made once, never changed. Unknown fields are ignored when it is read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Asked(BaseModel):
    """What a client sends. An unknown field is an error, so that a misspelt one does not pass unnoticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def unsent() -> Any:
    """The default of a field of a change that need not be sent but can't be null: never read, since it was not sent."""
    return Field(default_factory=lambda: None)


class Record(Frozen):
    """A stored document. `version` is the store's: it changes with every write and is never stored as a field."""

    id: str
    created_at: Moment
    updated_at: Moment
    deleted_at: Moment | None = None
    version: Annotated[int, Field(exclude=True, repr=False)] = 0


def now() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def _letters(raw: bytes) -> str:
    return base64.b32encode(raw).decode().lower().rstrip("=")


@dataclass
class _Derivation:
    seed: str
    made: int = 0


_derivation: ContextVar[_Derivation | None] = ContextVar("derivation", default=None)


@contextmanager
def ids_from(seed: str) -> Iterator[None]:
    """New ids are derived from this seed meanwhile, in their order: work that is done again makes the same records."""
    token = _derivation.set(_Derivation(seed))
    try:
        yield
    finally:
        _derivation.reset(token)


def new_id(prefix: str) -> str:
    """A random id such as `prj_4f...`; never sequential, so that writes spread over the index."""
    derivation = _derivation.get()
    if derivation is not None:
        derivation.made += 1
        return derived_id(prefix, derivation.seed, derivation.made)
    return random_id(prefix)


def random_id(prefix: str) -> str:
    """An id that nothing derives: of what is a record of its own however often the work is done."""
    return f"{prefix}_{_letters(secrets.token_bytes(ID_BYTES))}"


def derived_id(prefix: str, *parts: object) -> str:
    """The id that the same parts always give: what makes a repeated request meet its own record."""
    joined = "\x00".join(str(part) for part in parts)
    return f"{prefix}_{_letters(hashlib.sha256(joined.encode()).digest()[:ID_BYTES])}"
