"""The caller of a request, for routes: `caller: SignedIn`."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared import errors, logs
from shared.models.identity import Caller
from shared.services import callers

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="The access token of /api/auth/login.")


async def signed_in(bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    """The caller, from the bearer token."""
    if bearer is None:
        raise errors.Unauthenticated("Sign in first: there is no bearer token.")
    caller = await callers.caller(bearer.credentials)
    logs.bind(logs.correlation(), user_id=caller.user_id, company_id=caller.company_id or "")
    return caller


def _token(bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> str:
    return bearer.credentials if bearer else ""


Bearer = Annotated[str, Depends(_token)]
"""The bearer token itself, beside `SignedIn`, which checks it."""
SignedIn = Annotated[Caller, Depends(signed_in)]
