"""Batch recognition: long recordings from the bucket, transcripts into the bucket or into the answer."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from google.cloud import speech_v2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from emulators.engines.control import Control
from emulators.engines.errors import ApiError, InvalidArgument
from emulators.engines.objects import GcsUri, ObjectMissing, Objects
from emulators.engines.operations import Job, timestamp
from emulators.speech import limits
from emulators.speech.listening import Listener
from emulators.speech.recognizers import Recognizers, overridden, parse
from emulators.speech.results import metadata, results, srt, vtt
from emulators.speech.transcriber import Utterance

METHOD = "google.cloud.speech.v2.Speech.BatchRecognize"
FileResult = speech_v2.BatchRecognizeFileResult


def check(request: speech_v2.BatchRecognizeRequest) -> None:
    """Refuse, before anything begins, what can never work."""
    output = request.recognition_output_config
    if not 1 <= len(request.files) <= limits.BATCH_FILES:
        raise InvalidArgument(f"A batch must have between 1 and {limits.BATCH_FILES} files.")
    if "gcs_output_config" in output:
        GcsUri.parse(output.gcs_output_config.uri)
    elif "inline_response_config" not in output:
        raise InvalidArgument("Recognition output configuration must be specified.")
    elif len(request.files) > 1:
        raise InvalidArgument("Inline output is only supported for a single audio file.")


def begun(request: speech_v2.BatchRecognizeRequest) -> Message:
    """The metadata of a batch of which nothing is done yet."""
    return _Progress(request, datetime.now(UTC)).message()


class _Progress:
    """How far a batch is, as its operation shows it."""

    def __init__(self, request: speech_v2.BatchRecognizeRequest, since: datetime) -> None:
        self.files = {
            file.uri: speech_v2.BatchRecognizeTranscriptionMetadata(uri=str(_target(request, file.uri) or ""))
            for file in request.files
        }
        self._operation = speech_v2.OperationMetadata(
            create_time=timestamp(since),
            resource=request.recognizer,
            method=METHOD,
            batch_recognize_request=request,
        )

    def message(self) -> Message:
        percent = sum(file.progress_percent for file in self.files.values()) // len(self.files)
        self._operation.update_time = timestamp(datetime.now(UTC))
        self._operation.progress_percent = percent
        self._operation.batch_recognize_metadata = speech_v2.BatchRecognizeMetadata(transcription_metadata=self.files)
        message: Message = speech_v2.OperationMetadata.pb(self._operation)
        return message


class Batch:
    """Does the work of `BatchRecognize` operations."""

    def __init__(self, control: Control, listener: Listener, objects: Objects, recognizers: Recognizers) -> None:
        self._control = control
        self._listener = listener
        self._objects = objects
        self._recognizers = recognizers

    async def run(self, job: Job) -> Message:
        """Transcribe every file. One that fails says so in its own result; the others stay good."""
        request = speech_v2.BatchRecognizeRequest.deserialize(job.request)
        progress = _Progress(request, job.begun)
        job.report(progress.message())
        answer = speech_v2.BatchRecognizeResponse()
        billed = 0
        for file in request.files:
            status = progress.files[file.uri]
            try:
                result, seconds = await self._transcribe(job, request, file, progress)
                billed += seconds
            except ObjectMissing as missing:
                result = FileResult(error=limits.object_not_found(str(missing.uri)).status)
            except ApiError as error:
                result = FileResult(error=error.status)
            status.error = result.error
            status.progress_percent = 100
            answer.results[file.uri] = result
            job.report(progress.message())
        answer.total_billed_duration = Duration(seconds=billed)
        message: Message = speech_v2.BatchRecognizeResponse.pb(answer)
        return message

    async def _transcribe(
        self,
        job: Job,
        request: speech_v2.BatchRecognizeRequest,
        file: speech_v2.BatchRecognizeFileMetadata,
        progress: _Progress,
    ) -> tuple[FileResult, int]:
        name = parse(request.recognizer)
        recognizer = self._recognizers.get(request.recognizer)
        config = overridden(recognizer.default_recognition_config, request.config, request.config_mask)
        config = overridden(config, file.config, file.config_mask)
        language = limits.language(list(config.language_codes), config.model, name["location"])

        def step(percent: int) -> None:
            progress.files[file.uri].progress_percent = percent
            job.report(progress.message())

        self._control.enter("BatchedFile")
        self._control.processed(uri=file.uri)
        with TemporaryDirectory() as scratch:
            local = Path(scratch) / "recording"
            await self._objects.download(GcsUri.parse(file.uri), local)
            limits.check_not_empty(local.stat().st_size)
            heard = await self._listener.hear_long(local, config, step)
        details = metadata(job.operation_id, heard.billed)
        transcript = speech_v2.BatchRecognizeResults(
            results=results(heard.utterances, config.features, language), metadata=details
        )
        return await self._deliver(request, file.uri, transcript, heard.utterances), heard.billed

    async def _deliver(
        self,
        request: speech_v2.BatchRecognizeRequest,
        uri: str,
        transcript: speech_v2.BatchRecognizeResults,
        utterances: Sequence[Utterance],
    ) -> FileResult:
        """Put the transcript where the request wants it, in the formats it wants."""
        formats = request.recognition_output_config.output_format_config
        captions = {"vtt": vtt(utterances)} if "vtt" in formats else {}
        captions |= {"srt": srt(utterances)} if "srt" in formats else {}
        target = _target(request, uri)
        if target is None:
            inline = speech_v2.InlineResult(
                transcript=transcript, vtt_captions=captions.get("vtt", ""), srt_captions=captions.get("srt", "")
            )
            return FileResult(metadata=transcript.metadata, inline_result=inline, transcript=transcript)
        stored = speech_v2.CloudStorageResult()
        if "native" in formats or not captions:
            content = await asyncio.to_thread(MessageToJson, speech_v2.BatchRecognizeResults.pb(transcript))
            await self._objects.upload(target, content.encode(), "application/json")
            stored.uri = str(target)
        for kind, text in captions.items():
            place = GcsUri(target.bucket, target.name.removesuffix("json") + kind)
            await self._objects.upload(place, text.encode(), "text/plain")
            setattr(stored, f"{kind}_format_uri", str(place))
        return FileResult(metadata=transcript.metadata, cloud_storage_result=stored, uri=stored.uri)


def _target(request: speech_v2.BatchRecognizeRequest, uri: str) -> GcsUri | None:
    """Where the transcript of a file goes in the bucket; None when it goes into the answer."""
    output = request.recognition_output_config
    if "gcs_output_config" not in output:
        return None
    unique = hashlib.sha256(f"{request}{uri}".encode()).hexdigest()[:24]
    folder = GcsUri.parse(output.gcs_output_config.uri)
    return folder.below(f"{GcsUri.parse(uri).stem}_transcript_{unique}.json")
