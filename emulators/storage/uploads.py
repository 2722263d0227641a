"""What an upload promises before its bytes come, and how the bytes become an object."""

from collections.abc import AsyncIterable, Mapping
from typing import Annotated, Protocol, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from emulators.storage.blobs import Blobs, Incoming
from emulators.storage.checksums import Checksums, Digests, Hasher
from emulators.storage.errors import EntityTooLarge, EntityTooSmall, InvalidArgument, NotModified, PreconditionFailed
from emulators.storage.requests import whole_number

Settings = dict[str, JsonValue]
"""The writable part of a resource, under the names of the JSON API (`contentType`, `metadata`, ...)."""


class Versioned(Protocol):
    """What preconditions speak about."""

    @property
    def generation(self) -> int: ...

    @property
    def metageneration(self) -> int: ...


class _Promise(BaseModel):
    model_config = ConfigDict(frozen=True)


class Preconditions(_Promise):
    """What must hold of the present object (generation 0: there is none) for a request to be done."""

    if_generation_match: Annotated[int | None, Field(alias="ifGenerationMatch")] = None
    if_generation_not_match: Annotated[int | None, Field(alias="ifGenerationNotMatch")] = None
    if_metageneration_match: Annotated[int | None, Field(alias="ifMetagenerationMatch")] = None
    if_metageneration_not_match: Annotated[int | None, Field(alias="ifMetagenerationNotMatch")] = None

    @classmethod
    def of(cls, given: Mapping[str, str], names: Mapping[str, str] | None = None) -> Self:
        """From query parameters, or from what `names` calls them. Raises InvalidArgument when one is no number."""
        named = names or {field.alias: field.alias for field in cls.model_fields.values() if field.alias}
        found = {alias: given[name] for alias, name in named.items() if name in given}
        return cls.model_validate({name: whole_number(name, text) for name, text in found.items()})

    def check(self, present: Versioned | None, *, reading: bool = False) -> None:
        """Raises PreconditionFailed; NotModified when a reader's "not match" fails."""
        generation = present.generation if present else 0
        metageneration = present.metageneration if present else 0
        if self.if_generation_match not in (None, generation):
            raise PreconditionFailed(f"Generation is {generation}, not {self.if_generation_match}.")
        if self.if_metageneration_match not in (None, metageneration):
            raise PreconditionFailed(f"Metageneration is {metageneration}, not {self.if_metageneration_match}.")
        if self.if_generation_not_match == generation or self.if_metageneration_not_match == metageneration:
            raise NotModified if reading else PreconditionFailed


class LengthRange(_Promise):
    """How many bytes an object may have."""

    minimum: int = 0
    maximum: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `MIN,MAX`, the value of x-goog-content-length-range. Raises InvalidArgument."""
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 2 or not all(part.isascii() and part.isdigit() for part in parts):
            raise InvalidArgument(f"x-goog-content-length-range is not MIN,MAX: {text}")
        return cls(minimum=int(parts[0]), maximum=int(parts[1]))

    def check(self, size: int) -> None:
        """Raises EntityTooLarge or EntityTooSmall."""
        if self.maximum is not None and size > self.maximum:
            raise EntityTooLarge(f"Content has {size} bytes, the maximum is {self.maximum}.")
        if size < self.minimum:
            raise EntityTooSmall(f"Content has {size} bytes, the minimum is {self.minimum}.")


class Upload(_Promise):
    """An object to be: its name and settings, and what must hold for it to be stored."""

    bucket: str
    name: str
    settings: Settings = {}
    preconditions: Preconditions = Preconditions()
    checksums: Checksums = Checksums()
    length: LengthRange = LengthRange()

    def check(self, found: Digests) -> None:
        """Raises EntityTooLarge, EntityTooSmall or BadDigest."""
        self.length.check(found.size)
        self.checksums.verify(found)


async def receive(blobs: Blobs, upload: Upload, chunks: AsyncIterable[bytes]) -> tuple[Incoming, Digests]:
    """Take all bytes of an upload and check them. What is refused or breaks off leaves no file.

    Raises EntityTooLarge as soon as too much has come; EntityTooSmall or BadDigest at the end.
    """
    hasher = Hasher(sha256=upload.checksums.sha256 is not None)
    incoming = Incoming(blobs.incoming(), hasher, upload.length.maximum)
    try:
        async for chunk in chunks:
            await incoming.write(chunk)
        await incoming.close()
        digests = incoming.digests()
        upload.check(digests)
    except BaseException:
        await incoming.discard()
        raise
    return incoming, digests
