"""What the models say of themselves: the docstring below a field, which pages for people repeat."""

import ast
import inspect
import textwrap
from functools import lru_cache

from pydantic import BaseModel


@lru_cache
def fields_of(model: type[BaseModel]) -> dict[str, str]:
    """Field → what the string below it says, in the model and in what it inherits from."""
    found: dict[str, str] = {}
    for parent in reversed(model.__mro__):
        if issubclass(parent, BaseModel) and parent.__module__.startswith("shared."):
            found |= _strings_below_fields(parent)
    return found


def _strings_below_fields(model: type[BaseModel]) -> dict[str, str]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    if not isinstance(definition, ast.ClassDef):
        return {}
    return {
        field.target.id: " ".join(below.value.value.split())
        for field, below in zip(definition.body, definition.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(below, ast.Expr)
        and isinstance(below.value, ast.Constant)
        and isinstance(below.value.value, str)
    }


def models() -> dict[str, type[BaseModel]]:
    """Every model that is loaded, by name."""
    found: dict[str, type[BaseModel]] = {}
    waiting: list[type[BaseModel]] = [BaseModel]
    while waiting:
        for model in waiting.pop().__subclasses__():
            waiting.append(model)
            if model.__module__.startswith("shared.") and not model.__pydantic_generic_metadata__["args"]:
                found[model.__name__] = model
    return found
