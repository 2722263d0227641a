"""Voice recordings; their transcripts, content and results: /api/voice."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes
from shared.web.text_routes import text_routes

PATH = "/api/voice"

main = http_function("voice", asset_routes(Kind.VOICE, PATH), text_routes(Kind.VOICE, PATH))
