"""Documents; their text, content and results: /api/documents."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes
from shared.web.text_routes import text_routes

PATH = "/api/documents"

main = http_function("documents", asset_routes(Kind.DOCUMENT, PATH), text_routes(Kind.DOCUMENT, PATH))
