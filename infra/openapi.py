"""The reference of the whole API: what each function says of its routes, joined into one OpenAPI 3.1 document.

`python -m infra.openapi` writes it next to the function that serves it. A change that breaks clients is refused unless
`--breaking` says that it is meant, which wants a new first number in `shared/version.py`. `--check` writes nothing and
fails when the file is not what the routes say.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from infra import described
from infra.breaking import breaks
from infra.catalog import FUNCTIONS, Kind, functions
from infra.examples import example
from shared import errors
from shared.models.problems import Error, Problem
from shared.version import VERSION

REFERENCE = FUNCTIONS / "http" / "health" / "openapi.json"

Document = dict[str, Any]

DESCRIPTION = """\
Collects documents and voice recordings: files go straight to storage by signed URL, are read or transcribed, and are
reviewed by people.

**Signing in.** `POST /api/auth/login` gives an access token; send it as `Authorization: Bearer ...`.
**Lists** come in pages: give `next_page_token` back as `page_token`, with the same filters.
**Retries.** Any POST takes an `Idempotency-Key`: the same key and body are answered alike for 24 hours.
**Concurrency.** Answers carry an `ETag`; `If-Match` makes a change conditional, `If-None-Match` a read.
**Errors** have one envelope, or are `application/problem+json` for clients that accept it; see /docs/errors.
**Correlation.** `X-Request-ID` and `traceparent` are taken or made, and returned.
"""
_TITLES = {
    304: "NotModified",
    400: "BadRequest",
    401: "Unauthenticated",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    412: "PreconditionFailed",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "Unprocessable",
    429: "RateLimited",
    500: "Internal",
    503: "Unavailable",
}
SIGN_INS = frozenset({"login", "google", "refresh", "passkey_login"})
"""Operations that refuse credentials without taking a token."""
FILES = ("/content", "/result", "/files")
"""How paths end that say where files are: a read of them is refused as long as there are none."""
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Makes the request repeatable: 1 to 255 visible ASCII characters, new for every new request.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "7f0c2f4e-3b1d-4b8e-9a55-0d8f8f1f2c11",
}


_REQUEST_ID = {"X-Request-ID": {"schema": {"type": "string"}, "description": "Names the request in every log."}}
_ETAG = {"ETag": {"schema": {"type": "string"}, "description": "The version of what is answered."}}


def document() -> Document:
    """The whole reference, the same for the same routes."""
    joined: Document = {
        "openapi": "3.1.0",
        "info": {"title": "Alta", "version": VERSION, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": [],
        "paths": {},
        "components": {"schemas": {}, "responses": {}, "securitySchemes": {}},
    }
    for name, description, part in _parts():
        joined["tags"].append({"name": name, "description": description})
        _join(joined, part)
    _describe_errors(joined)
    schemas = joined["components"]["schemas"]
    names: set[str] = set()
    for path, method, operation in operations(joined):
        if operation["operationId"] in names:
            raise ValueError(f"two operations are named {operation['operationId']}")
        names.add(operation["operationId"])
        _complete(path, method, operation, schemas)
    _describe_fields(schemas)
    joined["components"]["schemas"] = dict(sorted(schemas.items()))
    return _renamed(joined)


def _parts() -> Iterator[tuple[str, str, Document]]:
    """Each function that answers clients, its description, and what its app says of it."""
    from shared.web.app import apps

    for function in functions():
        if function.kind is Kind.HTTP and (function.folder / "main.py").is_file():
            importlib.import_module(f"functions.http.{function.name}.main")
            yield function.name, function.description, apps[function.name].openapi()


def _join(joined: Document, part: Document) -> None:
    for path, methods in part["paths"].items():
        if path in joined["paths"]:
            raise ValueError(f"{path} is described by two functions")
        joined["paths"][path] = methods
    for name, schema in part.get("components", {}).get("schemas", {}).items():
        if joined["components"]["schemas"].setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are named {name}")
    for name, scheme in part.get("components", {}).get("securitySchemes", {}).items():
        joined["components"]["securitySchemes"][name] = scheme
    for unused in ("HTTPValidationError", "ValidationError"):
        joined["components"]["schemas"].pop(unused, None)


def operations(whole: Mapping[str, Any]) -> Iterator[tuple[str, str, Document]]:
    """Path, method and description of every operation."""
    for path, methods in whole["paths"].items():
        for method in _METHODS:
            if method in methods:
                yield path, method, methods[method]


# --- errors


def _describe_errors(joined: Document) -> None:
    schemas = joined["components"]["schemas"]
    for model in (Error, Problem):
        described_by = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= described_by.pop("$defs", {})
        schemas[model.__name__] = described_by
    by_status: dict[int, list[type[errors.AltaError]]] = {}
    for error in errors.catalogue():
        by_status.setdefault(error.status, []).append(error)
    joined["components"]["responses"] = {
        _TITLES[status]: _error_response(some) for status, some in by_status.items() if status in _TITLES
    }
    joined["components"]["responses"]["NotModified"] = {"description": "The client's copy is current."}


def _error_response(some: list[type[errors.AltaError]]) -> Document:
    lines = [f"`{error.code}`: {(error.__doc__ or '').strip().splitlines()[0]}" for error in some]
    examples = {
        error.code: {
            "value": {
                "error": {
                    "type": error.__name__,
                    "message": (error.__doc__ or "").strip().splitlines()[0],
                    "code": error.code,
                    "requestId": "req_0b1c2d3e4f5a6b7c8d9e0f1a",
                    "details": None,
                }
            }
        }
        for error in some
    }
    problems = {name: {"value": _as_problem(one["value"]["error"], some[0].status)} for name, one in examples.items()}
    envelope = {"schema": {"$ref": "#/components/schemas/Error"}, "examples": examples}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": problems}
    return {
        "description": "\n\n".join(lines),
        "content": {"application/json": envelope, "application/problem+json": problem},
    }


def _as_problem(error: Document, status: int) -> Document:
    """The same error as RFC 9457 has it."""
    return {
        "type": f"/docs/errors#{error['code']}",
        "title": error["code"].replace("_", " ").capitalize(),
        "status": status,
        "detail": error["message"],
        **{name: error[name] for name in ("code", "requestId", "details")},
    }


def _statuses(path: str, method: str, operation: Mapping[str, Any]) -> list[int]:
    """The errors that an operation may answer with."""
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    takes_body = "requestBody" in operation
    found = {400, 429, 500, 503}
    found |= {401, 403} if operation.get("security") or operation["operationId"] in SIGN_INS else set()
    found |= {404} if "{" in path or takes_body or any(name.endswith("_id") for name in names) else set()
    found |= {409} if method != "get" or path.endswith(FILES) else set()
    found |= {412} if "If-Match" in names else set()
    found |= {304} if "If-None-Match" in names else set()
    found |= {413} if takes_body else set()
    found |= {415} if operation["operationId"] in ("create_document", "create_voice", "create_file") else set()
    found |= {422} if takes_body or names else set()
    return sorted(found)


# --- operations


def _complete(path: str, method: str, operation: Document, schemas: Mapping[str, Any]) -> None:
    """Adds what the routes need not say: conditional headers where they count, keys, errors, examples."""
    is_tagged = any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ()))
    operation["parameters"] = [
        _plain(parameter) for parameter in operation.get("parameters", ()) if _counts(parameter["name"], path, method)
    ]
    if method == "post":
        operation["parameters"].append(_KEY_PARAMETER)
    responses = operation["responses"]
    responses.pop("422", None)
    for media in _media(operation):
        media.setdefault("example", example(media["schema"], schemas))
    for parameter in operation["parameters"]:
        parameter.setdefault("example", example(parameter["schema"], schemas, parameter["name"]))
    for response in responses.values():
        response["headers"] = {**_REQUEST_ID, **(_ETAG if is_tagged else {})}
    for status in _statuses(path, method, operation):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/{_TITLES[status]}"})
    operation["responses"] = dict(sorted(responses.items()))


def _counts(parameter: str, path: str, method: str) -> bool:
    if parameter == "If-None-Match":
        return method == "get"
    return parameter != "If-Match" or (method != "get" and "{" in path)


def _plain(parameter: Document) -> Document:
    """A parameter that is not sent is not null either."""
    schema = parameter["schema"]
    variants = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(variants) == 1:
        schema = {key: value for key, value in schema.items() if key != "anyOf"} | variants[0]
    return {**parameter, "schema": schema}


def _media(operation: Mapping[str, Any]) -> Iterator[Document]:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        yield from (media for media in body.get("content", {}).values() if "schema" in media)


def _describe_fields(schemas: Mapping[str, Any]) -> None:
    known = described.models()
    for name, schema in schemas.items():
        if name in known:
            for field, text in described.fields_of(known[name]).items():
                if field in schema.get("properties", {}):
                    schema["properties"][field].setdefault("description", text)


def _renamed(joined: Document) -> Document:
    """Names that people and generated clients can read: `ProjectViewPage`, not `Page_ProjectView_`; `bearer`."""
    text = json.dumps(joined)
    for name in joined["components"]["schemas"]:
        if name.startswith("Page_"):
            text = text.replace(f'"{name}"', f'"{name[5:-1]}Page"').replace(f'/{name}"', f'/{name[5:-1]}Page"')
    renamed: Document = json.loads(text.replace('"HTTPBearer"', '"bearer"'))
    return renamed


def text(whole: Document) -> str:
    """The document as it is committed."""
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    """The command line; 1 when something is to be done first."""
    parser = argparse.ArgumentParser(prog="python -m infra.openapi", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is out of date")
    parser.add_argument("--breaking", action="store_true", help="write although clients break")
    given = parser.parse_args()
    new = document()
    before = REFERENCE.read_text() if REFERENCE.is_file() else text(new)
    broken = breaks(json.loads(before), new)
    for one in broken:
        sys.stdout.write(f"breaks clients: {one}\n")
    if given.check:
        if text(new) != before or not REFERENCE.is_file():
            sys.stdout.write("out of date: run `make openapi`\n")
        return int(text(new) != before or not REFERENCE.is_file())
    if broken and not given.breaking:
        return 1
    REFERENCE.write_text(text(new))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
