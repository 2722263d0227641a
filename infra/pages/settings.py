"""The page of settings, and the example of a file that sets them."""

import ast
import json
from functools import lru_cache
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from infra.calls import reached, text
from infra.catalog import Function, functions
from infra.described import fields_of
from infra.pages.markdown import WRITTEN, model_in, table, type_of
from shared.settings import EMULATOR_VARIABLES, Settings

_HEAD = """\
# Settings

Environment variables, read once and checked when an instance starts. Terraform sets them from `function.yaml` and its
variables, the local runner from its ports; secrets come from Secret Manager. Lists and `PRICES` are JSON.

"""
_EMULATORS = """
## Emulators

Set by the local cloud alone. A function that finds one of these on Cloud Run refuses to start, since the tokens of
emulators are unsigned.

"""


def page() -> str:
    """docs/settings.md."""
    rows = [_row(name, field) for name, field in Settings.model_fields.items()]
    parts = [WRITTEN, _HEAD, table(["variable", "type", "default", "what for", "read by"], rows)]
    for name, field in Settings.model_fields.items():
        model = model_in(field.annotation)
        if model is not None:
            meanings = fields_of(model)
            inner = [
                [f"`{one}`", type_of(info.annotation), _default(info), meanings.get(one, "")]
                for one, info in model.model_fields.items()
            ]
            parts += [f"\n## `{name.upper()}`\n\n", table(["key", "type", "default", "what for"], inner)]
    return "".join([*parts, _EMULATORS, *(f"- `{name}`\n" for name in EMULATOR_VARIABLES)])


def example() -> str:
    """.env.example: what has no default is to be set, the rest stands there with its default."""
    lines = ["# Written by `make pages`. What functions are told; docs/settings.md says who reads what.\n"]
    for name, field in Settings.model_fields.items():
        lines.append(f"\n# {field.description}\n")
        value = _plain(field)
        lines.append(f"{name.upper()}=\n" if field.is_required() else f"# {name.upper()}={value}\n")
    return "".join(lines)


def _row(name: str, field: FieldInfo) -> list[str]:
    return [f"`{name.upper()}`", type_of(field.annotation), _default(field), str(field.description), _readers(name)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    return f"`{_plain(field)}`" if _plain(field) else "unset"


def _plain(field: FieldInfo) -> str:
    default: Any = field.default
    if default in (None, PydanticUndefined, ()):
        return ""
    if model_in(field.annotation) is not None:
        return str(default.model_dump_json())
    return default if isinstance(default, str) else json.dumps(default)


def _readers(name: str) -> str:
    found = [one.name for one in functions() if name in read_by(one)]
    if len(found) == len(functions()):
        return "every function"
    return ", ".join(found) or "Terraform alone"


@lru_cache
def read_by(function: Function) -> frozenset[str]:
    """The settings that a function can read: those that stand, as `settings().NAME`, in what it can call."""
    return frozenset(
        one.attr
        for node in reached(function.folder / "main.py")
        for one in ast.walk(text(node))
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Call)
        and isinstance(one.value.func, ast.Name)
        and one.value.func.id == "settings"
    )
