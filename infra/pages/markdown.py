"""Tables, and the names of types as people read them."""

import enum
import inspect
import types
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

WRITTEN = "<!-- Written by `make pages`; what it tells stands in the code. -->\n\n"
_PLAIN: dict[Any, str] = {
    str: "text", int: "integer", float: "number", bool: "true or false", datetime: "time", date: "date",
    SecretStr: "text, secret", type(None): "null", bytes: "bytes", Any: "any",
}  # fmt: skip


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def type_of(annotation: Any) -> str:
    """What a field holds, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_of(inner[0])
    if origin in (Union, types.UnionType):
        return " or ".join(type_of(one) for one in inner)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin in (list, tuple, set, frozenset):
        return f"list of {type_of(inner[0])}"
    if origin is dict:
        return f"map of {type_of(inner[0])} to {type_of(inner[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, enum.Enum):
        return ", ".join(f"`{one.value}`" for one in annotation)
    return _PLAIN.get(annotation) or str(annotation.__name__)


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that a field holds one of, or a list of."""
    if inspect.isclass(annotation):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for one in get_args(annotation) if (found := model_in(one)) is not None), None)
