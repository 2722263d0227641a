"""Firebase Auth (Identity Platform): who a token belongs to, and signing in for clients that have no Firebase SDK.

The Admin SDK is synchronous, so its calls go to a thread. Signing in is REST: the Admin SDK does not know passwords
(https://cloud.google.com/identity-platform/docs/use-rest-api).
"""

import asyncio
from functools import lru_cache
from typing import Any

import httpx
from cachetools import TTLCache
from google.auth.credentials import AnonymousCredentials

from shared import errors
from shared.models.identity import Tokens
from shared.settings import emulator, settings

TIMEOUT = 10.0
"""Seconds that one call may take."""
_VERIFIED_SECONDS = 30
"""How long a verified token need not be verified again; as long as the caller's record is cached."""

_verified: TTLCache[str, str] = TTLCache(maxsize=10_000, ttl=_VERIFIED_SECONDS)


async def user_of(token: str) -> str:
    """The user id in a valid ID token; Unauthenticated otherwise."""
    known = _verified.get(token)
    if known is not None:
        return known
    from firebase_admin import auth, exceptions  # imported on first use: 0.2 s that a start without sign-in saves

    try:
        claims = await asyncio.to_thread(auth.verify_id_token, token, app=_app(), clock_skew_seconds=5)
    except (auth.InvalidIdTokenError, ValueError) as error:
        raise errors.Unauthenticated("The access token is not valid or has expired.") from error
    except (auth.CertificateFetchError, exceptions.UnavailableError) as error:
        raise errors.Unavailable("Sign-in can't be checked right now.", retry_after=2) from error
    user_id = str(claims["uid"])
    _verified[token] = user_id
    return user_id


async def sign_in(email: str, password: str) -> Tokens:
    """Exchanges an e-mail and a password for tokens; InvalidCredentials when they don't belong together."""
    body = {"email": email, "password": password, "returnSecureToken": True}
    answer = await _post(_address("identitytoolkit.googleapis.com/v1/accounts:signInWithPassword"), json=body)
    if answer.is_client_error:
        raise errors.InvalidCredentials("The user name or the password is wrong.")
    found = _json(answer)
    return Tokens(
        access_token=found["idToken"], refresh_token=found["refreshToken"], expires_in=int(found["expiresIn"])
    )


async def refresh(refresh_token: str) -> Tokens:
    """Exchanges a refresh token for fresh tokens; Unauthenticated when it is not valid any more."""
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = await _post(_address("securetoken.googleapis.com/v1/token"), data=body)
    if answer.is_client_error:
        raise errors.Unauthenticated("The refresh token is not valid any more.")
    found = _json(answer)
    return Tokens(
        access_token=found["id_token"], refresh_token=found["refresh_token"], expires_in=int(found["expires_in"])
    )


async def create_user(user_id: str, email: str, password: str, *, verified: bool = False) -> None:
    """Makes the account under our own id; AlreadyExists when the e-mail has one."""
    from firebase_admin import auth

    try:
        await asyncio.to_thread(
            auth.create_user, uid=user_id, email=email, password=password, email_verified=verified, app=_app()
        )
    except auth.EmailAlreadyExistsError as error:
        raise errors.AlreadyExists("There is an account with this e-mail already.") from error
    except ValueError as error:
        raise errors.ValidationFailed(str(error)) from error


async def delete_user(user_id: str) -> None:
    """Removes the account; nothing happens when it is not there."""
    from firebase_admin import auth

    try:
        await asyncio.to_thread(auth.delete_user, user_id, app=_app())
    except auth.UserNotFoundError:
        return


@lru_cache
def _app() -> Any:
    import firebase_admin

    options = {"projectId": settings().google_cloud_project}
    local = emulator("FIREBASE_AUTH_EMULATOR_HOST")
    return firebase_admin.initialize_app(_Nobody() if local else None, options)


@lru_cache
def _http() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT)


async def _post(url: str, **body: Any) -> httpx.Response:
    try:
        return await _http().post(url, params={"key": settings().firebase_api_key}, **body)
    except httpx.TransportError as error:
        raise errors.Unavailable("Sign-in is not available right now.", retry_after=2) from error


def _json(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise errors.Unavailable("Sign-in is not available right now.", retry_after=2)
    found: dict[str, Any] = answer.json()
    return found


def _address(api: str) -> str:
    local = emulator("FIREBASE_AUTH_EMULATOR_HOST")
    return f"http://{local}/{api}" if local else f"https://{api}"


class _Nobody:
    """The credential of the emulator, which asks for none."""

    def get_credential(self) -> AnonymousCredentials:
        return AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth publishes no types here
