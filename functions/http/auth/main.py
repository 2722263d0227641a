"""Registration, sign-in, tokens, passkeys and the caller's own account: /api/auth."""

from shared.models.identity import (
    Accepted,
    Credentials,
    EmailRequest,
    GoogleLink,
    GoogleSignIn,
    MeChange,
    PasswordChange,
    RefreshRequest,
    Registration,
    TokenRequest,
    Tokens,
    UserView,
)
from shared.models.passkeys import PasskeyChange, PasskeyCredential, PasskeyOptions, PasskeyProof, PasskeyView
from shared.services import accounts, passkeys, users
from shared.web import landing
from shared.web.app import http_function, router_at
from shared.web.caller import Bearer, SignedIn
from shared.web.etags import Conditional
from shared.web.paging import Page, Paged, newest_first
from shared.web.rate_limits import MAIL, REGISTER, SESSION, SESSION_ACCOUNT, SIGN_IN, per_address, per_caller

from fastapi import Response
from fastapi.responses import HTMLResponse

router = router_at("/api/auth")


# --- registering, and what letters lead to


@router.post("/register", status_code=202, dependencies=[per_address(REGISTER)])
async def register(asked: Registration) -> Accepted:
    """Founds a company, or joins by invitation. The answer is the same whether or not the address is registered."""
    return await accounts.register(asked)


@router.post("/resend-verification", status_code=202, dependencies=[per_address(MAIL)])
async def resend_verification(asked: EmailRequest) -> Accepted:
    """Sends the verification letter again, if the address waits for it."""
    return await accounts.ask_for_verification(asked.email)


@router.post("/verify-email", status_code=204, dependencies=[per_address(SIGN_IN)])
async def verify_email(asked: TokenRequest) -> Response:
    """Verifies the address that the token was mailed to."""
    await accounts.verify_email(asked.token)
    return Response(status_code=204)


@router.post("/password-reset", status_code=202, dependencies=[per_address(MAIL)])
async def ask_for_password_reset(asked: EmailRequest) -> Accepted:
    """Sends a letter that leads to a new password, if the address has an account."""
    return await accounts.ask_for_password_reset(asked.email)


@router.post("/password-reset/confirm", status_code=204, dependencies=[per_address(SIGN_IN)])
async def reset_password(asked: PasswordChange) -> Response:
    """Sets the password with the token out of the letter, and ends every sign-in."""
    await accounts.reset_password(asked)
    return Response(status_code=204)


@router.get("/verify-email", response_class=HTMLResponse, dependencies=[per_address(SESSION)])
async def verification_page() -> HTMLResponse:
    """The page that the verification letter leads to."""
    return landing.verification()


@router.get("/password-reset", response_class=HTMLResponse, dependencies=[per_address(SESSION)])
async def password_page() -> HTMLResponse:
    """The page that the reset and welcome letters lead to."""
    return landing.password()


@router.get("/invitation", response_class=HTMLResponse, dependencies=[per_address(SESSION)])
async def invitation_page() -> HTMLResponse:
    """The page that an invitation leads to."""
    return landing.invitation()


# --- signing in and out


@router.post("/login", dependencies=[per_address(SIGN_IN)])
async def login(credentials: Credentials) -> Tokens:
    """Signs in with a user name or an e-mail."""
    return await accounts.login(credentials)


@router.post("/google", dependencies=[per_address(SIGN_IN)])
async def google(asked: GoogleSignIn) -> Tokens:
    """Signs in with a Google ID token, or registers whoever it belongs to."""
    return await accounts.sign_in_with_google(asked)


@router.post("/google/link", dependencies=[per_caller(SESSION_ACCOUNT, SIGN_IN)])
async def link_google(caller: SignedIn, bearer: Bearer, asked: GoogleLink) -> Tokens:
    """Lets a Google account sign in as the caller."""
    return await accounts.link_google(caller, bearer, asked.id_token)


@router.post("/refresh", dependencies=[per_address(SESSION)])
async def refresh(asked: RefreshRequest) -> Tokens:
    """Exchanges a refresh token for fresh tokens."""
    return await accounts.refresh(asked.refresh_token)


@router.post("/logout", status_code=204, dependencies=[per_caller(SESSION_ACCOUNT)])
async def logout(caller: SignedIn) -> Response:
    """Ends every sign-in of the caller, on every device."""
    await accounts.logout(caller)
    return Response(status_code=204)


# --- one's own account


@router.get("/me", dependencies=[per_caller(SESSION_ACCOUNT)])
async def me(caller: SignedIn, etag: Conditional) -> UserView:
    """The caller's own account."""
    user = await accounts.me(caller)
    etag.answer(user.version)
    return users.view(user)


@router.patch("/me", dependencies=[per_caller(SESSION_ACCOUNT)])
async def change_me(caller: SignedIn, asked: MeChange, etag: Conditional) -> UserView:
    """Changes the caller's name, user name or password; a new password ends every sign-in."""
    user = await accounts.change_me(caller, asked, etag.expected)
    etag.answer(user.version)
    return users.view(user)


# --- passkeys


@router.post("/passkeys/register", dependencies=[per_caller(SESSION_ACCOUNT)])
async def begin_passkey_registration(caller: SignedIn) -> PasskeyOptions:
    """What the browser needs to make a passkey; good for one use and 5 minutes."""
    return await passkeys.begin_registration(caller)


@router.post("/passkeys/register/verify", status_code=201, dependencies=[per_caller(SESSION_ACCOUNT)])
async def register_passkey(caller: SignedIn, asked: PasskeyCredential) -> PasskeyView:
    """Keeps the passkey that the browser made."""
    return passkeys.view(await passkeys.register(caller, asked))


@router.post("/passkeys/login", dependencies=[per_address(SIGN_IN)])
async def begin_passkey_login() -> PasskeyOptions:
    """What the browser needs to sign in with a passkey; good for one use and 5 minutes."""
    return await passkeys.begin_login()


@router.post("/passkeys/login/verify", dependencies=[per_address(SIGN_IN)])
async def passkey_login(asked: PasskeyProof) -> Tokens:
    """Signs in the owner of a passkey."""
    return await passkeys.login(asked.credential)


@router.get("/passkeys", dependencies=[per_caller(SESSION_ACCOUNT)])
async def list_passkeys(caller: SignedIn, paging: Paged) -> Page[PasskeyView]:
    """The caller's passkeys, newest first."""
    found = await passkeys.page(caller, paging.size, paging.after)
    return paging.page(found, passkeys.view, newest_first)


@router.patch("/passkeys/{passkey_id}", dependencies=[per_caller(SESSION_ACCOUNT)])
async def rename_passkey(caller: SignedIn, passkey_id: str, asked: PasskeyChange) -> PasskeyView:
    """Gives one of the caller's passkeys another name."""
    return passkeys.view(await passkeys.rename(caller, passkey_id, asked.name))


@router.delete("/passkeys/{passkey_id}", status_code=204, dependencies=[per_caller(SESSION_ACCOUNT)])
async def remove_passkey(caller: SignedIn, passkey_id: str) -> Response:
    """Makes one of the caller's passkeys useless, for good."""
    await passkeys.remove(caller, passkey_id)
    return Response(status_code=204)


main = http_function("auth", router)
