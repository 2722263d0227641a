"""Recordings of any kind as samples for the engine, piece by piece: eight hours never lie in memory."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from google.cloud import speech_v2
from numpy.typing import NDArray

from emulators.engines.errors import InvalidArgument
from emulators.speech.limits import unsupported_encoding

RATE = 16_000
"""Samples a second that the engine wants."""

Samples = NDArray[np.float32]

Encoding = speech_v2.ExplicitDecodingConfig.AudioEncoding

OGG, WEBM, MP4 = "ogg", "matroska,webm", "mov,mp4,m4a,3gp,3g2,mj2"

CODECS = {
    "wav": {"pcm_s16le", "pcm_mulaw", "pcm_alaw"},
    "flac": {"flac"},
    "mp3": {"mp3", "mp3float"},
    OGG: {"opus", "libopus"},
    WEBM: {"opus", "libopus"},
    MP4: {"aac"},
    "amr": {"amrnb", "amrwb", "libopencore_amrnb", "libopencore_amrwb"},
}
"""Container → codecs, as FFmpeg calls them: what AutoDetectDecodingConfig promises and no more."""

RAW = {Encoding.LINEAR16: "s16le", Encoding.MULAW: "mulaw", Encoding.ALAW: "alaw"}
CONTAINERS = {
    Encoding.AMR: "amr",
    Encoding.AMR_WB: "amr",
    Encoding.FLAC: "flac",
    Encoding.MP3: "mp3",
    Encoding.OGG_OPUS: OGG,
    Encoding.WEBM_OPUS: WEBM,
    Encoding.MP4_AAC: MP4,
    Encoding.M4A_AAC: MP4,
    Encoding.MOV_AAC: MP4,
}

MIN_RATE, MAX_RATE = 8_000, 48_000
MAX_CHANNELS = 8


@dataclass
class Recording:
    """An open recording: its length in seconds as its header claims (0 if it claims nothing), and its channels."""

    claimed: float
    channels: int
    _container: av.container.InputContainer
    decoded: float = 0
    """Seconds that `pieces` has given so far."""

    def pieces(self) -> Iterator[Samples]:
        """Samples at `RATE`, shaped (channels, n). `InvalidArgument` where the data is broken."""
        resampler: av.AudioResampler | None = None
        count = 0
        try:
            for frame in self._container.decode(audio=0):
                resampler = resampler or av.AudioResampler(format="fltp", layout=frame.layout.name, rate=RATE)
                count += frame.samples
                self.decoded = count / frame.sample_rate
                for piece in resampler.resample(frame):
                    yield piece.to_ndarray().astype(np.float32, copy=False)
            for piece in resampler.resample(None) if resampler else ():
                yield piece.to_ndarray().astype(np.float32, copy=False)
        except av.error.FFmpegError as error:
            raise unsupported_encoding() from error


@contextmanager
def recording(content: bytes | Path, config: speech_v2.RecognitionConfig) -> Iterator[Recording]:
    """Open audio as the request says it is encoded. `InvalidArgument` if it is not."""
    file = io.BytesIO(content) if isinstance(content, bytes) else str(content)
    raw = _raw(config)
    if _head(content) == b"RIFF":  # bare samples with a header after all: the header knows better
        raw = None
    name, options = raw or (None, {})
    try:
        container = cast("av.container.InputContainer", av.open(file, format=name, options=options))
    except (av.error.FFmpegError, ValueError) as error:
        raise unsupported_encoding() from error
    with container:
        if not container.streams.audio or not (raw or _expected(container, config)):
            raise unsupported_encoding()
        channels = container.streams.audio[0].codec_context.channels
        yield Recording((container.duration or 0) / av.time_base, channels, container)


def _expected(container: av.container.InputContainer, config: speech_v2.RecognitionConfig) -> bool:
    """Whether a container and its codec are what the config names, or any supported if it names none."""
    encoding = config.explicit_decoding_config.encoding
    if encoding in CONTAINERS and container.format.name != CONTAINERS[encoding]:
        return False
    return container.streams.audio[0].codec_context.name in CODECS.get(container.format.name, ())


def _head(content: bytes | Path) -> bytes:
    if isinstance(content, bytes):
        return content[:4]
    with content.open("rb") as file:
        return file.read(4)


def _raw(config: speech_v2.RecognitionConfig) -> tuple[str, dict[str, str]] | None:
    """FFmpeg's name and options of bare samples, if these are; `InvalidArgument` for a config that is not whole."""
    if "auto_decoding_config" in config:
        return None
    if "explicit_decoding_config" not in config:
        raise InvalidArgument("One of auto_decoding_config and explicit_decoding_config must be set.")
    explicit = config.explicit_decoding_config
    if explicit.encoding in CONTAINERS:
        return None
    if explicit.encoding not in RAW:
        raise InvalidArgument("The encoding of the audio must be specified.")
    if not MIN_RATE <= explicit.sample_rate_hertz <= MAX_RATE:
        raise InvalidArgument(f"Invalid sample rate hertz value: {explicit.sample_rate_hertz}")
    if not 1 <= explicit.audio_channel_count <= MAX_CHANNELS:
        raise InvalidArgument(f"Invalid audio channel count: {explicit.audio_channel_count}")
    layout = {1: "mono", 2: "stereo"}.get(explicit.audio_channel_count, f"{explicit.audio_channel_count}c")
    return RAW[explicit.encoding], {"sample_rate": str(explicit.sample_rate_hertz), "ch_layout": layout}
