"""Objects of the storage emulator, over Cloud Storage's JSON API."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from emulators.engines.errors import InvalidArgument, Unavailable

TIMEOUT = httpx.Timeout(60, connect=5)
"""Seconds; an object of 1 GB comes in many reads, and each has this long."""

CHUNK = 1 << 20


class ObjectMissing(Exception):
    """No such object, or no such bucket."""

    def __init__(self, uri: "GcsUri") -> None:
        super().__init__(f"{uri} does not exist")
        self.uri = uri


@dataclass(frozen=True)
class GcsUri:
    """`gs://bucket/name`; the name may be empty or a prefix where a folder is meant."""

    bucket: str
    name: str

    @classmethod
    def parse(cls, uri: str) -> "GcsUri":
        """The parts of `gs://...`; `InvalidArgument` for anything else."""
        scheme, _, rest = uri.partition("://")
        bucket, _, name = rest.partition("/")
        if scheme != "gs" or not bucket:
            raise InvalidArgument(f"Invalid Cloud Storage URI: '{uri}'. It must be of the form gs://bucket/object.")
        return cls(bucket, name)

    def below(self, *parts: str) -> "GcsUri":
        """The object that lies at these path parts below this folder."""
        return GcsUri(self.bucket, "/".join([part for part in (self.name.rstrip("/"),) if part] + list(parts)))

    @property
    def stem(self) -> str:
        """The last part of the name without its extension."""
        return self.name.rpartition("/")[2].rpartition(".")[0] or self.name.rpartition("/")[2]

    def __str__(self) -> str:
        return f"gs://{self.bucket}/{self.name}"


@dataclass(frozen=True)
class StoredObject:
    """An object and what the bucket says of it: size in bytes, and its content type."""

    uri: GcsUri
    size: int
    content_type: str


class Objects:
    """Reads and writes objects. Raises `ObjectMissing`, or `Unavailable` when storage does not answer."""

    def __init__(self, storage: str) -> None:
        self._client = httpx.AsyncClient(base_url=storage, timeout=TIMEOUT)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def describe(self, uri: GcsUri) -> StoredObject:
        """Size and type of an object."""
        response = await self._get(uri, _path(uri), {})
        return _stored(uri.bucket, response.json())

    async def download(self, uri: GcsUri, to: Path) -> None:
        """The bytes of an object into a file, in pieces: an object never lies in memory whole."""
        try:
            async with self._client.stream("GET", _path(uri), params={"alt": "media"}) as response:
                _check(uri, response)
                with to.open("wb") as file:
                    async for chunk in response.aiter_bytes(CHUNK):
                        file.write(chunk)
        except httpx.HTTPError as error:
            raise Unavailable(f"Cloud Storage does not answer: {error}") from error

    async def upload(self, uri: GcsUri, content: bytes, content_type: str) -> None:
        """Create or overwrite an object."""
        path = f"/upload/storage/v1/b/{quote(uri.bucket, safe='')}/o"
        response = await self._send(
            lambda: self._client.post(
                path,
                params={"uploadType": "media", "name": uri.name},
                content=content,
                headers={"content-type": content_type},
            )
        )
        _check(uri, response)

    async def list(self, prefix: GcsUri) -> AsyncIterator[StoredObject]:
        """Every object whose name begins with `prefix`, in order of name."""
        path = f"/storage/v1/b/{quote(prefix.bucket, safe='')}/o"
        token: str | None = None
        while True:
            params = {"prefix": prefix.name} | ({"pageToken": token} if token else {})
            page = (await self._get(prefix, path, params)).json()
            for item in page.get("items", []):
                yield _stored(prefix.bucket, item)
            token = page.get("nextPageToken")
            if not token:
                return

    async def _get(self, uri: GcsUri, path: str, params: dict[str, str]) -> httpx.Response:
        response = await self._send(lambda: self._client.get(path, params=params))
        _check(uri, response)
        return response

    async def _send(self, send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
        try:
            return await send()
        except httpx.HTTPError as error:
            raise Unavailable(f"Cloud Storage does not answer: {error}") from error


def _path(uri: GcsUri) -> str:
    return f"/storage/v1/b/{quote(uri.bucket, safe='')}/o/{quote(uri.name, safe='')}"


def _check(uri: GcsUri, response: httpx.Response) -> None:
    if response.status_code == httpx.codes.NOT_FOUND:
        raise ObjectMissing(uri)
    if response.is_error:
        raise Unavailable(f"Cloud Storage answers {response.status_code} for {uri}")


def _stored(bucket: str, item: dict[str, str]) -> StoredObject:
    return StoredObject(GcsUri(bucket, item["name"]), int(item["size"]), item.get("contentType", ""))
