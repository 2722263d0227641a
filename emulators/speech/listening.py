"""From a recording to what is said in it, without blocking the event loop."""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.cloud import speech_v2

from emulators.speech.audio import Recording, Samples, recording
from emulators.speech.limits import check_batch_seconds, check_recognize_seconds
from emulators.speech.segments import Segment, segments
from emulators.speech.transcriber import Engine, Utterance

Check = Callable[[float], None]
MultiChannel = speech_v2.RecognitionFeatures.MultiChannelMode


@dataclass(frozen=True)
class Heard:
    """What is said in a recording, and how long that is in seconds."""

    utterances: list[Utterance]
    seconds: float

    @property
    def billed(self) -> int:
        """Begun seconds: https://cloud.google.com/speech-to-text/pricing"""
        return math.ceil(self.seconds)


class _Cut:
    """A recording on its way into segments, and how far that is."""

    def __init__(self, content: bytes | Path, config: speech_v2.RecognitionConfig, check: Check) -> None:
        self._content = content
        self._config = config
        self._check = check
        self.seconds = 0.0
        self.percent = 0

    def segments(self, *, whole: bool) -> Iterator[Segment]:
        """The segments, as soon as each is decoded, or only when all is (`whole`) and the length is known."""
        separate = self._config.features.multi_channel_mode == MultiChannel.SEPARATE_RECOGNITION_PER_CHANNEL
        with recording(self._content, self._config) as opened:
            self._check(opened.claimed)
            pieces = self._checked(opened)
            yield from segments(list(pieces) if whole else pieces, opened.channels if separate else 1)

    def _checked(self, opened: Recording) -> Iterator[Samples]:
        for piece in opened.pieces():
            self.seconds = opened.decoded
            self._check(self.seconds)  # not every header tells the length, and not every one the truth
            if opened.claimed:
                self.percent = min(99, int(100 * self.seconds / opened.claimed))
            yield piece


class Listener:
    """Decodes and transcribes: what is said on the first channel, or on each if the request wants them apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def hear_short(self, content: bytes | Path, config: speech_v2.RecognitionConfig) -> Heard:
        """A recording of at most a minute, which is known before the engine begins."""
        cut = _Cut(content, config, check_recognize_seconds)
        return await self._hear(cut, cut.segments(whole=True), lambda _percent: None)

    async def hear_long(
        self, file: Path, config: speech_v2.RecognitionConfig, progress: Callable[[int], None]
    ) -> Heard:
        """A recording of at most eight hours, a segment at a time; `progress` is told the percentage after each."""
        cut = _Cut(file, config, check_batch_seconds)
        return await self._hear(cut, cut.segments(whole=False), progress)

    async def _hear(self, cut: _Cut, segments: Iterator[Segment], progress: Callable[[int], None]) -> Heard:
        utterances: list[Utterance] = []
        while segment := await asyncio.to_thread(next, segments, None):
            utterances += await self._engine.transcribe(segment)
            progress(cut.percent)
        utterances.sort(key=lambda utterance: (utterance.end, utterance.channel))
        return Heard(utterances, cut.seconds)
