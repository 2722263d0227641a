"""Voice recordings; their transcripts, content and results: /api/voice."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes
from shared.web.label_routes import label_routes
from shared.web.recognition_routes import recognition_routes
from shared.web.text_routes import text_routes

ROUTES = (asset_routes, recognition_routes, text_routes, label_routes)

main = http_function("voice", *(routes(Kind.VOICE, "/api/voice") for routes in ROUTES))
