"""Hosts, origins, and whose address a request came from."""

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import Scope

from emulators.gateway import load
from infra.catalog import ROOT, functions
from shared import settings as settings_module
from shared.errors import UnknownHost
from shared.settings import EMULATOR_VARIABLES
from shared.web.headers import client_address, require_known_host, with_cors
from tests import loopback
from tests.conftest import Cloud


@pytest.fixture
def changed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Settings are read anew, before and after."""
    settings_module.settings.cache_clear()
    yield monkeypatch
    settings_module.settings.cache_clear()


def _scope(forwarded: str | None, client: str = "192.0.2.1") -> Scope:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded is not None else []
    return {"type": "http", "headers": headers, "client": (client, 1)}


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ("1", None, "192.0.2.1"),
        ("1", "203.0.113.7", "203.0.113.7"),
        ("1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("2", "198.51.100.1, 203.0.113.7, 203.0.113.8", "203.0.113.7"),
        ("2", "203.0.113.7", "192.0.2.1"),
        ("0", "203.0.113.7", "192.0.2.1"),
        ("1", "not an address", "192.0.2.1"),
        ("1", "2001:DB8::1", "2001:db8::1"),
    ],
)
def test_only_what_the_proxies_in_front_appended_is_believed(
    changed: pytest.MonkeyPatch, proxies: str, forwarded: str | None, address: str
) -> None:
    changed.setenv("TRUSTED_PROXIES", proxies)
    assert client_address(_scope(forwarded)) == address


@pytest.mark.parametrize(
    ("host", "known"), [("alta.example", True), ("ALTA.example:443", True), ("evil.example", False)]
)
def test_a_foreign_host_is_refused(changed: pytest.MonkeyPatch, host: str, known: bool) -> None:
    changed.setenv("ALLOWED_HOSTS", '["alta.example"]')
    if known:
        require_known_host(Headers({"host": host}))
    else:
        with pytest.raises(UnknownHost):
            require_known_host(Headers({"host": host}))


async def test_the_pages_of_the_origins_in_the_settings_read_answers_and_no_others(changed: pytest.MonkeyPatch) -> None:
    changed.setenv("CORS_ORIGINS", '["https://app.example"]')
    app = FastAPI()
    transport = httpx.ASGITransport(with_cors(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://alta") as http:
        asked = {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
        allowed = await http.options("/", headers={"Origin": "https://app.example", **asked})
        assert allowed.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-credentials" not in allowed.headers
        refused = await http.options("/", headers={"Origin": "https://evil.example", **asked})
        assert "access-control-allow-origin" not in refused.headers
        answer = await http.get("/openapi.json", headers={"Origin": "https://app.example"})
        assert "RateLimit" in answer.headers["access-control-expose-headers"]


async def test_every_answer_has_the_security_headers(cloud: Cloud) -> None:
    async with loopback.client(cloud.url) as http:
        for path in ("/api/auth/me", "/api/auth/verify-email", "/health"):
            answer = await http.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["strict-transport-security"].startswith("max-age=")
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert "set-cookie" not in answer.headers


async def test_a_body_over_the_limit_is_refused(cloud: Cloud) -> None:
    async with loopback.client(cloud.url) as http:
        answer = await http.post("/api/auth/login", content=b" " * (4 * 2**20 + 1))
        assert answer.json()["error"]["code"] == "too_large"


async def test_a_function_answers_at_its_own_hosts_alone(changed: pytest.MonkeyPatch) -> None:
    changed.setenv("ALLOWED_HOSTS", '["alta.example"]')
    health = next(function for function in functions() if function.name == "health")
    transport = httpx.ASGITransport(load(health))
    async with httpx.AsyncClient(transport=transport, base_url="http://alta.example") as http:
        assert (await http.get("/health")).status_code == 200
        refused = await http.get("/health", headers={"Host": "evil.example"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unknown_host")


@pytest.mark.parametrize("emulator", [None, *EMULATOR_VARIABLES])
def test_an_instance_on_cloud_run_that_is_told_of_an_emulator_does_not_start(
    cloud: Cloud, emulator: str | None
) -> None:
    kept = {name: value for name, value in os.environ.items() if name not in (*EMULATOR_VARIABLES, "WEBHOOK_LOOPBACK")}
    told = {emulator: "127.0.0.1:1"} if emulator else {}
    started = subprocess.run(
        [sys.executable, "-c", "import functions.http.health.main"],
        cwd=ROOT,
        env={**kept, **told, "K_SERVICE": "health"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode == 0) is (emulator is None), started.stderr
    assert emulator is None or f"{emulator} set on Cloud Run: this instance refuses to start" in started.stderr
