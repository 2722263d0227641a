"""CRC32C, MD5 and SHA-256 of what arrives, and what the sender said they would be."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import google_crc32c
from pydantic import BaseModel, ConfigDict, JsonValue

from emulators.storage.errors import BadDigest, InvalidDigest

_LENGTHS = {"crc32c": 4, "md5": 16}
"""Length of each digest, in bytes."""


@dataclass(frozen=True, slots=True)
class Digests:
    """What was computed: size in bytes, CRC32C and MD5 in base64 as resources show them, SHA-256 in hexadecimal."""

    size: int
    crc32c: str
    md5: str | None
    sha256: str | None = None


class Hasher:
    """Computes the digests of a stream."""

    def __init__(self, *, sha256: bool = False) -> None:
        self.size = 0
        self._crc32c = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if sha256 else None

    def update(self, block: bytes) -> None:
        """Take the next bytes."""
        self.size += len(block)
        self._crc32c = google_crc32c.extend(self._crc32c, block)
        self._md5.update(block)
        if self._sha256:
            self._sha256.update(block)

    def digests(self) -> Digests:
        """The digests of everything so far."""
        return Digests(
            size=self.size,
            crc32c=base64.b64encode(self._crc32c.to_bytes(4, "big")).decode(),
            md5=base64.b64encode(self._md5.digest()).decode(),
            sha256=self._sha256.hexdigest() if self._sha256 else None,
        )


class Checksums(BaseModel):
    """What the sender promised; None where nothing was promised. Same forms as `Digests`."""

    model_config = ConfigDict(frozen=True)

    crc32c: str | None = None
    md5: str | None = None
    sha256: str | None = None

    @classmethod
    def of_headers(cls, headers: Sequence[tuple[str, str]]) -> Self:
        """From x-goog-hash, Content-MD5, x-goog-content-sha256. Raises InvalidDigest, or BadDigest when two differ."""
        promised = cls()
        for name, value in headers:
            if name == "content-md5":
                promised = promised.and_also(cls(md5=_checked("md5", value)))
            elif name == "x-goog-hash":
                for part in value.split(","):
                    kind, _, digest = part.strip().partition("=")
                    promised = promised.and_also(cls.model_validate({kind: _checked(kind, digest)}))
            elif name == "x-goog-content-sha256" and value != "UNSIGNED-PAYLOAD":
                promised = promised.and_also(cls(sha256=value.lower()))
        return promised

    @classmethod
    def of_resource(cls, resource: Mapping[str, JsonValue]) -> Self:
        """From the `crc32c` and `md5Hash` of an object resource. Raises InvalidDigest."""
        named = {"crc32c": resource.get("crc32c"), "md5": resource.get("md5Hash")}
        return cls.model_validate({kind: _checked(kind, str(value)) for kind, value in named.items() if value})

    def and_also(self, other: Self) -> Self:
        """Both promises. Raises BadDigest when they contradict each other."""
        mine, theirs = self.model_dump(exclude_none=True), other.model_dump(exclude_none=True)
        for kind, value in theirs.items():
            if mine.setdefault(kind, value) != value:
                raise BadDigest(f"Two different values of {kind} were given.")
        return self.model_validate(mine)

    def verify(self, found: Digests) -> None:
        """Raises BadDigest when a promise is not kept."""
        if self.crc32c not in (None, found.crc32c):
            raise BadDigest(f'Provided CRC32C "{self.crc32c}" doesn\'t match calculated CRC32C "{found.crc32c}".')
        if self.md5 not in (None, found.md5):
            raise BadDigest(f'Provided MD5 hash "{self.md5}" doesn\'t match calculated MD5 hash "{found.md5}".')
        if self.sha256 not in (None, found.sha256):
            raise BadDigest(f'Provided SHA-256 "{self.sha256}" doesn\'t match calculated SHA-256 "{found.sha256}".')


def _checked(kind: str, digest: str) -> str:
    try:
        raw = base64.b64decode(digest, validate=True)
    except binascii.Error:
        raise InvalidDigest(f"{kind} is not base64: {digest}") from None
    if len(raw) != _LENGTHS.get(kind):
        raise InvalidDigest(f"{kind} has {len(raw)} bytes, or is not known.")
    return digest
