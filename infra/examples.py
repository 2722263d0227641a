"""An example for every request and answer of the reference, made from its schema: always there and always valid."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_NAME: dict[str, Any] = {
    "If-Match": '"63f9a1c2b8d40"',
    "If-None-Match": '"63f9a1c2b8d40"',
    "page_token": "mB1yq0T4...",
    "deleted_at": None,
    "suspended_at": None,
    "details": None,
    "error": None,
    "failure": None,
    "name": "River survey",
    "path": "2026/monday/letter.pdf",
    "description": "Letters and readings from the upper river.",
    "email": "ada@example.org",
    "admin_email": "ada@example.org",
    "admin_name": "Ada Lovelace",
    "company_name": "Analytical Engines",
    "username": "ada",
    "password": "correct horse battery",
    "current_password": "correct horse battery",
    "content_type": "application/pdf",
    "size": 48213,
    "crc32c": "yZRlqg==",
    "md5": "CY9rzUYh03PK3k6DJie09g==",
    "language": "en",
    "languages": ["en", "de"],
    "confidence": 0.97,
    "text": "Dear Sir, the river rose again on Monday.",
    "excerpt": "Dear Sir, the river rose again on Monday.",
    "comment": "The second line is cut off.",
    "starts_on": "2026-03-01",
    "ends_on": "2026-05-31",
    "access_token": "eyJhbGciOiJSUzI1NiJ9...",
    "refresh_token": "AMf-vBx...",
    "id_token": "eyJhbGciOiJSUzI1NiJ9...",
    "token": "q1Zt0vY2m8...",
    "url": "https://storage.googleapis.com/alta/documents/...",
    "method": "PUT",
    "protocol": "put",
    "status": "alive",
    "next_page_token": "mB1yq0T4...",
    "expires_in": 3600,
    "percent": 62.5,
    "bytes_per_second": 1250000.0,
    "seconds_left": 12.4,
    "object_name": "documents/cmp_.../prj_.../ast_...",
    "request_id": "req_0b1c2d3e4f5a6b7c8d9e0f1a",
    "address": "203.0.113.7",
    "action": "project.created",
}
_ID = "4fj2kq7m5xw3na6bzt8vc2de"
_PREFIXES = {
    "assetitem": "ast",
    "assetview": "ast",
    "createdasset": "ast",
    "projectview": "prj",
    "cycleview": "cyc",
    "sessionview": "ses",
    "userview": "usr",
    "companyview": "cmp",
    "invitationview": "inv",
    "auditview": "aud",
    "passkeyview": "pk",
    "project": "prj",
    "cycle": "cyc",
    "session": "ses",
    "job": "ses",
    "asset": "ast",
    "document": "ast",
    "user": "usr",
    "created_by": "usr",
    "uploader": "usr",
    "actor": "usr",
    "invited_by": "usr",
    "decided_by": "usr",
    "company": "cmp",
}
_MOMENT = "2026-03-02T09:30:00.000Z"
_DEEPEST = 8


def example(schema: Schema, schemas: Mapping[str, Schema], name: str = "", depth: int = 0) -> Any:
    """A value that the schema allows; `name` is that of the field it stands in."""
    if name in _BY_NAME and _BY_NAME[name] is None:
        return None
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, depth)
    if schema.get("examples"):
        return schema["examples"][0]
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if "anyOf" in schema or "oneOf" in schema:
        return example((schema.get("anyOf") or schema["oneOf"])[0], schemas, name, depth)
    if schema.get("type") in ("object", "array"):
        return _nested(schema, schemas, name, depth)
    return _value(schema, name)


def _nested(schema: Schema, schemas: Mapping[str, Schema], name: str, depth: int) -> Any:
    if name in _BY_NAME and isinstance(_BY_NAME[name], list):
        return _BY_NAME[name]
    if depth > _DEEPEST:
        return [] if schema["type"] == "array" else {}
    if schema["type"] == "array":
        one = name.removesuffix("s")
        return [example(schema.get("items", {}), schemas, one if _BY_NAME.get(one, one) else "", depth + 1)]
    owner = schema.get("title", "").lower()
    return {
        field: example(inner, schemas, f"{owner}_id" if field == "id" else field, depth + 1)
        for field, inner in schema.get("properties", {}).items()
    }


def _value(schema: Schema, name: str) -> Any:
    if schema.get("format") == "date-time" or name.endswith("_at"):
        return _MOMENT
    if name in _BY_NAME:
        return _BY_NAME[name]
    stem = name.removesuffix("_id")
    if stem in _PREFIXES or stem != name:
        return f"{_PREFIXES.get(stem, stem[:3])}_{_ID}"
    least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    by_type: dict[str, Any] = {
        "integer": max(3, int(least)),
        "number": min(1.5, schema.get("maximum", 1.5)),
        "boolean": True,
        "null": None,
    }
    return by_type.get(schema.get("type", "string"), "text")
