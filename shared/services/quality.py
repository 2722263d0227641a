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
    """Character and word error rate of what was found; None where the truth has none. Above 1 for too much."""
    # Loaded by the first approval of a corrected text: nothing else needs it.
    from rapidfuzz.distance import Levenshtein

    def rate(one: str | list[str], other: str | list[str]) -> float | None:
        return Levenshtein.distance(one, other) / len(other) if other else None

    return rate(" ".join(found.split()), " ".join(truth.split())), rate(_words(found), _words(truth))


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())
