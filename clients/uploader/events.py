"""What a run tells whoever watches it. The library prints nothing; it calls the observer with these."""

from collections.abc import Callable
from dataclasses import dataclass

from clients.uploader.contract import Status


@dataclass(frozen=True, slots=True)
class Counted:
    """How much there is to look at: all files that the walk yields, and their bytes."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The session that the files go to; `resumed` when an interrupted run goes on."""

    session_id: str
    resumed: bool


@dataclass(frozen=True, slots=True)
class Hashed:
    """Bytes of files whose checksum is known now."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Files that were uploaded by an earlier run and are the same still."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class BytesSent:
    """Bytes that left for the storage; negative when some have to be sent again."""

    count: int


@dataclass(frozen=True, slots=True)
class BytesKept:
    """Bytes that an earlier run had brought to the storage already."""

    path: str
    count: int


@dataclass(frozen=True, slots=True)
class FileUploaded:
    """A file is in the storage; `sent` is False when it had been there before. `size` in bytes."""

    path: str
    size: int
    sent: bool


@dataclass(frozen=True, slots=True)
class FileFailed:
    """A file did not get there; `size` in bytes, 0 when unknown."""

    path: str
    size: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """Something failed for the moment and is tried again in `delay` seconds."""

    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class UploadFinished:
    """All bytes that could be sent are; processing goes on at the platform."""


@dataclass(frozen=True, slots=True)
class Processing:
    """News of the job from the platform."""

    status: Status


Event = (
    Counted
    | SessionOpened
    | Hashed
    | Unchanged
    | BytesSent
    | BytesKept
    | FileUploaded
    | FileFailed
    | Retrying
    | UploadFinished
    | Processing
)
"""Any of the events."""

Observer = Callable[[Event], None]
"""Called from the event loop's thread; must be quick."""


def silent(_: Event) -> None:
    """The observer that watches nothing."""
