"""Bytes to Cloud Storage: one PUT for a small file, a resumable session for a large one.

Both ways are repeatable. A PUT is signed for an object that must not exist yet (`x-goog-if-generation-match: 0`), so
the repetition of one that succeeded answers 412, which counts as uploaded. A resumable upload asks the storage how far
it is after every cut. Rules: https://cloud.google.com/storage/docs/performing-resumable-uploads.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Protocol, Self

import httpx

from clients.uploader.connections import open_client
from clients.uploader.contract import Grant
from clients.uploader.errors import StorageRefused
from clients.uploader.events import BytesKept, BytesSent, Observer, Retrying
from clients.uploader.grants import Grants
from clients.uploader.hashing import HashedFile
from clients.uploader.retry import DISCONNECTS, Attempts, Backoff, Transient, fault_of_disconnect, fault_of_response
from clients.uploader.source import INLINE, pieces, whole

CHUNK: Final = 8 << 20
"""Bytes in one chunk of a resumable upload; the storage takes multiples of 256 KiB."""
_RENEWALS: Final = 3
"""URLs of one file that may be refused before the refusal counts."""
_RESTARTS: Final = 3
"""Resumable sessions of one file that may get lost before it counts as refused."""
_TIMEOUT: Final = httpx.Timeout(60.0, connect=10.0, pool=None)
_EXTENSIONS: Final = {"timeout": _TIMEOUT.as_dict()}


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that the platform waits for. `resumable_uri`: where an earlier run was sending it."""

    file: HashedFile
    asset_id: str
    resumable_uri: str | None = None


class UriKeeper(Protocol):
    """Remembers where the bytes of a file go on."""

    def resumable(self, path: str, uri: str | None) -> None:
        """Keeps the session URI of a file; None forgets it."""


class Transfer:
    """Sends files to the storage; an async context manager. Up to `jobs` files at once share its connections."""

    def __init__(self, grants: Grants, uris: UriKeeper, backoff: Backoff, observe: Observer, jobs: int) -> None:
        self._grants = grants
        self._uris = uris
        self._backoff = backoff
        self._observe = observe
        limits = httpx.Limits(max_connections=jobs, max_keepalive_connections=jobs)
        # A client of its own: the access token never travels to the storage.
        self._http = open_client(limits=limits, timeout=_TIMEOUT)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def send(self, announced: Announced) -> bool:
        """Brings one file to the storage; False when it was there already. Raises `FileProblem` or `Unreachable`."""
        grant = self._grants.get(announced.asset_id)
        if grant is None:
            return False
        upload: _Put | _Resumable
        if grant["protocol"] == "put":
            upload = _Put(self._http, announced.file, grant, self._observe)
        else:
            upload = _Resumable(self._http, announced, grant, self._observe, self._uris)
        try:
            return await self._attempt(upload, announced.asset_id)
        finally:
            upload.settle()
            self._grants.remove(announced.asset_id)

    async def _attempt(self, upload: "_Upload", asset_id: str) -> bool:
        attempts = Attempts(self._backoff, lambda reason, delay: self._observe(Retrying(reason, delay)))
        renewals = 0
        while not upload.finished:
            try:
                if await upload.step():
                    attempts.progressed()
            except _GrantRefused as refused:
                renewals += 1
                fresh = await self._grants.renew(asset_id, upload.grant) if renewals <= _RENEWALS else upload.grant
                if fresh is upload.grant:
                    raise refused.final from None
                if fresh is None:
                    return False
                upload.grant = fresh
            except DISCONNECTS as error:
                upload.cut()
                await attempts.wait(fault_of_disconnect(error))
            except Transient as fault:
                upload.cut()
                await attempts.wait(fault)
        return upload.sent


class _GrantRefused(Exception):
    """The signed URL has expired, or is refused otherwise; `final` is what it means when a fresh one is no better."""

    def __init__(self, final: StorageRefused) -> None:
        super().__init__(str(final))
        self.final = final


class _Upload:
    """One file on its way."""

    def __init__(self, http: httpx.AsyncClient, file: HashedFile, grant: Grant, observe: Observer) -> None:
        self.grant = grant
        self.finished = False
        self.sent = True
        self._http = http
        self._file = file
        self._observe = observe
        self._position = 0

    async def step(self) -> bool:
        """Makes the next request; whether bytes got further than ever before."""
        raise NotImplementedError

    def cut(self) -> None:
        """The last request failed on the way; nobody knows how much of it arrived."""
        raise NotImplementedError

    def settle(self) -> None:
        """Takes back the bytes of a file that did not get there."""
        if not self.finished:
            self._move(0)

    def _move(self, position: int) -> None:
        if position != self._position:
            self._observe(BytesSent(position - self._position))
            self._position = position

    def _finish(self, *, sent: bool) -> None:
        self.finished = True
        self.sent = sent
        self._move(self._file.size)

    async def _body(self, start: int, end: int) -> AsyncIterator[bytes]:
        async for piece in pieces(self._file, start, end):
            yield piece
            self._move(self._position + len(piece))

    async def _signed(self, body: bytes | AsyncIterator[bytes], length: int) -> httpx.Response:
        # Not through the client's defaults: the storage gets the headers that were signed, and no other of ours.
        headers = {**self.grant["headers"], "Content-Length": str(length)}
        request = httpx.Request(
            self.grant["method"], self.grant["url"], headers=headers, content=body, extensions=_EXTENSIONS
        )
        answer = await self._http.send(request)
        refusal = _refusal(answer)
        if refusal is not None and (answer.status_code == 403 or refusal.code == "ExpiredToken"):
            raise _GrantRefused(refusal)
        return answer


class _Put(_Upload):
    """A file in one request."""

    _answer_lost = False

    async def step(self) -> bool:
        size = self._file.size
        answer = await self._signed(whole(self._file) if size <= INLINE else self._body(0, size), size)
        refusal = _refusal(answer)
        if refusal is not None and answer.status_code != 412:
            raise refusal
        # The object is there: from an earlier run, or from a request of ours whose answer got lost.
        self._finish(sent=refusal is None or self._answer_lost)
        return True

    def cut(self) -> None:
        self._answer_lost = True
        self._move(0)


class _Resumable(_Upload):
    """A file in chunks, from wherever the storage stands."""

    def __init__(
        self, http: httpx.AsyncClient, announced: Announced, grant: Grant, observe: Observer, uris: UriKeeper
    ) -> None:
        super().__init__(http, announced.file, grant, observe)
        self._uris = uris
        self._uri = announced.resumable_uri
        self._continued = self._uri is not None
        self._offset: int | None = None
        self._furthest = 0
        self._restarts = 0

    async def step(self) -> bool:
        if self._uri is None:
            return await self._begin()
        if self._offset is None:
            return self._absorb(await self._chunk(f"bytes */{self._file.size}", b"", 0))
        start, end = self._offset, min(self._offset + CHUNK, self._file.size)
        content_range = f"bytes {start}-{end - 1}/{self._file.size}"
        return self._absorb(await self._chunk(content_range, self._body(start, end), end - start))

    def cut(self) -> None:
        self._offset = None

    async def _begin(self) -> bool:
        answer = await self._signed(b"", 0)
        refusal = _refusal(answer)
        if answer.status_code == 412:
            self._finish(sent=False)
        elif refusal is not None:
            raise refusal
        else:
            self._uri, self._offset = answer.headers["location"], 0
            self._uris.resumable(self._file.path, self._uri)
        return False

    async def _chunk(self, content_range: str, body: bytes | AsyncIterator[bytes], length: int) -> httpx.Response:
        headers = {"Content-Range": content_range, "Content-Length": str(length)}
        return await self._http.put(self._uri or "", headers=headers, content=body)

    def _absorb(self, answer: httpx.Response) -> bool:
        """Takes in what the storage says of the session; whether it has more bytes than ever before."""
        if answer.status_code == 308:
            return self._stand_at(_stored(answer))
        if answer.status_code in (404, 410):
            return self._lost(answer)
        refusal = _refusal(answer)
        if refusal is not None and answer.status_code != 412:
            raise refusal
        self._finish(sent=refusal is None)
        return True

    def _stand_at(self, offset: int) -> bool:
        if self._continued:
            self._continued = False
            self._position = offset
            self._observe(BytesKept(self._file.path, offset))
        self._move(offset)
        if offset >= self._file.size:
            raise Transient("the storage has all bytes and has not made the object yet")
        further = offset > self._furthest
        self._offset, self._furthest = offset, max(offset, self._furthest)
        return further

    def _lost(self, answer: httpx.Response) -> bool:
        self._restarts += 1
        if self._restarts > _RESTARTS:
            raise StorageRefused(
                f"The storage lost the upload {self._restarts} times.", code=f"http_{answer.status_code}"
            )
        self._uris.resumable(self._file.path, None)
        self._uri, self._offset, self._continued = None, None, False
        self._move(0)
        return False


def _stored(answer: httpx.Response) -> int:
    """How many bytes the storage holds for good: `Range: bytes=0-41` means 42, no header means none."""
    found = re.fullmatch(r"bytes=0-(\d+)", answer.headers.get("range", ""))
    return int(found[1]) + 1 if found else 0


def _refusal(answer: httpx.Response) -> StorageRefused | None:
    """What an answer says against the file; None when it is good. Raises `Transient` when another attempt may help."""
    if answer.is_success:
        return None
    fault = fault_of_response(answer)
    if fault is not None:
        raise fault
    code = re.search(r"<Code>([^<]+)</Code>", answer.text)
    message = re.search(r"<Message>([^<]+)</Message>", answer.text)
    return StorageRefused(
        message[1] if message else f"The storage answered {answer.status_code}.",
        code=code[1] if code else f"http_{answer.status_code}",
    )
