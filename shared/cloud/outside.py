"""Requests to addresses that users chose: only to public ones, and to the very address that was looked at.

A name is resolved here, every address it has is checked, and the connection goes to the checked address: a name that
means something else a moment later (DNS rebinding) means nothing. No redirect is followed, no proxy is used
(https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html).
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import httpx

from shared.settings import settings

TIMEOUT = 15.0
"""Seconds that a receiver has to answer, the connection included."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PROTOCOLS = ipaddress.ip_network("192.0.0.0/24")
"""Of RFC 6890, and in it a metadata address; Python before 3.11.10 took most of it for public."""


class AddressRefused(Exception):
    """The address is not one that we send to; the message says why."""


@dataclass(frozen=True)
class Reply:
    """What came back; the body of an answer is not read. `milliseconds`: how long it took."""

    status: int | None
    error: str | None
    milliseconds: int


async def checked(url: str) -> Address:
    """An address of the host that may be sent to; raises AddressRefused for a host that has any other."""
    asked = httpx.URL(url)
    if asked.userinfo:
        raise AddressRefused("The address carries a password.")
    try:
        async with asyncio.timeout(TIMEOUT):
            port = asked.port or (443 if asked.scheme == "https" else 80)
            found = await asyncio.get_running_loop().getaddrinfo(asked.host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, TimeoutError):
        raise AddressRefused("The host is not known.") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    local = settings().webhook_loopback and all(address.is_loopback for address in addresses)
    if not local and not all(map(is_public, addresses)):
        raise AddressRefused("The host is not on the public internet.")
    if not local and asked.scheme != "https":
        raise AddressRefused("The address does not begin with https://.")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Whether the address belongs to somebody on the internet: no private, loopback, link-local or metadata address,
    none that carries such a one inside it."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.sixtofour is not None or address.teredo is not None or address in _NAT64 or address.is_site_local:
            return False
    elif address in _PROTOCOLS:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """Sends a body; whatever goes wrong is in the reply."""
    began = time.monotonic()

    def reply(status: int | None, error: str | None = None) -> Reply:
        return Reply(status, error, round((time.monotonic() - began) * 1000))

    asked = httpx.URL(url)
    try:
        address = await checked(url)
        target = asked.copy_with(host=str(address))
        sent = {**headers, "Host": asked.netloc.decode()}
        async with asyncio.timeout(TIMEOUT):
            extensions = {"sni_hostname": asked.host}  # the certificate is that of the name
            async with _client().stream("POST", target, headers=sent, content=body, extensions=extensions) as answer:
                return reply(answer.status_code)
    except AddressRefused as error:
        return reply(None, str(error))
    except TimeoutError:
        return reply(None, f"There was no answer within {TIMEOUT:.0f} s.")
    except httpx.HTTPError as error:
        return reply(None, f"The request failed: {type(error).__name__}.")


@lru_cache
def _client() -> httpx.AsyncClient:
    # A connection is to an address, not to a name, so none is kept for the next request.
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(timeout=TIMEOUT, limits=limits, follow_redirects=False, trust_env=False)
