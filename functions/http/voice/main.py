"""Voice recordings; their transcripts, content and results: /api/voice."""

from shared.models.assets import Kind
from shared.web.app import http_function
from shared.web.asset_routes import asset_routes

router = asset_routes(Kind.VOICE, "/api/voice")

main = http_function("voice", router)
