"""Requests find their function, whichever process it runs in."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from emulators import proxy
from emulators.gateway import Gateway, build
from emulators.ports import free_ports
from emulators.proxy import Upstream
from emulators.serving import serving
from infra.catalog import functions

INTERNAL = 8001


class Named:
    """A function that answers with its name and the path it sees."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(f"{self._name} {scope['path']}")(scope, receive, send)


def at(port: int, app: ASGIApp) -> httpx.AsyncClient:
    """A client of this port of the app."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://127.0.0.1:{port}")


@pytest.fixture
def gateway() -> Gateway:
    prefixes = {path: Named(path) for path in ("/api/projects", "/api/projects/special", "/health")}
    return Gateway(prefixes, {"ocr": Named("ocr")}, INTERNAL)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/api/projects", "/api/projects /api/projects"),
        ("/api/projects/", "/api/projects /api/projects/"),  # as the load balancer: the path is passed on unchanged
        ("/api/projects/prj_1/invite", "/api/projects /api/projects/prj_1/invite"),
        ("/api/projects/special/x", "/api/projects/special /api/projects/special/x"),
        ("/health", "/health /health"),
    ],
)
async def test_the_longest_prefix_of_whole_segments_wins(gateway: Gateway, path: str, answer: str) -> None:
    async with at(8000, gateway) as client:
        response = await client.get(path)

    assert (response.status_code, response.text) == (200, answer)


@pytest.mark.parametrize("path", ["/", "/api", "/api/projectsx", "/ocr", "/_alta/ready"])
async def test_any_other_public_path_is_answered_with_the_platforms_404(gateway: Gateway, path: str) -> None:
    async with at(8000, gateway) as client:
        response = await client.get(path, headers={"X-Request-ID": "one"})

    assert response.status_code == 404
    assert response.headers["X-Request-ID"] == "one"
    error = response.json()["error"]
    assert (error["code"], error["requestId"]) == ("not_found", "one")


@pytest.mark.parametrize(("path", "seen"), [("/ocr", "/"), ("/ocr/", "/"), ("/ocr/more/of/it", "/more/of/it")])
async def test_a_private_function_is_at_its_name_and_sees_the_rest(gateway: Gateway, path: str, seen: str) -> None:
    async with at(INTERNAL, gateway) as client:
        assert (await client.post(path)).text == f"ocr {seen}"


async def test_the_internal_port_tells_that_it_is_ready_and_nothing_public(gateway: Gateway) -> None:
    async with at(INTERNAL, gateway) as client:
        assert (await client.get("/_alta/ready")).status_code == 200
        assert (await client.get("/api/projects")).status_code == 404


async def test_every_function_of_the_catalogue_is_served() -> None:
    apps: Mapping[str, ASGIApp] = {one.name: Named(one.name) for one in functions()}
    built = build(apps, INTERNAL)

    for function in functions():
        public = getattr(function.trigger, "paths", ())
        async with at(8000 if public else INTERNAL, built) as client:
            for path in public or [f"/{function.name}"]:
                assert (await client.get(path)).text.split()[0] == function.name


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers what it was asked, in pieces, with a header that comes twice."""
    request = Request(scope, receive)
    body = await request.body()

    async def pieces() -> AsyncIterator[bytes]:
        yield f"{request.method} {request.url.path}?{request.url.query} {request.headers['x-one']} ".encode()
        yield body

    response = StreamingResponse(pieces(), 201)
    response.raw_headers += [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")]
    await response(scope, receive, send)


async def test_a_function_elsewhere_gets_the_request_and_its_answer_comes_back() -> None:
    async with serving(echo, "127.0.0.1", 0) as port, at(8000, Upstream("echo", port)) as client:
        response = await client.put("/a/b?c=%2F&c=d", headers={"X-One": "1"}, content=b"x" * 100_000)

    assert response.status_code == 201
    assert response.content == b"PUT /a/b?c=%2F&c=d 1 " + b"x" * 100_000
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


async def test_a_function_that_is_down_is_answered_for_with_503(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "START_LIMIT", 0.0)

    async with at(8000, Upstream("ocr", free_ports(1)[0])) as client:
        response = await client.get("/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert response.json()["error"]["code"] == "unavailable"


async def test_a_request_waits_for_a_function_that_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_ports(1)[0]
    refused = asyncio.Event()

    async def noted(_seconds: float) -> None:
        refused.set()
        await started.wait()

    started = asyncio.Event()
    monkeypatch.setattr(proxy, "pause", noted)
    async with at(8000, Upstream("echo", port)) as client, asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(client.post("/", headers={"X-One": "1"}, content=b"kept"))
        await asyncio.wait_for(refused.wait(), 30)
        async with serving(echo, "127.0.0.1", port):
            started.set()
            assert (await asked).text == "POST /? 1 kept"
