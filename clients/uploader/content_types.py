"""The content type of a file by its name."""

import mimetypes
import os

FALLBACK = "application/octet-stream"

_BY_SUFFIX = {
    # Images and audio that Python 3.11 does not know, or knows by a name from before their registration.
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".avif": "image/avif",
    ".wav": "audio/wav",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",  # RFC 7845, 9: Opus in Ogg
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".weba": "audio/webm",
    ".webm": "audio/webm",  # what browsers record; the platform collects voice, not film
    # What people keep beside their scans.
    ".gz": "application/gzip",
    ".bz2": "application/x-bzip2",
    ".xz": "application/x-xz",
    ".md": "text/markdown",
    ".jsonl": "application/jsonl",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

# The registry as Python ships it, without the machine's own files: the same name gives the same type everywhere.
_TYPES = mimetypes.MimeTypes(filenames=()).types_map[True] | _BY_SUFFIX


def content_type_of(name: str) -> str:
    """The media type that a file name promises, without parameters; bytes of an unknown kind when it promises none."""
    return _TYPES.get(os.path.splitext(name)[1].lower(), FALLBACK)
