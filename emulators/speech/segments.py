"""Cutting long recordings where nobody speaks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from emulators.speech.audio import RATE, Samples

LONGEST = 20 * RATE
"""Samples in a segment at most: the engine is never busy with one for long, and memory stays flat."""
SEARCH = 8 * RATE
"""Samples at the end of a full segment among which the quietest place is sought."""
WINDOW = RATE // 5
"""A fifth of a second: the shortest pause worth cutting in."""


@dataclass(frozen=True)
class Segment:
    """Samples of one channel (from 1), and the second at which they begin in the recording."""

    channel: int
    start: float
    samples: Samples


def segments(pieces: Iterable[Samples], channels: int) -> Iterator[Segment]:
    """Segments of the first `channels` channels, in the order in which they were spoken."""
    kept: list[Samples] = []
    length = 0
    start = 0
    for piece in pieces:
        kept.append(piece[:channels])
        length += piece.shape[1]
        while length >= LONGEST:
            whole = np.concatenate(kept, axis=1)
            cut = _quietest(whole)
            yield from _each(whole[:, :cut], start)
            kept, length, start = [whole[:, cut:]], length - cut, start + cut
    if length:
        yield from _each(np.concatenate(kept, axis=1), start)


def _each(samples: Samples, start: int) -> Iterator[Segment]:
    for channel, one in enumerate(samples, start=1):
        yield Segment(channel, start / RATE, one)


def _quietest(samples: Samples) -> int:
    """The middle of the quietest window near the end of what one segment may hold."""
    first = LONGEST - SEARCH
    tail = samples[:, first:LONGEST]
    loudness = np.square(tail[:, : SEARCH // WINDOW * WINDOW].reshape(len(tail), -1, WINDOW)).mean(axis=(0, 2))
    return int(first + loudness.argmin() * WINDOW + WINDOW // 2)
