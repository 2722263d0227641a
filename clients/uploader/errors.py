"""Everything that can go wrong in an upload: one class each, with a stable code and a sentence for people."""

from collections.abc import Mapping, Sequence


class UploaderError(Exception):
    """The base of all errors of this package. `code` is machine-readable, the message is for people."""

    code: str = "uploader_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class NotSignedIn(UploaderError):
    """There is no sign-in, or the platform does not accept it any more."""

    code = "not_signed_in"


class InsecureServer(UploaderError):
    """The address would send the password in clear text over a network."""

    code = "insecure_server"


class UnusableProxy(UploaderError):
    """What the environment names as its proxy can't be one, or needs what is not installed."""

    code = "unusable_proxy"


class NothingToUpload(UploaderError):
    """The path does not exist or holds no usable file."""

    code = "nothing_to_upload"


class UnknownName(UploaderError):
    """No project or cycle, or more than one, has this name."""

    code = "unknown_name"


class AlreadyRunning(UploaderError):
    """Another process is uploading the same folder to the same project."""

    code = "already_running"


class Unreachable(UploaderError):
    """The platform or the storage did not answer usefully until the deadline."""

    code = "unreachable"


class ApiError(UploaderError):
    """The platform refused a request. `details` names the fields or files that are meant."""

    def __init__(
        self, status: int, code: str, message: str, request_id: str, details: Sequence[Mapping[str, object]] = ()
    ) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.request_id = request_id
        self.details = details


class FileProblem(UploaderError):
    """One file can't be uploaded; the others go on."""

    code: str = "file_problem"


class FileRefused(FileProblem):
    """The platform does not take the file as it is: it is empty, say, or of a type that is not read."""

    code = "refused"


class FileUnreadable(FileProblem):
    """The file can't be opened or read."""

    code = "unreadable"


class FileVanished(FileProblem):
    """The file was there when the folder was read and is not any more."""

    code = "vanished"


class FileChanged(FileProblem):
    """The file's size or time changed between its checksum and the end of its upload."""

    code = "changed_while_uploading"


class StorageRefused(FileProblem):
    """The storage refused the file for good; `code` is the storage's own."""

    code = "storage_refused"


def problem_of(error: OSError) -> FileProblem:
    """What an error of the file system means for the file."""
    if isinstance(error, FileNotFoundError):
        return FileVanished("The file is gone.")
    return FileUnreadable(f"The file can't be read: {error.strerror or error}.")
