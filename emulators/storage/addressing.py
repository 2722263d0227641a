"""Which bucket and object an XML request means: by path, by virtual host, or by a host bound to the bucket.

https://cloud.google.com/storage/docs/request-endpoints
"""

from collections.abc import Container
from dataclasses import dataclass
from urllib.parse import unquote

ENDPOINTS = ("storage.googleapis.com", "localhost", "127.0.0.1")
"""Hosts that name no bucket; `BUCKET.` before one of them does."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bucket, and the name of an object in it; "" means the bucket itself, or the service when that is empty too."""

    bucket: str
    name: str


def resolve(host: str, path: str, buckets: Container[str]) -> Target:
    """From the Host header and the path as sent (percent-encoded)."""
    name = host.partition(":")[0].lower()
    for endpoint in ENDPOINTS:
        if name.endswith(f".{endpoint}"):
            return Target(name.removesuffix(f".{endpoint}"), unquote(path.removeprefix("/")))
    if name not in ENDPOINTS and name in buckets:
        return Target(name, unquote(path.removeprefix("/")))
    bucket, _, rest = path.removeprefix("/").partition("/")
    return Target(unquote(bucket), unquote(rest))
