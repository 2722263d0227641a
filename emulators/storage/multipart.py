"""Multipart bodies, read part by part as they arrive (RFC 2046), for JSON uploads and HTML forms."""

from collections.abc import AsyncIterator
from email.message import Message
from email.parser import BytesHeaderParser

from emulators.storage.errors import InvalidArgument

LARGEST_HEAD = 64 * 1024
"""Bytes of a part's headers."""
LARGEST_FIELD = 1024 * 1024
"""Bytes of a part that is read as a whole: metadata, or a field of a form."""


class MultipartReader:
    """Reads one part after the other: `next_part`, then all of `chunks` (or `text`), then `next_part` again."""

    def __init__(self, content_type: str, chunks: AsyncIterator[bytes]) -> None:
        """`content_type` is the request's, with the boundary. Raises InvalidArgument when it has none."""
        header = Message()
        header["Content-Type"] = content_type
        boundary = header.get_boundary()
        if not boundary:
            raise InvalidArgument("A multipart body needs a boundary.")
        self._delimiter = b"\r\n--" + boundary.encode()
        self._chunks = chunks
        # The first delimiter may stand at the very beginning, without the line break that belongs to the others.
        self._buffer = b"\r\n"

    async def next_part(self) -> "Message | None":
        """The headers of the next part; None after the last."""
        async for _ in self.chunks():
            pass  # what precedes the first delimiter, or was not read of the part before
        await self._fill(len(self._delimiter) + 2)
        if self._buffer.startswith(self._delimiter + b"--"):
            return None
        head = await self._read_until(b"\r\n", LARGEST_HEAD, after=len(self._delimiter))
        if head.strip():
            raise InvalidArgument("Malformed multipart body: text after a boundary.")
        # Put back: headers may be none, and then the empty line follows at once.
        self._buffer = b"\r\n" + self._buffer
        head = await self._read_until(b"\r\n\r\n", LARGEST_HEAD)
        return BytesHeaderParser().parsebytes(head.lstrip(b"\r\n") + b"\r\n\r\n")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content of the present part. Raises InvalidArgument when the body ends before its boundary."""
        keep = len(self._delimiter) - 1
        while (end := self._buffer.find(self._delimiter)) < 0:
            if len(self._buffer) > keep:
                ready, self._buffer = self._buffer[:-keep], self._buffer[-keep:]
                yield ready
            await self._more()
        if end:
            ready, self._buffer = self._buffer[:end], self._buffer[end:]
            yield ready

    async def text(self) -> bytes:
        """The content of the present part as a whole. Raises InvalidArgument when it is too large."""
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > LARGEST_FIELD:
                raise InvalidArgument("A part of the multipart body is too large.")
            parts.append(chunk)
        return b"".join(parts)

    async def _read_until(self, mark: bytes, limit: int, after: int = 0) -> bytes:
        """Take everything from `after` up to and without `mark`; the mark is dropped."""
        while (end := self._buffer.find(mark, after)) < 0:
            if len(self._buffer) > limit:
                raise InvalidArgument("Malformed multipart body: the headers of a part do not end.")
            await self._more()
        taken, self._buffer = self._buffer[after:end], self._buffer[end + len(mark) :]
        return taken

    async def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            await self._more()

    async def _more(self) -> None:
        chunk = await anext(self._chunks, None)
        if chunk is None:
            raise InvalidArgument("Malformed multipart body: it ends before its last boundary.")
        self._buffer += chunk
