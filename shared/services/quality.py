"""How well the machine read or heard: its text against the one that people approved.

Character error rate: edit distance over the length of the approved text, white space folded. Word error rate: the same
of words; case and punctuation do not count, as is usual for speech.
"""

import asyncio
import re
import unicodedata
from typing import Any

from shared.models.assets import Asset, AssetState
from shared.services import texts

EFFORT = 10_000_000_000
"""Length of the approved text times the edits looked for: what bounds the time of a comparison, to about a second.
A text of 100,000 characters is always measured, one of a million only if less than 10,000 edits lie between."""
LIKELY = 100
"""Edits that are tried first; most texts are nearly right."""

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")


async def measured(asset: Asset) -> dict[str, Any]:
    """The error rates of an asset whose text is approved now; at most two reads, none if nobody corrected it."""
    if asset.state is not AssetState.PROCESSED:
        return {}
    approved = await texts.current(asset)
    machine = approved if asset.machine_revision is None else await texts.machine(asset)
    characters, words = await asyncio.to_thread(error_rates, machine, approved)
    return {"character_error_rate": characters, "word_error_rate": words}


def error_rates(found: str, truth: str) -> tuple[float | None, float | None]:
    """Character and word error rate of what was found, above 1 for too much of it.

    None where the truth has no characters or words, and for long texts that differ too much to be compared (`EFFORT`).
    """
    # Loaded by the first approval of a corrected text: nothing else needs it.
    from rapidfuzz.distance import Levenshtein

    def rate(one: str | list[str], other: str | list[str]) -> float | None:
        if not other:
            return None
        most = EFFORT // len(other)
        edits = Levenshtein.distance(one, other, score_cutoff=most, score_hint=min(LIKELY, most))
        return edits / len(other) if edits <= most else None

    return rate(" ".join(found.split()), " ".join(truth.split())), rate(_words(found), _words(truth))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
