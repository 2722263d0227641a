"""Recordings in and out of files, as one channel of samples."""

import io
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

RATE = 16_000
"""Samples a second of everything here."""

Samples = NDArray[np.int16]


def load(path: Path) -> Samples:
    """The first channel of a recording, at `RATE`."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = [piece for frame in container.decode(audio=0) for piece in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.int16)


def silence(seconds: float) -> Samples:
    """Nothing said."""
    return np.zeros(round(seconds * RATE), dtype=np.int16)


def encode(samples: Samples, container: str, codec: str, *, rate: int = RATE, bit_rate: int | None = None) -> bytes:
    """The recording as a file: FFmpeg's names of the container (`ogg`) and of the codec (`libopus`)."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = cast("av.AudioStream", output.add_stream(codec, rate=rate, layout="mono"))
        if bit_rate:
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.time_base = Fraction(1, RATE)
        frame.pts = 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)
    return file.getvalue()
