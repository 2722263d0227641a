"""Progress adds up `uploaded` and `settled`, which the first assets were written with as true and false."""

from collections.abc import Mapping
from typing import Any

COLLECTIONS = ("assets",)
FIELDS = ("uploaded", "settled")


def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """0 or 1, where it is a truth."""
    return {name: int(document[name]) for name in FIELDS if isinstance(document.get(name), bool)}
