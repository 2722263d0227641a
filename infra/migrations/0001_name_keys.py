"""Lists by name run along `name_key`, which the first projects, cycles and sessions were written without."""

from collections.abc import Mapping
from typing import Any

from shared.models.listing import name_key
from shared.store.listing import NAME_KEY

COLLECTIONS = ("projects", "cycles", "sessions")
FIELDS = ("name", NAME_KEY)


def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The key of the name, where it is another or none."""
    key = name_key(document["name"])
    return {} if document.get(NAME_KEY) == key else {NAME_KEY: key}
