"""What breaks clients: a new description of the API compared with the one before.

An answer may gain fields, a request may gain optional ones; nothing may go, change its type, or be demanded anew.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Document = Mapping[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_DEEPEST = 12
"""Levels of nesting that are compared; schemas may contain themselves."""
_TIGHTER = {"minLength": 1, "minimum": 1, "minItems": 1, "maxLength": -1, "maximum": -1, "maxItems": -1}
"""Bounds of a request; the sign says in which direction they tighten."""


def breaks(before: Document, after: Document) -> list[str]:
    """One sentence for each thing that would break a client of `before`."""
    return [*_operations(before, after)]


def _operations(before: Document, after: Document) -> Iterator[str]:
    for path, methods in before["paths"].items():
        for method in _METHODS & set(methods):
            name = f"{method.upper()} {path}"
            there = after["paths"].get(path, {}).get(method)
            if there is None:
                yield f"{name} is gone"
                continue
            was = methods[method]
            if was["operationId"] != there["operationId"]:
                yield f"{name} is called {there['operationId']}, not {was['operationId']}"
            comparison = _Comparison(name, before, after)
            yield from comparison.parameters(was, there)
            yield from comparison.request(was, there)
            yield from comparison.answers(was, there)


class _Comparison:
    """Two descriptions of one operation."""

    def __init__(self, name: str, before: Document, after: Document) -> None:
        self._name = name
        self._before = before
        self._after = after

    def parameters(self, was: Schema, there: Schema) -> Iterator[str]:
        known = {(one["in"], one["name"]): one for one in was.get("parameters", ())}
        now = {(one["in"], one["name"]): one for one in there.get("parameters", ())}
        for key, one in known.items():
            if key not in now:
                yield f"{self._name}: parameter {key[1]} is gone"
            else:
                yield from self._compare(f"parameter {key[1]}", one["schema"], now[key]["schema"], asked=True)
        for key, one in now.items():
            if one.get("required") and not known.get(key, {}).get("required"):
                yield f"{self._name}: parameter {key[1]} is demanded"

    def request(self, was: Schema, there: Schema) -> Iterator[str]:
        old, new = _json(was.get("requestBody")), _json(there.get("requestBody"))
        if new is not None and old is None:
            yield f"{self._name}: a body is demanded"
        elif old is not None and new is None:
            yield f"{self._name}: takes no body any more"
        elif old is not None and new is not None:
            yield from self._compare("request", old, new, asked=True)

    def answers(self, was: Schema, there: Schema) -> Iterator[str]:
        for status, answer in was["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in there["responses"]:
                yield f"{self._name}: does not answer {status} any more"
                continue
            old, new = _json(answer), _json(there["responses"][status])
            if old is not None:
                yield from self._compare(f"answer {status}", old, new or {}, asked=False)

    def _compare(self, place: str, was: Schema, there: Schema, *, asked: bool, depth: int = 0) -> Iterator[str]:
        where = f"{self._name}: {place}"
        known, now = _types(was, self._before), _types(there, self._after)
        if asked and known - now:
            yield f"{where} does not take {', '.join(sorted(known - now))} any more"
        if not asked and now - known:
            yield f"{where} may be {', '.join(sorted(now - known))}"
        old, new = _resolved(was, self._before), _resolved(there, self._after)
        yield from _values(where, old, new, asked=asked)
        if depth < _DEEPEST:
            yield from self._fields(place, old, new, asked=asked, depth=depth)
            if "items" in old and "items" in new:
                yield from self._compare(f"{place}[]", old["items"], new["items"], asked=asked, depth=depth + 1)

    def _fields(self, place: str, old: Schema, new: Schema, *, asked: bool, depth: int) -> Iterator[str]:
        known, now = old.get("properties", {}), new.get("properties", {})
        for field, schema in known.items():
            if field not in now:
                yield f"{self._name}: {place}.{field} is gone"
            else:
                yield from self._compare(f"{place}.{field}", schema, now[field], asked=asked, depth=depth + 1)
        if asked:
            for field in set(new.get("required", ())) - set(old.get("required", ())):
                yield f"{self._name}: {place}.{field} is demanded"
        else:
            for field in set(old.get("required", ())) & set(now) - set(new.get("required", ())):
                yield f"{self._name}: {place}.{field} may be missing"


def _json(body: Schema | None) -> Schema | None:
    schema: Schema | None = (body or {}).get("content", {}).get("application/json", {}).get("schema")
    return schema


def _resolved(schema: Schema, whole: Document) -> Schema:
    """The schema behind a reference; of several variants the one that is not null."""
    while "$ref" in schema:
        schema = whole["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    variants = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    return _resolved(variants[0], whole) if len(variants) == 1 else schema


def _types(schema: Schema, whole: Document) -> set[str]:
    """The JSON types that a schema allows; empty when it says nothing."""
    if "$ref" in schema:
        return _types(_resolved(schema, whole), whole)
    if "anyOf" in schema:
        return set().union(*(_types(one, whole) for one in schema["anyOf"]))
    if schema.get("type") == "number":
        return {"number", "integer"}
    return {schema["type"]} if "type" in schema else set()


def _values(where: str, old: Schema, new: Schema, *, asked: bool) -> Iterator[str]:
    """Closed lists of values, and bounds."""
    was, there = set(old.get("enum", ())), set(new.get("enum", ()))
    if asked and there and (was - there or not was):
        yield f"{where} takes fewer values"
    if not asked and was and there - was:
        yield f"{where} may be {', '.join(sorted(map(str, there - was)))}"
    if asked:
        for bound, sign in _TIGHTER.items():
            if bound in new and (bound not in old or sign * (new[bound] - old[bound]) > 0):
                yield f"{where} has a tighter {bound}"
        if "pattern" in new and new["pattern"] != old.get("pattern"):
            yield f"{where} has another pattern"
