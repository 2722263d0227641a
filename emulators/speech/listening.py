"""From a recording to what is said in it, without blocking the event loop."""

import asyncio
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.cloud import speech_v2

from emulators.speech.audio import RATE, Samples, recording
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


@dataclass
class _Clock:
    """Seconds decoded so far, and seconds to expect in all."""

    passed: float = 0
    expected: float = 0

    def percent(self) -> int:
        return min(99, int(100 * self.passed / self.expected)) if self.expected else 0


class Listener:
    """Decodes and transcribes: what is said on the first channel, or on each if the request wants them apart."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def hear_short(self, content: bytes | Path, config: speech_v2.RecognitionConfig) -> Heard:
        """A recording of at most a minute, which is known before the engine begins."""
        clock = _Clock()
        return await self._hear(_cut(content, config, check_recognize_seconds, clock, whole=True), clock)

    async def hear_long(
        self, file: Path, config: speech_v2.RecognitionConfig, progress: Callable[[int], None]
    ) -> Heard:
        """A recording of at most eight hours, a segment at a time; `progress` is told the percentage now and then."""
        clock = _Clock()
        cut = _cut(file, config, check_batch_seconds, clock, whole=False)
        return await self._hear(cut, clock, lambda: progress(clock.percent()))

    async def _hear(self, cut: Iterator[Segment], clock: _Clock, step: Callable[[], None] = lambda: None) -> Heard:
        utterances: list[Utterance] = []
        while segment := await asyncio.to_thread(next, cut, None):
            utterances += await self._engine.transcribe(segment)
            step()
        utterances.sort(key=lambda utterance: (utterance.end, utterance.channel))
        return Heard(utterances, clock.passed)


def _cut(
    content: bytes | Path, config: speech_v2.RecognitionConfig, check: Check, clock: _Clock, *, whole: bool
) -> Iterator[Segment]:
    with recording(content, config) as opened:
        check(opened.seconds)
        clock.expected = opened.seconds
        separate = config.features.multi_channel_mode == MultiChannel.SEPARATE_RECOGNITION_PER_CHANNEL
        pieces = _counted(opened.pieces(), check, clock)
        yield from segments(list(pieces) if whole else pieces, opened.channels if separate else 1)


def _counted(pieces: Iterable[Samples], check: Check, clock: _Clock) -> Iterator[Samples]:
    for piece in pieces:
        clock.passed += piece.shape[1] / RATE
        check(clock.passed)  # not every header tells the length, and not every one the truth
        yield piece
