"""Pages of lists by opaque, signed tokens (AIP-158): never an offset, and bound to the filters they were made with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request

from shared.errors import MalformedRequest
from shared.models.records import Frozen, Record
from shared.settings import settings

T = TypeVar("T")
F = TypeVar("F")

PAGE_LIMIT = 200
"""Items in one page at the most."""
_SIGNATURE_BYTES = 16


class Page(Frozen, Generic[T]):
    """One page of a list. Without a `next_page_token` it is the last."""

    items: list[T]
    next_page_token: str | None = None


class Paging:
    """What a request says of the page it wants."""

    def __init__(
        self,
        request: Request,
        page_size: Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Items in a page.")] = 50,
        page_token: Annotated[str | None, Query(description="`next_page_token` of the page before.")] = None,
    ) -> None:
        self.size = page_size
        filters = sorted((k, v) for k, v in request.query_params.multi_items() if not k.startswith("page_"))
        self._scope = json.dumps([request.url.path, filters])
        self.after: tuple[Any, ...] | None = self._opened(page_token) if page_token else None

    def page(self, found: Sequence[F], view: Callable[[F], T], position: Callable[[F], tuple[Any, ...]]) -> "Page[T]":
        """The page of what was found; `position` gives the values that the list is ordered by, and the id."""
        token = self._token(position(found[-1])) if len(found) == self.size else None
        return Page(items=[view(one) for one in found], next_page_token=token)

    def _token(self, position: tuple[Any, ...]) -> str:
        payload = json.dumps([_plain(value) for value in position]).encode()
        return base64.urlsafe_b64encode(self._signature(payload) + payload).decode().rstrip("=")

    def _opened(self, token: str) -> tuple[Any, ...]:
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            raise MalformedRequest("page_token is not one of ours.") from None
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(payload)):
            raise MalformedRequest("page_token does not belong to this list and these filters.")
        return tuple(_value(value) for value in json.loads(payload))

    def _signature(self, payload: bytes) -> bytes:
        key = settings().cursor_key.get_secret_value().encode()
        return hmac.digest(key, self._scope.encode() + b"\x00" + payload, hashlib.sha256)[:_SIGNATURE_BYTES]


def newest_first(record: Record) -> tuple[Any, ...]:
    """The position of a record in a list that shows the newest first."""
    return (record.created_at, record.id)


def _plain(value: Any) -> Any:
    return {"t": value.isoformat()} if isinstance(value, datetime) else value


def _value(value: Any) -> Any:
    return datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value


Paged = Annotated[Paging, Depends(Paging)]
