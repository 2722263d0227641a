"""What Speech-to-Text refuses, in its own words. Numbers: https://cloud.google.com/speech-to-text/docs/quotas"""

from emulators.engines.errors import InvalidArgument, NotFound

RECOGNIZE_SECONDS = 60
RECOGNIZE_BYTES = 10 << 20
BATCH_SECONDS = 480 * 60
BATCH_FILES = 15

MODELS = frozenset(
    {"", "long", "short", "latest_long", "latest_short", "telephony", "telephony_short", "chirp", "chirp_2", "chirp_3"}
)
"""Names that Google knows; here the same engine answers to each. https://cloud.google.com/speech-to-text/docs/models"""

LANGUAGE = "en"
"""What the engine understands; any English locale will do."""


def check_not_empty(size: int) -> None:
    """Refuse a file of no bytes."""
    if size == 0:
        raise InvalidArgument("Provided file is empty.")


def check_bytes(size: int) -> None:
    """Refuse more than 10 MB in one synchronous call, and nothing at all."""
    check_not_empty(size)
    if size > RECOGNIZE_BYTES:
        raise InvalidArgument(f"Request audio can be a maximum of {RECOGNIZE_BYTES} bytes.")


def check_recognize_seconds(seconds: float) -> None:
    """Refuse more than a minute in one synchronous call."""
    if seconds > RECOGNIZE_SECONDS:
        raise InvalidArgument(f"Audio can be of a maximum of {RECOGNIZE_SECONDS} seconds.")


def check_batch_seconds(seconds: float) -> None:
    """Refuse a file of more than eight hours."""
    if seconds > BATCH_SECONDS:
        raise InvalidArgument(f"Audio can be of a maximum of {BATCH_SECONDS} seconds.")


def unsupported_encoding() -> InvalidArgument:
    """Bytes that are no audio, or audio of a kind that is not read."""
    return InvalidArgument(
        "Audio data does not appear to be in a supported encoding. If you believe this to be incorrect, try explicitly "
        "specifying the decoding parameters."
    )


def object_not_found(uri: str) -> NotFound:
    """A recording that is not in the bucket."""
    return NotFound(f"Requested entity was not found: {uri}")


def language(codes: list[str], model: str, location: str) -> str:
    """The first of the languages asked for that the engine understands; `InvalidArgument` if there is none."""
    if model not in MODELS:
        raise InvalidArgument(f'The model "{model}" does not exist in the location named "{location}".')
    if not codes:
        raise InvalidArgument("At least one language code must be specified.")
    for code in codes:
        if code == "auto":
            return "en-US"
        if code.partition("-")[0].lower() == LANGUAGE:
            return code
    raise InvalidArgument(
        f'The language "{codes[0]}" is not supported by the model "{model}" in the location named "{location}".'
    )
