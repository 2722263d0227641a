"""The speech engine: Moonshine (tiny, English), which comes whole in its wheel and needs no network."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from moonshine_voice import ModelArch, Transcriber, get_assets_path

from emulators.speech.audio import RATE
from emulators.speech.segments import Segment

LEAD = 1.0
"""Seconds of silence put before each segment. The engine's voice detector remembers the end of what it heard before,
and without this it hears a word ("You") in the first tenths of a second that nobody said."""

SHORTEST = RATE // 10
"""Samples below which there is nothing to hear."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Utterance:
    """Something said without a pause: on which channel (from 1), what, from which second to which."""

    channel: int
    text: str
    start: float
    end: float


class Engine:
    """Transcribes in one thread: the model itself uses every core, and its voice detector is shared by all of it."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="speech")
        self._model: Transcriber | None = None

    async def warm_up(self) -> None:
        """Load the model."""
        await self.in_thread(self._load)

    async def transcribe(self, segment: Segment) -> list[Utterance]:
        """What is said in a segment, in order; nothing if nothing is."""
        return await self.in_thread(lambda: self._transcribe(segment))

    async def in_thread(self, work: Callable[[], Result]) -> Result:
        """Do something slow off the event loop, in turn with the engine."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Stop after the segment that is being heard this moment."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _load(self) -> Transcriber:
        if self._model is None:
            model = Path(str(get_assets_path())) / "tiny-en"
            self._model = Transcriber(model, ModelArch.TINY, options={"return_audio_data": "false"})
        return self._model

    def _transcribe(self, segment: Segment) -> list[Utterance]:
        if len(segment.samples) < SHORTEST or not segment.samples.any():
            return []
        lead = np.zeros(int(LEAD * RATE), dtype=np.float32)
        heard = self._load().transcribe_without_streaming(np.concatenate([lead, segment.samples]).tolist(), RATE)
        offset = segment.start - LEAD
        return [
            Utterance(segment.channel, line.text.strip(), max(line.start_time, LEAD) + offset, end + offset)
            for line in heard.lines
            if (end := line.start_time + line.duration) > LEAD and any(letter.isalnum() for letter in line.text)
        ]
