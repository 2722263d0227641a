"""Files as bytes: pages and recordings made for a test."""

import io
import wave
from collections.abc import Sequence

from PIL import Image

RATE = 16_000
"""Samples a second."""


def png(page: Image.Image) -> bytes:
    """A page as PNG."""
    return _saved(page, "PNG")


def pdf(pages: Sequence[Image.Image], dpi: int = 200) -> bytes:
    """Pages as a PDF of pictures."""
    return _saved(pages[0], "PDF", save_all=True, append_images=list(pages[1:]), resolution=dpi)


def _saved(page: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    page.save(out, form, **options)
    return out.getvalue()


def silence(seconds: float) -> bytes:
    """A WAV in which nobody says anything."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(b"\x00\x00" * int(RATE * seconds))
    return out.getvalue()
