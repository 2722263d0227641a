"""Documents; their text, content and results: /api/documents."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes

router = asset_routes(Kind.DOCUMENT, "/api/documents")

main = http_function("documents", router)
