"""Signing in, staying signed in, and what is kept of it."""

import asyncio
import stat
from pathlib import Path

import pytest

from clients.uploader import Client
from clients.uploader.auth import Login, LoginFile, checked_server
from clients.uploader.errors import ApiError, InsecureServer, NotSignedIn, Unreachable
from clients.uploader.retry import Backoff
from tests.clients.conftest import QUICK
from tests.clients.platform import Platform


async def test_a_sign_in_is_kept_without_the_password_and_for_its_owner_alone(
    platform: Platform, tmp_path: Path
) -> None:
    file = LoginFile(tmp_path / "config")
    async with Client(platform.url, backoff=QUICK) as client:
        file.save(await client.login("ada", platform.password))
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
    assert platform.password not in file.path.read_text()
    assert file.load().server == platform.url


async def test_a_kept_sign_in_works_and_keeps_the_token_that_replaces_its_own(
    platform: Platform, tmp_path: Path
) -> None:
    file = LoginFile(tmp_path)
    file.save(Login(platform.url, "ada", "refresh-0"))
    async with Client.signed_in(file, backoff=QUICK) as client:
        await client.project("Archive", create=True)
    assert file.load().refresh_token in platform.refresh_tokens - {"refresh-0"}


async def test_a_wrong_password_is_refused_in_the_words_of_the_platform(platform: Platform) -> None:
    async with Client(platform.url, backoff=QUICK) as client:
        with pytest.raises(ApiError, match="don't match") as refused:
            await client.login("ada", "wrong")
    assert refused.value.code == "invalid_credentials"
    assert refused.value.request_id.startswith(client.run_id)


async def test_an_access_token_is_replaced_before_it_ends(platform: Platform, client: Client) -> None:
    platform.token_life = 60
    for name in ("a", "b"):
        await client.project(name, create=True)
    assert platform.requests["POST /api/auth/refresh"] == 4


async def test_a_refused_access_token_is_replaced_once_for_all_requests(platform: Platform, client: Client) -> None:
    await client.project("a", create=True)
    platform.valid_access.clear()
    await client.project("b", create=True)
    assert platform.requests["POST /api/auth/refresh"] == 2


async def test_a_sign_in_that_is_over_says_what_to_do(platform: Platform) -> None:
    async with Client(platform.url, "withdrawn", backoff=QUICK) as client:
        with pytest.raises(NotSignedIn, match="alta login"):
            await client.project("a")


async def test_a_platform_that_never_answered_is_given_up_on_soon() -> None:
    async with Client("http://127.0.0.1:9", "refresh-0", backoff=Backoff(0.01, 2.0, 0.05, deadline=0.2)) as client:
        with pytest.raises(Unreachable):
            await client.project("a")


async def test_a_proxy_that_refuses_is_given_up_on_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1") as proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        patience = Backoff(0.01, 2.0, 0.05, deadline=0.2)
        async with Client("https://alta.example.com", "refresh-0", backoff=patience) as client:
            with pytest.raises(Unreachable, match="ProxyError: 407"):
                await client.project("a")


def test_without_a_sign_in_the_message_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(NotSignedIn, match="alta login"):
        LoginFile(tmp_path).load()


def test_a_damaged_sign_in_is_not_taken_for_one(tmp_path: Path) -> None:
    file = LoginFile(tmp_path)
    file.path.write_text('{"server": "http')
    with pytest.raises(NotSignedIn, match="again"):
        file.load()


@pytest.mark.parametrize(
    "server", ["https://alta.example.com/", "http://127.0.0.1:8000", "http://[::1]:8000", "http://a.localhost"]
)
def test_https_and_this_machine_are_safe_for_passwords(server: str) -> None:
    assert checked_server(server) == server.rstrip("/")


@pytest.mark.parametrize(
    "server", ["http://alta.example.com", "http://notlocalhost", "http://10.0.0.1", "ftp://127.0.0.1", "alta", ""]
)
def test_other_addresses_are_refused(server: str) -> None:
    with pytest.raises(InsecureServer):
        checked_server(server)
