"""Plain files, which are kept as they come: /api/files."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes

main = http_function("files", asset_routes(Kind.FILE, "/api/files"))
