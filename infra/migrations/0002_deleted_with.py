"""Purging finds deleted files by `deleted_with`, which the first ones were written without: they were deleted alone."""

from collections.abc import Mapping
from typing import Any

COLLECTIONS = ("assets",)
FIELDS = ("deleted_with",)


def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Null, where there is no such field; a query for null does not find what is missing."""
    return {} if "deleted_with" in document else {"deleted_with": None}
