"""HTTP clients of servers on this machine, without a proxy and without certificates, which take 35 ms to load."""

from collections.abc import Mapping

import httpx

PATIENCE = 60.0
"""Seconds that an answer may take."""


def client(url: str = "", *, timeout: float = PATIENCE, headers: Mapping[str, str] | None = None) -> httpx.AsyncClient:
    """A client of the server at `url`; without it, of any."""
    return httpx.AsyncClient(base_url=url, timeout=timeout, headers=headers, trust_env=False, verify=False)


def blocking(url: str = "", *, timeout: float = PATIENCE, headers: Mapping[str, str] | None = None) -> httpx.Client:
    """As `client`, for code without an event loop."""
    return httpx.Client(base_url=url, timeout=timeout, headers=headers, trust_env=False, verify=False)
