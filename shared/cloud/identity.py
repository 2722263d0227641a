"""Firebase Auth (Identity Platform): who a token belongs to, accounts, and signing in without a Firebase SDK.

The Admin SDK is synchronous, so its calls go to a thread. Signing in is REST: the Admin SDK does not know passwords
(https://cloud.google.com/identity-platform/docs/use-rest-api).
"""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from cachetools import TTLCache

from shared import errors
from shared.models.identity import Tokens
from shared.settings import emulator, settings

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TIMEOUT = 10.0
"""Seconds that one call may take."""
_VERIFIED_SECONDS = 30
"""How long a verified token need not be verified again; as long as the caller's record is cached."""
_AWAY = "Sign-in is not available right now."


@dataclass(frozen=True)
class IdToken:
    """What a valid ID token says: whose it is, and when they proved it. `expires` is in seconds of Unix time."""

    user_id: str
    signed_in_at: datetime
    expires: float


@dataclass(frozen=True)
class SignIn:
    """A fresh sign-in: the account, when it was (whole seconds, by the provider's clock), and the tokens."""

    user_id: str
    signed_in_at: datetime
    tokens: Tokens


@dataclass(frozen=True)
class GoogleSignIn:
    """A sign-in with Google, and whether the provider made a new account for it."""

    sign_in: SignIn
    email: str
    name: str
    is_new: bool


_verified: TTLCache[str, IdToken] = TTLCache(maxsize=10_000, ttl=_VERIFIED_SECONDS)


# --- tokens


async def verified(token: str) -> IdToken:
    """What a valid ID token says; Unauthenticated when it is none, or has expired."""
    known = _verified.get(token)
    if known is None:
        known = _verified[token] = await _verify(token)
    if known.expires < time.time():
        raise errors.Unauthenticated("The access token has expired.")
    return known


async def _verify(token: str) -> IdToken:
    from firebase_admin import auth, exceptions

    try:
        claims = await asyncio.to_thread(auth.verify_id_token, token, app=_app(), clock_skew_seconds=5)
    except (auth.InvalidIdTokenError, ValueError) as error:
        raise errors.Unauthenticated("The access token is not valid or has expired.") from error
    except (auth.CertificateFetchError, exceptions.UnavailableError) as error:
        raise errors.Unavailable("Sign-in can't be checked right now.", retry_after=2) from error
    return IdToken(str(claims["uid"]), _moment(claims["auth_time"]), float(claims["exp"]))


async def sign_in(email: str, password: str) -> SignIn:
    """Exchanges an e-mail and a password for tokens; InvalidCredentials when they don't belong together."""
    answer = await _toolkit("signInWithPassword", email=email, password=password)
    if answer.is_client_error:
        raise errors.InvalidCredentials("The user name or the password is wrong.")
    return _sign_in(_json(answer))


async def sign_in_as(user_id: str) -> SignIn:
    """Tokens for a person who has proved who they are to us, by a passkey."""
    from firebase_admin import auth

    custom = await _admin(lambda: auth.create_custom_token(user_id, app=_app()))
    answer = await _toolkit("signInWithCustomToken", token=custom.decode())
    return _sign_in(_json(answer))


async def sign_in_with_google(id_token: str, *, link_to: str | None = None) -> GoogleSignIn:
    """Exchanges a Google ID token for tokens; the provider checks it. `link_to` is an ID token of the account to link.

    The provider links by itself to the account that has the same, verified address. Raises InvalidCredentials for a
    token that is not valid, AlreadyExists when the Google account is linked to somebody else.
    """
    asked: dict[str, Any] = {
        "postBody": urlencode({"id_token": id_token, "providerId": "google.com"}),
        "requestUri": settings().public_url,
    }
    if link_to is not None:
        asked["idToken"] = link_to
    answer = await _toolkit("signInWithIdp", **asked)
    if answer.is_client_error and "FEDERATED_USER_ID_ALREADY_LINKED" in answer.text:
        raise errors.AlreadyExists("This Google account belongs to another account.")
    found = {} if answer.is_client_error else _json(answer)
    if "idToken" not in found or not found.get("emailVerified"):
        raise errors.InvalidCredentials("Google does not vouch for this sign-in.")
    name = found.get("displayName") or found["email"].partition("@")[0]
    return GoogleSignIn(_sign_in(found), found["email"].lower(), name, bool(found.get("isNewUser")))


async def refresh(refresh_token: str) -> SignIn:
    """Exchanges a refresh token for fresh tokens; Unauthenticated when it is not valid any more."""
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = await _post("securetoken.googleapis.com/v1/token", data=body)
    if answer.is_client_error:
        raise errors.Unauthenticated("The refresh token is not valid any more.")
    found = _json(answer)
    tokens = Tokens(
        access_token=found["id_token"], refresh_token=found["refresh_token"], expires_in=int(found["expires_in"])
    )
    return _of(tokens)


async def revoke(user_id: str) -> None:
    """Ends every refresh token of the account; nothing happens when it is not there."""
    from firebase_admin import auth

    try:
        await _admin(lambda: auth.revoke_refresh_tokens(user_id, app=_app()))
    except errors.NotFound:
        return


# --- accounts


async def create_user(user_id: str, email: str, password: str | None, *, is_verified: bool = False) -> None:
    """Makes the account under our own id.

    Raises AlreadyExists when the address has one, ValidationFailed for a password that is too weak.
    """
    from firebase_admin import auth

    given = {"password": password} if password is not None else {}
    await _admin(lambda: auth.create_user(uid=user_id, email=email, email_verified=is_verified, app=_app(), **given))


async def set_password(user_id: str, email: str, password: str) -> None:
    """Sets a password and marks the address as verified; makes the account when it is not there."""
    from firebase_admin import auth

    try:
        await _admin(lambda: auth.update_user(user_id, password=password, email_verified=True, app=_app()))
    except errors.NotFound:
        await create_user(user_id, email, password, is_verified=True)


async def set_verified(user_id: str) -> None:
    """Marks the address as verified; nothing happens when the account is not there."""
    from firebase_admin import auth

    try:
        await _admin(lambda: auth.update_user(user_id, email_verified=True, app=_app()))
    except errors.NotFound:
        return


async def id_of(email: str) -> str | None:
    """The id of the account that has this address."""
    from firebase_admin import auth

    try:
        found = await _admin(lambda: auth.get_user_by_email(email, app=_app()))
    except errors.NotFound:
        return None
    return str(found.uid)


async def delete_user(user_id: str) -> None:
    """Removes the account; nothing happens when it is not there."""
    from firebase_admin import auth

    try:
        await _admin(lambda: auth.delete_user(user_id, app=_app()))
    except errors.NotFound:
        return


# --- the connection


async def _admin(call: Callable[[], T]) -> T:
    """A call of the Admin SDK, in a thread, with its errors as ours."""
    from firebase_admin import auth, exceptions

    try:
        return await asyncio.to_thread(call)
    except (auth.EmailAlreadyExistsError, auth.UidAlreadyExistsError) as error:
        raise errors.AlreadyExists("There is an account with this e-mail already.") from error
    except auth.UserNotFoundError as error:
        raise errors.NotFound("There is no such account.") from error
    except (exceptions.InvalidArgumentError, ValueError) as error:
        raise errors.ValidationFailed("The identity provider refuses this e-mail or password.") from error
    except exceptions.FirebaseError as error:
        raise errors.Unavailable(_AWAY, retry_after=2) from error


@lru_cache
def _app() -> Any:
    import firebase_admin
    from google.auth.credentials import AnonymousCredentials

    options = {"projectId": settings().google_cloud_project}
    if emulator("FIREBASE_AUTH_EMULATOR_HOST"):  # which asks for no credential
        nobody = AnonymousCredentials()  # type: ignore[no-untyped-call]  # google-auth publishes no types here
        return firebase_admin.initialize_app(nobody, options)
    return firebase_admin.initialize_app(options=options)


@lru_cache
def _http() -> "httpx.AsyncClient":
    import httpx

    return httpx.AsyncClient(timeout=TIMEOUT)


async def _toolkit(method: str, **asked: Any) -> "httpx.Response":
    asked["returnSecureToken"] = True
    return await _post(f"identitytoolkit.googleapis.com/v1/accounts:{method}", json=asked)


async def _post(api: str, **body: Any) -> "httpx.Response":
    import httpx

    local = emulator("FIREBASE_AUTH_EMULATOR_HOST")
    url = f"http://{local}/{api}" if local else f"https://{api}"
    try:
        answer = await _http().post(url, params={"key": settings().firebase_api_key}, **body)
    except httpx.TransportError as error:
        raise errors.Unavailable(_AWAY, retry_after=2) from error
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS or "TOO_MANY_ATTEMPTS_TRY_LATER" in answer.text:
        raise errors.RateLimited("The identity provider asks to wait.", retry_after=60)
    return answer


def _json(answer: "httpx.Response") -> dict[str, Any]:
    if answer.is_error:
        raise errors.Unavailable(_AWAY, retry_after=2)
    found: dict[str, Any] = answer.json()
    return found


def _sign_in(found: dict[str, Any]) -> SignIn:
    return _of(
        Tokens(access_token=found["idToken"], refresh_token=found["refreshToken"], expires_in=int(found["expiresIn"]))
    )


def _of(tokens: Tokens) -> SignIn:
    # Not verified again: it comes from the provider itself, over its own connection.
    payload = tokens.access_token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return SignIn(str(claims["user_id"]), _moment(claims["auth_time"]), tokens)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
