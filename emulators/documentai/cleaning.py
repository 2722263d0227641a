"""Making paper white before letters are looked for.

Tesseract parts ink from paper with one threshold for the whole page. On a sheet with few letters and uneven paper that
threshold falls among the greys of the paper, and dirt is read as text.
"""

import numpy as np
from PIL import Image, ImageFilter

SHRINK = 8
"""Pixels that are averaged into one before the paper is looked for: strokes of letters vanish in them."""
REACH = 9
"""Such averages among which the lightest is the paper: about a third of an inch."""
WHITE = 0.8
"""Part of the paper's lightness from which on a pixel is paper."""


def on_white(page: Image.Image) -> Image.Image:
    """The grey page with its paper, however toned, shaded or grainy, turned to white."""
    light = page.reduce(SHRINK).filter(ImageFilter.MaxFilter(REACH)).filter(ImageFilter.GaussianBlur(REACH // 2))
    paper = np.asarray(light.resize(page.size, Image.Resampling.BILINEAR), dtype=np.float32)
    relative = np.asarray(page, dtype=np.float32) / np.maximum(paper, 1)
    return Image.fromarray((np.minimum(relative / WHITE, 1) * 255).astype(np.uint8))
