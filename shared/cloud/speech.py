"""Speech-to-Text v2: transcribes recordings, at once or, over a minute, as a long operation through the bucket.

What the service refuses for good is `Unprocessable`; what it refuses now is `Unavailable` and worth another try.
Limits: https://cloud.google.com/speech-to-text/quotas (60 s and 10 MB at once, 480 minutes in a batch).
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared import errors
from shared.cloud import passing
from shared.models.assets import Fault
from shared.models.recognition import Interrupted, Recognition, Segment, TooLong, Unprocessable, Word
from shared.settings import emulator, settings

if TYPE_CHECKING:
    from google.cloud import speech_v2

ONLINE_SECONDS = 60.0
"""Seconds of sound that are transcribed at once; more go the batch way."""
TIMEOUT = 240.0
"""Seconds that transcribing at once may take."""


async def transcribe(uri: str, languages: Sequence[str]) -> Recognition:
    """What is said in the recording at `gs://...`; an empty text when nothing is.

    Raises TooLong above the online limits, Unprocessable for what can't be decoded, Unavailable when it may be later.
    """
    from google.api_core import exceptions as google
    from google.cloud import speech_v2

    request = speech_v2.RecognizeRequest(recognizer=_recognizer(), config=_config(languages), uri=uri)
    try:
        answer = await _client().recognize(request=request, timeout=TIMEOUT, retry=None)
    except google.InvalidArgument as error:
        if "too long" in str(error).lower() or "60 seconds" in str(error) or "10485760" in str(error):
            raise TooLong("Over a minute.") from error
        raise Unprocessable(Fault.UNREADABLE, f"The recording can't be decoded: {error.message}") from error
    except passing.raised() as error:
        raise errors.Unavailable("Speech-to-Text does not answer right now.", retry_after=10) from error
    raw = speech_v2.RecognizeResponse.pb(answer)
    return _recognition(raw.results, raw.metadata)


async def begin(uri: str, languages: Sequence[str], output_uri: str) -> str:
    """Starts transcribing a long recording into `output_uri`; returns the name of the operation."""
    from google.api_core import exceptions as google
    from google.cloud import speech_v2

    request = speech_v2.BatchRecognizeRequest(
        recognizer=_recognizer(),
        config=_config(languages),
        files=[speech_v2.BatchRecognizeFileMetadata(uri=uri)],
        recognition_output_config=speech_v2.RecognitionOutputConfig(
            gcs_output_config=speech_v2.GcsOutputConfig(uri=output_uri)
        ),
    )
    try:
        operation = await _client().batch_recognize(request=request, retry=None)
    except google.InvalidArgument as error:
        raise Unprocessable(Fault.UNREADABLE, f"The recording can't be decoded: {error.message}") from error
    except passing.raised() as error:
        raise errors.Unavailable("Speech-to-Text does not answer right now.", retry_after=10) from error
    return str(operation.operation.name)


async def outcome(operation_name: str) -> str | None:
    """Where a long operation put its transcript, `gs://...`; None while it runs.

    Raises Interrupted when nothing came of it for a reason that passes, Unprocessable when for one that stays.
    """
    from google.api_core import exceptions as google
    from google.cloud import speech_v2

    try:
        operation = await _client().transport.operations_client.get_operation(operation_name)
    except google.NotFound as error:
        raise Interrupted("The long operation is not known any more.") from error
    except passing.raised() as error:
        raise errors.Unavailable("Speech-to-Text does not answer right now.", retry_after=10) from error
    if not operation.done:
        return None
    if operation.HasField("error"):
        raise _failed(operation.error)
    response = speech_v2.BatchRecognizeResponse()
    operation.response.Unpack(speech_v2.BatchRecognizeResponse.pb(response))
    (result,) = response.results.values()
    if result.error.code:
        raise _failed(result.error)
    return str(result.cloud_storage_result.uri or result.uri)


def _failed(status: Any) -> Exception:
    message = f"The recording can't be transcribed: {status.message}"
    return Interrupted(message) if status.code in passing.CODES else Unprocessable(Fault.UNREADABLE, message)


def transcript(raw: str) -> Recognition:
    """What a long operation put into the bucket."""
    from google.cloud import speech_v2

    found = speech_v2.BatchRecognizeResults.from_json(raw, ignore_unknown_fields=True)
    raw_results = speech_v2.BatchRecognizeResults.pb(found)
    return _recognition(raw_results.results, raw_results.metadata)


def _recognition(results: Iterable[Any], metadata: Any) -> Recognition:
    segments: list[Segment] = []
    for result in results:
        if result.alternatives:
            segments.append(_segment(result, segments[-1].end if segments else 0.0))
    known = [one.confidence for one in segments if one.confidence is not None]
    return Recognition(
        text=" ".join(segment.text for segment in segments).strip(),
        confidence=sum(known) / len(known) if known else None,
        language=next((segment.language for segment in segments if segment.language), None),
        duration_seconds=_seconds(metadata.total_billed_duration) or None,
        segments=segments,
    )


def _segment(result: Any, began: float | None) -> Segment:
    best = result.alternatives[0]
    words = [
        Word(
            text=word.word,
            start=_seconds(word.start_offset),
            end=_seconds(word.end_offset),
            confidence=round(word.confidence, 4) or None,
        )
        for word in best.words
    ]
    return Segment(
        text=best.transcript.strip(),
        start=words[0].start if words else began,
        end=_seconds(result.result_end_offset) or (words[-1].end if words else None),
        confidence=round(best.confidence, 4) or None,
        language=result.language_code or None,
        words=words,
    )


def _seconds(duration: Any) -> float:
    return float(duration.seconds) + float(duration.nanos) / 1e9


def _recognizer() -> str:
    return f"projects/{settings().google_cloud_project}/locations/{settings().speech_location}/recognizers/_"


def _config(languages: Sequence[str]) -> "speech_v2.RecognitionConfig":
    from google.cloud import speech_v2

    return speech_v2.RecognitionConfig(
        auto_decoding_config=speech_v2.AutoDetectDecodingConfig(),
        language_codes=list(languages or settings().default_languages),
        model=settings().speech_model,
        features=speech_v2.RecognitionFeatures(
            enable_automatic_punctuation=True, enable_word_time_offsets=True, enable_word_confidence=True
        ),
    )


@lru_cache
def _client() -> "speech_v2.SpeechAsyncClient":
    import grpc.aio
    from google.api_core.client_options import ClientOptions
    from google.cloud import speech_v2
    from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport

    host = emulator("SPEECH_EMULATOR_HOST")
    if host:
        channel = grpc.aio.insecure_channel(host, options=[("grpc.max_receive_message_length", -1)])
        return speech_v2.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=channel))
    location = settings().speech_location
    if location == "global":
        return speech_v2.SpeechAsyncClient()
    options = ClientOptions(api_endpoint=f"{location}-speech.googleapis.com")
    return speech_v2.SpeechAsyncClient(client_options=options)
