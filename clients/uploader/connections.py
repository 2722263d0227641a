"""HTTP connections: through the proxy that the environment names, but never when the server is this machine itself."""

import httpx

from clients.uploader.errors import UnusableProxy

# httpx would ask the proxy for these as well, unless NO_PROXY names them: a password for this machine would leave it.
_WITHOUT_PROXY = {"all://127.0.0.1": None, "all://[::1]": None, "all://*localhost": None}
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
"""Those of httpx itself."""


def is_this_machine(host: str) -> bool:
    """Whether what is sent to this host stays on this machine."""
    return host in ("127.0.0.1", "::1", "localhost") or host.endswith(".localhost")


def open_client(*, timeout: httpx.Timeout, base_url: str = "", limits: httpx.Limits = _LIMITS) -> httpx.AsyncClient:
    """A client for the platform or the storage; raises `UnusableProxy` when the environment names what is none."""
    try:
        return httpx.AsyncClient(base_url=base_url, timeout=timeout, limits=limits, mounts=_WITHOUT_PROXY)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        raise UnusableProxy(f"The proxy that the environment names can't be used: {error}") from error
