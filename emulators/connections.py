"""HTTP/1.1 connections to those who do the work, kept open between requests.

A dispatcher makes a great many small requests to very few places. For these a general client is a waste: httpx 0.28
takes 2 ms of processor time for each, and 9 ms with fifty connections open, this 0.3 ms whatever their number.
"""

import asyncio
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Self
from urllib.parse import SplitResult, quote, urljoin, urlsplit

import h11

IDLE_SECONDS = 1.0
"""How long an unused connection is kept: less than servers keep their end (gunicorn: 2 s)."""
MAX_REDIRECTS = 5
"""How many redirects are followed for one request."""

_CHUNK = 65536
_SAFE = "/%:=&?~+!$,;'@()*[]"


class Unreachable(Exception):
    """There is no answer: the worker refused, broke off, or does not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker answered; header names are in lower case. The body is of no interest."""

    status: int
    headers: dict[str, str]


class Connections:
    """Connections to any number of workers."""

    def __init__(self) -> None:
        self._idle: defaultdict[tuple[str, str], list[_Connection]] = defaultdict(list)

    async def close(self) -> None:
        """Closes those that are idle."""
        idle = [connection for connections in self._idle.values() for connection in connections]
        self._idle.clear()
        for connection in idle:
            await connection.close()

    async def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Makes a request and follows redirects; `Unreachable` when no answer comes."""
        for _ in range(MAX_REDIRECTS):
            answer = await self._exchange(method, url, headers, body)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                break
            url = urljoin(url, location)
            if answer.status <= 303 and method != "HEAD":
                method, body = "GET", b""
        return answer

    async def _exchange(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            address = urlsplit(url)
            target = quote(address.path or "/", _SAFE) + ("?" + quote(address.query, _SAFE) if address.query else "")
            framing = {"Host": address.netloc.rpartition("@")[2], "Content-Length": str(len(body))}
            request = h11.Request(method=method, target=target, headers=list((framing | headers).items()))
            return await self._send(address, request, body)
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error

    async def _send(self, address: SplitResult, request: h11.Request, body: bytes) -> Answer:
        idle = self._idle[address.scheme, address.netloc]
        connection = self._reused(idle)
        if connection:
            # The worker may be closing it at this very moment; the request is then made over a new one.
            with suppress(OSError, h11.ProtocolError):
                return await connection.exchange(request, body, idle)
        connection = await _Connection.open(address)
        return await connection.exchange(request, body, idle)

    def _reused(self, idle: "list[_Connection]") -> "_Connection | None":
        while idle:
            connection = idle.pop()
            if connection.reusable:
                return connection
            connection.abort()
        return None


class _Connection:
    """One connection, which carries one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT)
        self._used_at = monotonic()

    @classmethod
    async def open(cls, address: SplitResult) -> Self:
        """Connects to the host of a URL; OSError when that fails, ValueError for a URL without a host or port."""
        tls = address.scheme == "https"
        if not address.hostname:
            raise ValueError("no host in the URL")
        return cls(*await asyncio.open_connection(address.hostname, address.port or (443 if tls else 80), ssl=tls))

    @property
    def reusable(self) -> bool:
        """Whether it may carry another request."""
        return monotonic() - self._used_at < IDLE_SECONDS and not self._reader.at_eof()

    def abort(self) -> None:
        """Ends it at once; the worker sees a broken connection."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Ends it and waits for that."""
        self.abort()
        await asyncio.gather(self._writer.wait_closed(), return_exceptions=True)

    async def exchange(self, request: h11.Request, body: bytes, idle: "list[_Connection]") -> Answer:
        """Makes a request, then joins the idle ones; OSError or h11.ProtocolError when there is no whole answer."""
        try:
            answer = await self._answer(request, body)
        except BaseException:
            self.abort()
            raise
        if self._http.our_state is self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._used_at = monotonic()
            idle.append(self)
        else:
            self.abort()
        return answer

    async def _answer(self, request: h11.Request, body: bytes) -> Answer:
        messages = (request, h11.Data(body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(message) or b"" for message in messages))
        answer = Answer(0, {})
        while not isinstance(event := await self._event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                headers = {name.decode("ascii"): value.decode("latin-1") for name, value in event.headers}
                answer = Answer(event.status_code, headers)
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("closed by the worker")
        return answer

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self._http.receive_data(await self._reader.read(_CHUNK))
