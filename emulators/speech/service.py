"""The `Speech` service with an engine that listens."""

import uuid
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
from google.cloud import speech_v2
from google.protobuf.message import Message

from emulators.engines.control import Control
from emulators.engines.errors import InvalidArgument
from emulators.engines.objects import GcsUri, ObjectMissing, Objects
from emulators.engines.operations import Operations
from emulators.engines.rpc import Methods, serialize
from emulators.speech import batch, limits
from emulators.speech.listening import Heard, Listener
from emulators.speech.recognizers import PARENT, Recognizers, overridden, parse
from emulators.speech.results import metadata, results
from emulators.speech.transcriber import Utterance

INSTANT = Heard([Utterance(1, "Instant.", 0, 1)], 1)


class Speech:
    """The methods of the API, but for streaming, phrase sets and custom classes."""

    def __init__(
        self,
        control: Control,
        listener: Listener,
        objects: Objects,
        recognizers: Recognizers,
        operations: Operations,
    ) -> None:
        self._control = control
        self._listener = listener
        self._objects = objects
        self._recognizers = recognizers
        self._operations = operations

    def handler(self) -> "grpc.GenericRpcHandler[Message, Message]":
        """The gRPC service."""
        api = speech_v2
        methods = Methods("google.cloud.speech.v2.Speech", self._control)
        methods.add("Recognize", self.recognize, api.RecognizeRequest.deserialize, api.RecognizeResponse.serialize)
        methods.add("BatchRecognize", self.batch_recognize, api.BatchRecognizeRequest.deserialize, serialize)
        methods.add(
            "GetRecognizer", self.get_recognizer, api.GetRecognizerRequest.deserialize, api.Recognizer.serialize
        )
        methods.add("CreateRecognizer", self.create_recognizer, api.CreateRecognizerRequest.deserialize, serialize)
        methods.add(
            "ListRecognizers",
            self.list_recognizers,
            api.ListRecognizersRequest.deserialize,
            api.ListRecognizersResponse.serialize,
        )
        return methods.handler()

    async def recognize(self, request: speech_v2.RecognizeRequest) -> speech_v2.RecognizeResponse:
        """Transcribe a recording now: at most a minute and 10 MB."""
        name = parse(request.recognizer)
        recognizer = self._recognizers.get(request.recognizer)
        config = overridden(recognizer.default_recognition_config, request.config, request.config_mask)
        language = limits.language(list(config.language_codes), config.model, name["location"])
        with TemporaryDirectory() as folder:
            heard = await self._heard(request, config, Path(folder) / "recording")
        return speech_v2.RecognizeResponse(
            results=results(heard.utterances, config.features, language),
            metadata=metadata(uuid.uuid4().hex, heard.billed),
        )

    async def batch_recognize(self, request: speech_v2.BatchRecognizeRequest) -> Message:
        """Begin to transcribe recordings of the bucket."""
        parent = parse(request.recognizer)["parent"]
        self._recognizers.get(request.recognizer)
        batch.check(request)
        serialized = speech_v2.BatchRecognizeRequest.serialize(request)
        operation: Message = self._operations.begin(parent, "BatchRecognize", serialized, batch.begun(request))
        return operation

    async def get_recognizer(self, request: speech_v2.GetRecognizerRequest) -> speech_v2.Recognizer:
        """A recognizer by name."""
        return self._recognizers.get(request.name)

    async def list_recognizers(self, request: speech_v2.ListRecognizersRequest) -> speech_v2.ListRecognizersResponse:
        """Every recognizer of a location, on one page."""
        return speech_v2.ListRecognizersResponse(recognizers=self._recognizers.list(request.parent))

    async def create_recognizer(self, request: speech_v2.CreateRecognizerRequest) -> Message:
        """Keep a recognition config under a name."""
        if not PARENT.fullmatch(request.parent):
            raise InvalidArgument(f"Invalid resource name: '{request.parent}'.")
        name = f"{request.parent}/recognizers/{request.recognizer_id or uuid.uuid4().hex}"
        created = self._recognizers.create(name, request.recognizer)
        done = speech_v2.OperationMetadata(resource=name, progress_percent=100, create_recognizer_request=request)
        operation: Message = self._operations.finished(
            request.parent, speech_v2.OperationMetadata.pb(done), speech_v2.Recognizer.pb(created)
        )
        return operation

    async def _heard(
        self, request: speech_v2.RecognizeRequest, config: speech_v2.RecognitionConfig, file: Path
    ) -> Heard:
        if "content" in request:
            self._control.processed(content=request.content)
            limits.check_bytes(len(request.content))
            audio: bytes | Path = request.content
        elif "uri" in request:
            self._control.processed(uri=request.uri)
            audio = file
        else:
            raise InvalidArgument("One of content and uri must be set.")
        if self._control.instant:
            return INSTANT
        if "uri" in request:
            await self._fetch(request.uri, file)
        return await self._listener.hear_short(audio, config)

    async def _fetch(self, uri: str, file: Path) -> None:
        where = GcsUri.parse(uri)
        try:
            limits.check_bytes((await self._objects.describe(where)).size)
            await self._objects.download(where, file)
        except ObjectMissing:
            raise limits.object_not_found(uri) from None
