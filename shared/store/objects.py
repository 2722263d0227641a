"""Objects in the bucket: addresses for clients, and the few bytes that functions themselves read and write."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from shared import errors
from shared.models.assets import AssetSummary, Link, UploadAddress
from shared.models.events import ObjectFinalized, ObjectListed
from shared.settings import settings
from shared.store import signing
from shared.store.bucket import bucket
from shared.store.signing import Grant

T = TypeVar("T")

RESUMABLE_ABOVE = 8 * 2**20
"""Bytes above which an upload can be resumed: 8 MiB."""
TIMEOUT = 30
"""Seconds without an answer after which a call is given up."""
READ_CHUNK = 256 * 2**10
"""Bytes that a reader fetches at a time."""
LISTED = 1000
"""Objects that are listed at a time."""


# --- addresses


async def upload_addresses(assets: Sequence[AssetSummary]) -> list[UploadAddress]:
    """Where each asset's bytes go: bound to its content type, its exact size, and to not being there yet."""
    grants = [_upload(asset) for asset in assets]
    urls, expires_at = await signing.sign(grants)
    return [
        UploadAddress(
            protocol="put" if grant.method == "PUT" else "resumable",
            method=grant.method,
            url=url,
            headers=grant.headers,
            expires_at=expires_at,
        )
        for grant, url in zip(grants, urls, strict=True)
    ]


def _upload(asset: AssetSummary) -> Grant:
    headers = {
        "Content-Type": asset.content_type,
        "x-goog-content-length-range": f"{asset.size},{asset.size}",
        "x-goog-if-generation-match": "0",
    }
    if asset.size > RESUMABLE_ABOVE:
        return Grant(asset.object_name, "POST", {**headers, "x-goog-resumable": "start"})
    # Cloud Storage itself refuses bytes that are not those of the manifest.
    if asset.crc32c:
        headers["x-goog-hash"] = f"crc32c={asset.crc32c}"
    elif asset.md5:
        headers["x-goog-hash"] = f"md5={asset.md5}"
    return Grant(asset.object_name, "PUT", headers)


async def link(object_name: str, *, filename: str, content_type: str) -> Link:
    """An address from which the object can be fetched under this name until it expires."""
    return (await links([(object_name, filename, content_type)]))[0]


async def links(wanted: Sequence[tuple[str, str, str]]) -> list[Link]:
    """Addresses from which objects can be fetched: object, file name and content type of each, in their order."""
    grants = [
        Grant(
            name,
            "GET",
            disposition=f"attachment; filename*=UTF-8''{quote(filename, safe='')}",
            content_type=content_type,
        )
        for name, filename, content_type in wanted
    ]
    urls, expires_at = await signing.sign(grants)
    return [Link(url=url, expires_at=expires_at) for url in urls]


def uri(object_name: str) -> str:
    """How other Google services name the object."""
    return f"gs://{settings().bucket}/{object_name}"


def name_in(gs_uri: str) -> str:
    """The object that a `gs://` name of this bucket means."""
    return gs_uri.removeprefix(f"gs://{settings().bucket}/")


# --- bytes


async def first_bytes(object_name: str, generation: int, count: int) -> bytes:
    """The beginning of an object."""
    blob = bucket().blob(object_name, generation=generation)
    return bytes(await _called(lambda: blob.download_as_bytes(start=0, end=count - 1, timeout=TIMEOUT, checksum=None)))


async def description(object_name: str) -> ObjectFinalized:
    """The object as its notification told of it; NotFound when it is not there."""
    blob = await _called(lambda: bucket().get_blob(object_name, timeout=TIMEOUT))
    if blob is None:
        raise errors.NotFound("There is no such object.")
    return ObjectFinalized(
        bucket=settings().bucket,
        name=object_name,
        generation=blob.generation,
        size=blob.size,
        content_type=blob.content_type or "application/octet-stream",
        crc32c=blob.crc32c,
        md5=blob.md5_hash,
    )


async def examine(object_name: str, generation: int, reader: Callable[[BinaryIO], T]) -> T:
    """What `reader` makes of the object, given as a seekable file of which only what is read is fetched."""
    blob = bucket().blob(object_name, generation=generation)
    return await _called(lambda: reader(blob.open("rb", chunk_size=READ_CHUNK, timeout=TIMEOUT)))


async def read_text(object_name: str) -> str:
    """A whole object of ours, as text."""
    return (await _called(lambda: bytes(bucket().blob(object_name).download_as_bytes(timeout=TIMEOUT)))).decode()


async def write_json(object_name: str, content: Mapping[str, Any]) -> None:
    """Writes a JSON object, over whatever is there: the same input gives the same result."""
    raw = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    blob = bucket().blob(object_name)
    await _called(lambda: blob.upload_from_string(raw, content_type="application/json", timeout=TIMEOUT))


async def write(object_name: str, raw: bytes, content_type: str) -> None:
    """Writes an object, over whatever is there: the same input gives the same result."""
    blob = bucket().blob(object_name)
    await _called(lambda: blob.upload_from_string(raw, content_type=content_type, timeout=TIMEOUT))


async def bucket_answers() -> None:
    """Returns when Cloud Storage answers; raises Unavailable when it does not."""
    await _called(lambda: list(bucket().list_blobs(prefix="health/", max_results=1, timeout=TIMEOUT)))


async def copy(object_name: str, to: str) -> None:
    """Copies an object inside the bucket; NotFound when it is not there."""
    blob = bucket().blob(object_name)
    await _called(lambda: bucket().copy_blob(blob, bucket(), to, timeout=TIMEOUT))


async def after(name: str, count: int) -> list[ObjectListed]:
    """The next objects of the bucket behind this name, in the order of their names; empty: from the beginning."""

    def listed() -> list[ObjectListed]:
        found = bucket().list_blobs(start_offset=f"{name}\x00" if name else None, max_results=count, timeout=TIMEOUT)
        return list(map(_described, found))

    return await _called(listed)


async def delete_all(name: str) -> int:
    """Deletes the object of this name, or all objects below a folder (ending in `/`), each as it was listed.

    How many there were; one that was replaced meanwhile is left alone.
    """
    count = 0
    while found := await _listed(name):
        for one in found:
            await delete(one.name, one.generation)
        count += len(found)
        if not name.endswith("/"):
            break
    return count


async def _listed(name: str) -> list[ObjectListed]:
    """The object of this name, or some of those below a folder."""

    def listed() -> list[ObjectListed]:
        found = bucket().list_blobs(prefix=name, max_results=LISTED, timeout=TIMEOUT)
        return [_described(one) for one in found if one.name == name or name.endswith("/")]

    return await _called(listed)


def _described(blob: Any) -> ObjectListed:
    return ObjectListed(name=blob.name, generation=blob.generation, created_at=blob.time_created)


async def names_below(prefix: str) -> list[str]:
    """The names of all objects below a prefix."""
    return await _called(lambda: [blob.name for blob in bucket().list_blobs(prefix=prefix, timeout=TIMEOUT)])


async def delete(object_name: str, generation: int | None = None) -> None:
    """Deletes an object, or that generation of it; nothing happens when it is not there."""
    blob = bucket().blob(object_name, generation=generation)
    try:
        await _called(lambda: blob.delete(timeout=TIMEOUT))
    except errors.NotFound:
        return


async def delete_below(prefix: str) -> None:
    """Deletes all objects below a prefix."""
    for name in await names_below(prefix):
        await delete(name)


async def _called(call: Callable[[], T]) -> T:
    async with _translated():
        return await asyncio.to_thread(call)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    import requests
    from google.api_core import exceptions as google

    try:
        yield
    except google.NotFound as error:
        raise errors.NotFound("There is no such object.") from error
    except (google.ServerError, google.TooManyRequests, google.RetryError, requests.ConnectionError) as error:
        raise errors.Unavailable("The storage does not answer right now.", retry_after=2) from error
    except requests.Timeout as error:
        raise errors.Unavailable("The storage does not answer in time.", retry_after=2) from error
