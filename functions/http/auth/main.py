"""Registration, sign-in, tokens and the caller's own account: /api/auth."""

from fastapi import APIRouter, Response

from shared.models.identity import Accepted, Credentials, RefreshRequest, Registration, Tokens, UserView
from shared.services import accounts
from shared.web.app import http_function
from shared.web.caller import SignedIn

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/register", status_code=202)
async def register(asked: Registration) -> Accepted:
    """Founds a company, or joins by invitation. The answer is the same whether or not the address is registered."""
    return await accounts.register(asked)


@router.post("/login")
async def login(credentials: Credentials) -> Tokens:
    """Signs in with a user name or an e-mail."""
    return await accounts.login(credentials)


@router.post("/refresh")
async def refresh(asked: RefreshRequest) -> Tokens:
    """Exchanges a refresh token for fresh tokens."""
    return await accounts.refresh(asked.refresh_token)


@router.post("/logout", status_code=204)
async def logout(caller: SignedIn) -> Response:
    """Ends every sign-in of the caller, on every device."""
    await accounts.logout(caller)
    return Response(status_code=204)


@router.get("/me")
async def me(caller: SignedIn) -> UserView:
    """The caller's own account."""
    return accounts.view(await accounts.me(caller))


main = http_function("auth", router)
