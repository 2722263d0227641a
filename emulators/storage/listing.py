"""Listing a bucket: prefix, delimiter, offsets and pages, in the order of the names' UTF-8 bytes."""

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from emulators.storage.database import Database
from emulators.storage.errors import InvalidArgument
from emulators.storage.resources import StoredObject

LARGEST_PAGE = 1000
"""Items and prefixes on a page (https://cloud.google.com/storage/docs/json_api/v1/objects/list)."""
_LAST = "\U0010ffff"


class ListQuery(BaseModel):
    """What is asked for; the aliases are the query parameters of the JSON API."""

    model_config = ConfigDict(frozen=True)

    prefix: str = ""
    delimiter: str = ""
    start: Annotated[str, Field(alias="startOffset")] = ""
    end: Annotated[str, Field(alias="endOffset")] = ""
    versions: bool = False
    page_token: Annotated[str, Field(alias="pageToken")] = ""
    max_results: Annotated[int, Field(alias="maxResults", ge=1)] = LARGEST_PAGE


class Page(BaseModel):
    """Objects and, with a delimiter, the prefixes that stand for those below them."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    items: list[StoredObject] = []
    prefixes: list[str] = []
    next_page_token: str | None = None


def list_objects(database: Database, bucket: str, query: ListQuery) -> Page:
    """One page of the bucket."""
    page = Page()
    limit = min(query.max_results, LARGEST_PAGE)
    position = _read_token(query.page_token) if query.page_token else (max(query.start, query.prefix), 0)
    for item, following in _entries(database, bucket, query, position):
        if len(page.items) + len(page.prefixes) == limit:
            page.next_page_token = _token(position)
            break
        if isinstance(item, str):
            page.prefixes.append(item)
        else:
            page.items.append(item)
        position = following
    return page


def _entries(
    database: Database, bucket: str, query: ListQuery, position: tuple[str, int]
) -> Iterator[tuple[StoredObject | str, tuple[str, int]]]:
    """Objects and prefixes from `position` (name, generation) on, each with the position after it."""
    while True:
        row = database.row(
            "SELECT * FROM objects WHERE bucket = ? AND (name, generation) >= (?, ?) AND (? OR deleted IS NULL) "
            "ORDER BY name, generation LIMIT 1",
            bucket, *position, query.versions,
        )  # fmt: skip
        if row is None or not row["name"].startswith(query.prefix) or (query.end and row["name"] >= query.end):
            return
        found = StoredObject.of_row(row)
        head, delimiter, _ = found.name.removeprefix(query.prefix).partition(query.delimiter or found.name)
        if query.delimiter and delimiter:
            common = query.prefix + head + delimiter
            position = (common + _LAST, 0)
            yield common, position
        else:
            position = (found.name, found.generation + 1)
            yield found, position


def _token(position: tuple[str, int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        name, generation = json.loads(base64.urlsafe_b64decode(token))
        return str(name), int(generation)
    except (binascii.Error, ValueError, TypeError):
        raise InvalidArgument("Invalid page token.") from None
