"""Connections to workers: kept when they can be, replaced when they cannot, and never a hang."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from emulators.connections import Connections, Unreachable
from tests.emulators.worker import Worker


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    connections = Connections()
    yield connections
    await connections.close()


@asynccontextmanager
async def answering(*parts: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that answers every request with these bytes and closes; yields its URL and the requests."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        for part in parts:
            writer.write(part)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


async def test_one_connection_serves_many_requests(connections: Connections, worker: Worker) -> None:
    for _ in range(3):
        assert (await connections.request("POST", worker.url, {}, b"x")).status == 200

    assert len({request.peer for request in await worker.requests(3)}) == 1


async def test_a_connection_that_the_worker_closed_is_replaced(connections: Connections) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok") as (url, requests):
        for _ in range(3):
            assert (await connections.request("GET", url, {}, b"")).status == 200

    assert len(requests) == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_every_way_to_frame_an_answer_is_understood(connections: Connections, answer: bytes) -> None:
    async with answering(answer) as (url, _):
        assert (await connections.request("POST", url, {}, b"{}")).status == 200


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", b"SSH-2.0\r\n\r\n"])
async def test_a_broken_answer_is_no_answer(connections: Connections, answer: bytes) -> None:
    async with answering(answer) as (url, _):
        with pytest.raises(Unreachable):
            await connections.request("POST", url, {}, b"{}")


@pytest.mark.parametrize("url", ["http://", "http://127.0.0.1:port/", "http://127.0.0.1:1/", "http://[::1/"])
async def test_an_address_without_a_worker_is_no_answer(connections: Connections, url: str) -> None:
    with pytest.raises(Unreachable):
        await connections.request("POST", url, {}, b"")


async def test_characters_that_may_not_be_in_a_request_line_are_encoded(connections: Connections) -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (url, requests):
        await connections.request("GET", f"{url}/é a%20b?q=1 2&r=%2F", {}, b"")

    assert requests[0].startswith(b"GET /%C3%A9%20a%20b?q=1%202&r=%2F HTTP/1.1\r\n")


async def test_redirects_without_an_end_are_given_up(connections: Connections) -> None:
    async with answering(b"HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") as (url, requests):
        assert (await connections.request("POST", url, {}, b"{}")).status == 307

    assert len(requests) == 5
