"""Documents and recordings for tests, whole, odd and broken. Every function returns the bytes of a file.

The same arguments give the same bytes, so that a test can tell a file again by its checksum.
"""

import io
import wave
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pypdf
from PIL import Image

from samples.paper import printed, scanned
from samples.sound import RATE, Samples, encode, load, silence

SAMPLES = Path(__file__).parents[1] / "samples" / "upload"
EXPECTED = Path(__file__).parents[1] / "samples" / "expected"

LETTER = (
    "The ferry leaves the north pier at seven in the morning.\n"
    "Tickets for 24 passengers were sold on Friday, 6 March 2026.\n"
    "Please bring the blue folder and two copies of the map."
)
"""Print in plain words and figures, for readers that must find it again."""

SMALL = (298, 420)
"""Points of an A6 sheet: quicker to read than A4."""


def sample(name: str) -> bytes:
    """One of the project's samples, `letter.png` for instance."""
    return (SAMPLES / name).read_bytes()


def expected(name: str) -> str:
    """What a person reads or hears in a sample, by its name without the extension."""
    return (EXPECTED / f"{name}.txt").read_text()


# --- documents


def picture(kind: str, text: str = LETTER) -> bytes:
    """A printed page as `png`, `jpeg`, `webp`, `gif`, `bmp` or `tiff`."""
    return _saved(printed(text), kind)


def tiff(texts: Sequence[str]) -> bytes:
    """A TIFF of several pages."""
    return _saved(printed(texts[0]), "tiff", *(printed(text) for text in texts[1:]))


def pdf(pages: Sequence[str], size: tuple[int, int] = SMALL) -> bytes:
    """A PDF with a text layer: Helvetica of 14 points, each page's lines below each other; size in points."""
    kids = " ".join(f"{4 + 2 * index} 0 R" for index in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for index, text in enumerate(pages):
        shown = " ".join(f"({_escaped(line)}) Tj T*" for line in text.splitlines())
        stream = f"BT /F 14 Tf 20 TL 30 {size[1] - 50} Td {shown} ET"
        objects += [
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {size[0]} {size[1]}]/Contents {5 + 2 * index} 0 R"
            "/Resources<</Font<</F 3 0 R>>>>>>",
            f"<</Length {len(stream)}>>stream\n{stream}\nendstream",
        ]
    return _pdf_file(objects)


def numbered_pdf(pages: int) -> bytes:
    """A PDF of so many pages that say "Sheet 1", "Sheet 2" and so on."""
    return pdf([f"Sheet {number}" for number in range(1, pages + 1)])


def scanned_pdf(texts: Sequence[str]) -> bytes:
    """A PDF of scans, without a text layer."""
    sheets = [scanned(printed(text), tilt=0.5, seed=7).convert("RGB") for text in texts]
    return _saved(sheets[0], "pdf", *sheets[1:], resolution=200, quality=60)


def encrypted_pdf() -> bytes:
    """A PDF that opens with a password only."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(numbered_pdf(1)))
    writer.encrypt("secret", algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def truncated_pdf() -> bytes:
    """The first half of a PDF, as an upload that broke off leaves it."""
    whole = numbered_pdf(20)
    return whole[: len(whole) // 2]


def truncated_png() -> bytes:
    """The first half of a PNG."""
    whole = picture("png")
    return whole[: len(whole) // 2]


def empty() -> bytes:
    """A file of no bytes."""
    return b""


def text_named_png() -> bytes:
    """Plain text, which somebody gave the name of a picture."""
    return b"This is no picture, whatever its name says.\n"


def blank_page() -> bytes:
    """A scan (PNG) of an empty sheet: paper and dust, no letters."""
    return _saved(scanned(printed(""), tilt=0, seed=3), "png")


def turned_scan(degrees: int, text: str = LETTER) -> bytes:
    """A scan (PNG) that was put into the scanner turned, by so many degrees clockwise."""
    return _saved(scanned(printed(text), tilt=0, seed=5).convert("L").rotate(-degrees, expand=True), "png")


def _saved(image: Image.Image, kind: str, *others: Image.Image, **options: int) -> bytes:
    file = io.BytesIO()
    more = {"save_all": True, "append_images": list(others)} if others or kind == "pdf" else {}
    image.save(file, kind.upper(), **more, **options)
    return file.getvalue()


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _pdf_file(objects: Sequence[str]) -> bytes:
    """The numbered objects, the table of where each begins, and the trailer."""
    file = b"%PDF-1.4\n"
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(file))
        file += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    size = len(objects) + 1
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{len(file)}\n%%EOF\n"
    return file + f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


# --- recordings

ENCODINGS = {
    "wav": ("wav", "pcm_s16le", 16_000),
    "mulaw-wav": ("wav", "pcm_mulaw", 8_000),
    "flac": ("flac", "flac", 16_000),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "ogg": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "m4a": ("ipod", "aac", 44_100),
    "mp4": ("mp4", "aac", 48_000),
    "amr": ("amr", "libopencore_amrnb", 8_000),
    "aiff": ("aiff", "pcm_s16be", 16_000),
}
"""Name of a kind → container, codec and rate as FFmpeg has them. AIFF is one that Speech-to-Text does not read."""

SENTENCE = (
    "And Mr. John Dashwood had then leisure to consider how much there might be prudently in his power to do for them."
)
SENTENCE_SECONDS = 7.1
"""How long the first sentence of the short sample takes."""


@cache
def spoken() -> Samples:
    """The short sample recording, 27 s of a woman reading Austen."""
    return load(SAMPLES / "austen-reading.flac")


def speech(kind: str = "flac") -> bytes:
    """The short sample recording, encoded as one of `ENCODINGS`."""
    return _encoded(spoken(), kind)


def sentence(kind: str = "flac") -> bytes:
    """The first sentence of the short sample, 7 s."""
    return _encoded(spoken()[: round(SENTENCE_SECONDS * RATE)], kind)


def speech_of(seconds: float, kind: str = "ogg") -> bytes:
    """Speech of exactly this length: the short sample over and over."""
    return _encoded(np.resize(np.concatenate([spoken(), silence(0.6)]), round(seconds * RATE)), kind)


def raw_sentence() -> bytes:
    """The first sentence as bare samples: 16 bits, little-endian, 16 kHz, one channel, no header."""
    return spoken()[: round(SENTENCE_SECONDS * RATE)].astype("<i2").tobytes()


def two_voices() -> bytes:
    """A stereo WAV with the first sentence on the left, and on the right the same two seconds later."""
    late = np.concatenate([silence(2), spoken()[: round(SENTENCE_SECONDS * RATE)]])
    left = np.concatenate([late[2 * RATE :], silence(2)])
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setparams((2, 2, RATE, 0, "NONE", ""))
        output.writeframes(np.stack([left, late], axis=1).astype("<i2").tobytes())
    return file.getvalue()


def silent(seconds: float, kind: str = "wav") -> bytes:
    """A recording in which nothing is said, nor heard."""
    return _encoded(silence(seconds), kind)


@cache
def endless() -> bytes:
    """An Ogg that claims to last nine hours: a second of silence whose last page bears a late time."""
    file = bytearray(silent(1, "ogg"))
    page = file.rindex(b"OggS")
    file[page + 6 : page + 14] = (9 * 3600 * 48_000).to_bytes(8, "little")
    file[page + 22 : page + 26] = bytes(4)
    file[page + 22 : page + 26] = _ogg_checksum(bytes(file[page:])).to_bytes(4, "little")
    return bytes(file)


def _ogg_checksum(page: bytes) -> int:
    """RFC 3533, section 6: a CRC with polynomial 0x04C11DB7, without reflection."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
            value &= 0xFFFFFFFF
    return value


def hissing(seconds: float, kind: str = "wav") -> bytes:
    """A recording in which nothing is said: the faint noise of a microphone in an empty room."""
    noise = np.random.default_rng(11).normal(0, 40, round(seconds * RATE))
    return _encoded(noise.astype(np.int16), kind)


def _encoded(samples: Samples, kind: str) -> bytes:
    container, codec, rate = ENCODINGS[kind]
    return encode(samples, container, codec, rate=rate)
