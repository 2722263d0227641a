"""What a browser and the proxies in front are told and asked: hosts, origins, and the client's address."""

import ipaddress

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Scope

from shared.errors import UnknownHost
from shared.settings import settings

EXPOSED = (
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "traceparent",
    "Idempotency-Replayed",
)
"""Headers of an answer that a page of another origin may read."""
PREFLIGHT_SECONDS = 600
"""How long a browser may remember what a preflight was answered."""


def with_cors(app: ASGIApp) -> ASGIApp:
    """Answers the preflights of the origins in the settings, and lets their pages read answers.

    There are no cookies, so credentials are never allowed: a page shows who it is by the token that it sends.
    """
    return CORSMiddleware(
        app,
        allow_origins=settings().cors_origins,
        allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=("*",),
        expose_headers=EXPOSED,
        max_age=PREFLIGHT_SECONDS,
    )


def require_known_host(headers: Headers) -> None:
    """Raises UnknownHost when the `Host` is not one of the settings, so that no link is ever made of a foreign one."""
    allowed = settings().allowed_hosts
    host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
    if "*" not in allowed and host.lower() not in allowed:
        raise UnknownHost("This host is not served here.")


def client_address(scope: Scope) -> str:
    """The network address of the client.

    Each proxy appends the address it was called from to X-Forwarded-For, so what the proxies in front of us did not
    append themselves is only what the client says, and is not believed.
    """
    proxies = settings().trusted_proxies
    forwarded = [one.strip() for one in Headers(scope=scope).get("x-forwarded-for", "").split(",")]
    if proxies and len(forwarded) >= proxies:
        try:
            return str(ipaddress.ip_address(forwarded[-proxies]))
        except ValueError:
            pass
    client = scope.get("client")
    return str(client[0]) if client else ""
