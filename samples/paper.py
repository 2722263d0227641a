"""Printed pages as pictures, clean or as they come out of a scanner."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

A4 = (8.27, 11.69)
"""Inches."""
MARGIN = 1.0
"""Inches."""
POINTS = 11.0
LEADING = 1.45
"""Distance of lines, in sizes of the letters."""

PAPER = 240
"""Grey of the sheet as the scanner sees it, of 255."""
INK = 45
TONE = (1.0, 0.985, 0.94)
"""Red, green and blue of the paper: it is not quite white."""
GRAIN = 2.0
"""Standard deviation of the scanner's noise, in greys."""
SPECKS = 0.0002
"""Part of the sheet that is dust."""
STEP = 8
"""Greys that a scanner's document setting takes for one; it makes the file small."""


def printed(text: str, dpi: int = 200, points: float = POINTS) -> Image.Image:
    """An A4 page with this text in black on white, set in the typeface that Pillow brings along."""
    page = Image.new("L", (round(A4[0] * dpi), round(A4[1] * dpi)), 255)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(points / 72 * dpi)
    width = page.width - 2 * MARGIN * dpi
    y = MARGIN * dpi
    for paragraph in text.splitlines():
        for line in _wrapped(paragraph, draw, font, width):
            draw.text((MARGIN * dpi, y), line, font=font, fill=0)
            y += LEADING * points / 72 * dpi
    return page


def _wrapped(
    paragraph: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float
) -> list[str]:
    lines = [""]
    for word in paragraph.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font=font) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def scanned(page: Image.Image, tilt: float, seed: int) -> Image.Image:
    """The page as a scanner gives it: tilted by some degrees, a little soft, on toned and speckled paper, in colour.

    The same seed gives the same picture.
    """
    random = np.random.default_rng(seed)
    soft = page.rotate(tilt, resample=Image.Resampling.BICUBIC, fillcolor=255).filter(ImageFilter.GaussianBlur(0.7))
    ink = 1 - np.asarray(soft, dtype=np.float32) / 255
    shade = np.linspace(14, 0, page.width, dtype=np.float32)  # the side where the binding kept it off the glass
    grain = random.normal(0, GRAIN, ink.shape)
    grey = (PAPER - shade) * (1 - ink) + INK * ink + grain
    specks = random.random(ink.shape) < SPECKS
    grey[specks] = random.integers(60, 160, specks.sum())
    levels = Image.fromarray((np.clip(grey, 0, 255) // STEP).astype(np.uint8), "P")
    levels.putpalette([round(STEP * level * tone) for level in range(256 // STEP) for tone in TONE])
    return levels
