"""The reference of the API for people: OpenAPI, Swagger UI and ReDoc, all from here and nothing from elsewhere."""

import gzip
import hashlib
import html
from functools import lru_cache
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from shared import errors
from shared.errors import NotFound

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
    "favicon.png": "image/png",
}
"""Files of Swagger UI and ReDoc that a wheel brings."""
_STATIC = Path(fastapi_offline.__file__).with_name("static")
_SCRIPT = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null})\n'

# Both pages set styles of elements, and ReDoc searches in a worker that it makes itself; nothing else is allowed.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' "
    "data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="/docs/assets/favicon.png">
{head}
</head>
<body>
{body}
</body>
</html>
"""


def reference_routes(document: Path) -> APIRouter:
    """Serves this OpenAPI document, and the pages that show it."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    async def openapi(request: Request) -> Response:
        return _file(request, _content(document), "application/json", "no-cache")

    @router.get("/docs")
    async def swagger() -> Response:
        return _page(
            "Alta: try it",
            '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">',
            '<div id="page"></div>\n<script src="/docs/assets/swagger-ui-bundle.js"></script>\n'
            '<script src="/docs/start.js"></script>',
        )

    @router.get("/docs/start.js")
    async def start(request: Request) -> Response:
        return _file(request, _SCRIPT.encode(), "text/javascript", "no-cache")

    @router.get("/redoc")
    async def redoc() -> Response:
        body = '<redoc spec-url="/openapi.json" hide-loading></redoc>\n'
        return _page("Alta: reference", "", body + '<script src="/docs/assets/redoc.standalone.js"></script>')

    @router.get("/docs/errors")
    async def error_page() -> Response:
        return _page("Alta: errors", "", _errors())

    @router.get("/docs/assets/{name}")
    async def asset(request: Request, name: str) -> Response:
        if name not in _ASSETS:
            raise NotFound("There is nothing at this path.")
        content = _content(_STATIC / name)
        return _file(request, content, _ASSETS[name], "public, max-age=86400")

    return router


def _page(title: str, head: str, body: str) -> Response:
    page = _PAGE.format(title=title, head=head, body=body)
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"})


def _file(request: Request, content: bytes, media_type: str, cache: str) -> Response:
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    headers = {"ETag": tag, "Cache-Control": cache, "Vary": "Accept-Encoding"}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = _compressed(content), "gzip"
    return Response(content, media_type=media_type, headers=headers)


@lru_cache(maxsize=8)
def _content(file: Path) -> bytes:
    return file.read_bytes()


@lru_cache(maxsize=8)
def _compressed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _errors() -> str:
    entries = (
        f'<h2 id="{error.code}"><code>{error.code}</code> ({error.status})</h2>\n'
        f"<p>{html.escape((error.__doc__ or '').strip())}</p>\n<p>{html.escape(error.remedy)}</p>"
        for error in errors.catalogue()
    )
    return "<h1>Errors</h1>\n" + "\n".join(entries)
