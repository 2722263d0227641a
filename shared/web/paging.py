"""Pages of lists by opaque, signed tokens (AIP-158): never an offset, and bound to the filters they were made with."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query, Request

from shared.errors import MalformedRequest, ValidationFailed
from shared.models.listing import Listing, Named, Order
from shared.models.records import AskedMoment, Frozen, Record
from shared.settings import settings

T = TypeVar("T")
F = TypeVar("F")
R = TypeVar("R", bound=Record)

PAGE_LIMIT = 200
"""Items in one page at the most."""
_SIGNATURE_BYTES = 16


PageSize = Annotated[int, Query(ge=1, le=PAGE_LIMIT, description="Items in a page.")]
PageToken = Annotated[str | None, Query(description="`next_page_token` of the page before.")]


class Page(Frozen, Generic[T]):
    """One page of a list. Without a `next_page_token` it is the last."""

    items: list[T]
    next_page_token: str | None = None


class Paging:
    """What a request says of the page it wants."""

    def __init__(self, request: Request, page_size: int, page_token: str | None) -> None:
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


class Listed(Paging):
    """A page, and which records in what order: for lists of what people gave a name."""

    listing: Listing

    def records(self, found: Sequence[F], view: Callable[[F], T], record: Callable[[F], Named]) -> "Page[T]":
        """The page of what was found; `record` gives the record of each."""
        return self.page(found, view, lambda one: self.listing.position(record(one)))


def _require_one_index(listing: Listing, order_by: Order | None) -> None:
    """Raises ValidationFailed for what would need to run along two indexes at once."""
    timed = listing.created_after is not None or listing.created_before is not None
    wrong = None
    if listing.name_prefix is not None and (timed or not listing.order.by_name):
        wrong = "A name prefix goes with an order by name and without a time range."
    elif timed and listing.order.by_name:
        wrong = "A time range goes with an order by time."
    elif listing.deleted and (timed or order_by is not None or listing.name_prefix is not None):
        wrong = "Deleted records are listed by the time they were deleted at."
    if wrong is not None:
        raise ValidationFailed(wrong, details=[{"field": "order_by", "message": wrong}])


def newest_first(record: Record) -> tuple[Any, ...]:
    """The position of a record in a list that shows the newest first."""
    return (record.created_at, record.id)


def latest_deleted(record: Record) -> tuple[Any, ...]:
    """The position of a record in a list of deleted ones."""
    return (record.deleted_at, record.id)


def itself(record: R) -> R:
    """For lists of records themselves."""
    return record


def _plain(value: Any) -> Any:
    return {"t": value.isoformat()} if isinstance(value, datetime) else value


def _value(value: Any) -> Any:
    return datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value


async def _paging(request: Request, page_size: PageSize = 50, page_token: PageToken = None) -> Paging:
    # Asynchronous, as all dependencies: FastAPI calls others in a thread.
    return Paging(request, page_size, page_token)


async def _listed(
    request: Request,
    page_size: PageSize = 50,
    page_token: PageToken = None,
    order_by: Annotated[Order | None, Query(description="Newest first unless it is said otherwise.")] = None,
    name_prefix: Annotated[
        str | None, Query(min_length=1, max_length=200, description="How names begin; orders by name.")
    ] = None,
    created_after: Annotated[AskedMoment | None, Query(description="Made then or later; RFC 3339.")] = None,
    created_before: Annotated[AskedMoment | None, Query(description="Made earlier; RFC 3339.")] = None,
    deleted: Annotated[bool, Query(description="Those that were deleted instead, latest first.")] = False,
) -> Listed:
    found = Listed(request, page_size, page_token)
    found.listing = Listing(
        size=found.size,
        after=found.after,
        order=order_by or (Order.NAME if name_prefix is not None else Order.NEWEST),
        name_prefix=name_prefix,
        created_after=created_after,
        created_before=created_before,
        deleted=deleted,
    )
    _require_one_index(found.listing, order_by)
    return found


Paged = Annotated[Paging, Depends(_paging)]
List = Annotated[Listed, Depends(_listed)]
