"""Who is signed in: the file that remembers it, and the access token on every request."""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import platformdirs

from clients.uploader.connections import is_this_machine
from clients.uploader.contract import Tokens
from clients.uploader.errors import InsecureServer, NotSignedIn

_EARLY = 60.0
"""Seconds before its end at which an access token is replaced."""
_LAST_PORT = 65_535


def config_folder() -> Path:
    """Where the sign-in is kept: `ALTA_CONFIG_DIR`, or the user's configuration folder."""
    return Path(os.environ.get("ALTA_CONFIG_DIR") or platformdirs.user_config_dir("alta", appauthor=False))


@dataclass(frozen=True)
class Login:
    """A sign-in: where, who, and the token that gets access tokens. The password is not kept."""

    server: str
    user: str
    refresh_token: str


class LoginFile:
    """The sign-in of this user of this machine, readable by them alone."""

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or config_folder()) / "login.json"

    def load(self) -> Login:
        """The sign-in; raises `NotSignedIn` when there is none."""
        try:
            return Login(**json.loads(self.path.read_text()))
        except FileNotFoundError:
            raise NotSignedIn("Nobody is signed in. Run `alta login` first.") from None
        except (ValueError, TypeError):
            raise NotSignedIn("The kept sign-in can't be read. Run `alta login` again.") from None

    def save(self, login: Login) -> None:
        """Replaces the sign-in, whole or not at all."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self.path.with_suffix(f".{os.getpid()}")
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(login), file)
        beside.replace(self.path)

    def remove(self) -> bool:
        """Forgets the sign-in; whether there was one."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        return True


def checked_server(server: str) -> str:
    """The address without its closing slash; plain HTTP is for this machine only, since a password goes there."""
    url = _parsed(server)
    if url.scheme not in ("http", "https") or not url.host or not 0 <= (url.port or 0) <= _LAST_PORT:
        raise InsecureServer(f"{server!r} is not an address such as https://alta.example.com.")
    if url.scheme == "http" and not is_this_machine(url.host):
        raise InsecureServer(f"{server} would send your password unencrypted; use https.")
    return server.rstrip("/")


def _parsed(server: str) -> httpx.URL:
    try:
        return httpx.URL(server)
    except httpx.InvalidURL:
        return httpx.URL()


class TokenAuth(httpx.Auth):
    """Puts the access token on requests, and gets a fresh one when it ends or the platform refuses it."""

    def __init__(
        self, refresh: Callable[[str], Awaitable[Tokens]], refresh_token: str, rotated: Callable[[str], None]
    ) -> None:
        """`refresh` exchanges a refresh token; `rotated` hears of each new refresh token."""
        self._refresh = refresh
        self._refresh_token = refresh_token
        self._rotated = rotated
        self._access_token = ""
        self._ends_at = 0.0
        self._one_at_a_time = asyncio.Lock()

    def take(self, tokens: Tokens) -> None:
        """Goes on with these tokens."""
        self._access_token = tokens["access_token"]
        self._ends_at = time.monotonic() + tokens["expires_in"] - _EARLY
        if tokens["refresh_token"] != self._refresh_token:
            self._refresh_token = tokens["refresh_token"]
            self._rotated(self._refresh_token)

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await self._current()
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"Bearer {await self._current(refused=token)}"
            yield request

    async def _current(self, refused: str | None = None) -> str:
        async with self._one_at_a_time:
            if self._access_token == refused or time.monotonic() >= self._ends_at:
                self.take(await self._refresh(self._refresh_token))
            return self._access_token
