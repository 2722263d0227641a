"""Rate limits of routes, told in the headers of the IETF draft (draft-ietf-httpapi-ratelimit-headers-10)."""

import asyncio
from typing import Any

from fastapi import Depends, Request

from shared import logs
from shared.services import rate_limits
from shared.services.rate_limits import Quota, Standing
from shared.web.caller import SignedIn

SIGN_IN = Quota("sign-in", 60, 60)
"""Proving who one is: by password, passkey, Google or a token out of a mail."""
REGISTER = Quota("register", 20, 3600)
MAIL = Quota("mail", 20, 3600)
"""Asking for a mail."""
SESSION = Quota("session", 600, 60)
"""Using a sign-in."""
SESSION_ACCOUNT = Quota("session-account", 300, 60)
INVITE = Quota("invite-account", 200, 3600)
"""Having mail sent to somebody else: an invitation, or a welcome."""


def per_address(quota: Quota) -> Any:
    """A dependency of a route: so often from one network address."""

    async def check(request: Request) -> None:
        standing = await rate_limits.take_for_address(quota, logs.bound("client_address"))
        _tell(request, standing)
        standing.require()

    return Depends(check)


def per_caller(quota: Quota, address: Quota = SESSION) -> Any:
    """A dependency of a route: so often by one account, and from one network address."""

    async def check(request: Request, caller: SignedIn) -> None:
        standings = await asyncio.gather(
            rate_limits.take_for_address(address, logs.bound("client_address")),
            rate_limits.take(quota, caller.user_id),
        )
        _tell(request, *standings)
        for standing in standings:
            standing.require()

    return Depends(check)


def _tell(request: Request, *standings: Standing) -> None:
    # On the request, since an error is answered with them too.
    request.state.headers = {
        "RateLimit-Policy": ", ".join(
            f'"{one.quota.name}";q={one.quota.limit};w={one.quota.window}' for one in standings
        ),
        "RateLimit": ", ".join(f'"{one.quota.name}";r={max(0, one.remaining)};t={one.resets_in}' for one in standings),
    }
