"""What the bytes of a file are, whatever its name says, and how long they are.

The readers are imported by the functions that read: most of those that ask whether a type is supported never do.
"""

from typing import Any, BinaryIO

from shared.models.assets import AssetSummary, Fault, Kind, kind_of
from shared.models.recognition import Unprocessable
from shared.store import objects

HEAD = 4096
"""Bytes at the beginning that tell the type."""

# What the first bytes are recognised as → the content types that a client may have promised for them.
_SAME = {
    "application/pdf": {"application/pdf"},
    "image/png": {"image/png"},
    "image/jpeg": {"image/jpeg", "image/jpg"},
    "image/tiff": {"image/tiff"},
    "image/webp": {"image/webp"},
    "image/gif": {"image/gif"},
    "image/bmp": {"image/bmp", "image/x-ms-bmp"},
    "audio/x-wav": {"audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"},
    "audio/x-flac": {"audio/flac", "audio/x-flac"},
    "audio/mpeg": {"audio/mpeg", "audio/mp3"},
    "audio/ogg": {"audio/ogg", "audio/opus", "audio/vorbis"},
    "audio/mp4": {"audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"},
    "video/mp4": {"audio/mp4", "audio/m4a", "audio/x-m4a", "audio/aac"},
    "audio/aac": {"audio/aac", "audio/x-aac"},
    "audio/amr": {"audio/amr"},
    "video/webm": {"audio/webm"},
    "video/x-matroska": {"audio/webm"},
}
SUPPORTED = frozenset(content_type for promised in _SAME.values() for content_type in promised)
"""Content types of documents and recordings that can be recognised."""


def supported(content_type: str) -> bool:
    """Whether a file of this type can be taken: any plain file, and what the engines can read or hear."""
    return kind_of(content_type) is Kind.FILE or content_type in SUPPORTED


async def check(asset: AssetSummary, generation: int) -> None:
    """Raises Unprocessable when the first bytes are not of the promised content type."""
    import filetype

    head = await objects.first_bytes(asset.object_name, generation, HEAD)
    found = filetype.guess_mime(head)
    if asset.content_type not in _SAME.get(found or "", set()):
        seen = found or "none that is known"
        raise Unprocessable(
            Fault.CONTENT_MISMATCH, f"The file says {asset.content_type}, but its content type is {seen}."
        )


async def pages(asset: AssetSummary, generation: int) -> int | None:
    """How many pages a PDF has; None for other documents and where it can't be told."""
    if asset.content_type != "application/pdf":
        return None
    return await objects.examine(asset.object_name, generation, _pages)


async def seconds(asset: AssetSummary, generation: int) -> float | None:
    """How long a recording is; None where its header does not tell."""
    return await objects.examine(asset.object_name, generation, _seconds)


def _pages(file: BinaryIO) -> int | None:
    import pypdf
    from pypdf.errors import PyPdfError

    try:
        return len(pypdf.PdfReader(file).pages)
    except (PyPdfError, ValueError, KeyError, RecursionError):
        return None  # whether it can be read at all is the engine's to say


def _seconds(file: BinaryIO) -> float | None:
    import mutagen

    try:
        found: Any = mutagen.File(fileobj=file)
    except mutagen.MutagenError:
        return None
    return float(found.info.length) if found is not None and found.info.length else None
