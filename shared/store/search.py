"""Finding people and companies by the beginnings of words: Firestore itself can't search in text.

A document holds the beginnings of its words in the list `terms`; a search asks for one of them with array-contains.
"""

import re
import unicodedata
from dataclasses import replace

from shared.store.firestore import Condition, Write

WORDS = 8
"""Words of a document that can be found."""
LETTERS = 12
"""Letters of a word that can be searched by; a longer search finds what begins alike."""


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(
        r"\w+", "".join(letter for letter in plain if not unicodedata.combining(letter)).replace("_", " ")
    )


def terms(*texts: str | None) -> list[str]:
    """What a document with these texts can be found by: at most `WORDS` x `LETTERS` short strings."""
    words = list(dict.fromkeys(word for text in texts if text for word in _words(text)))[:WORDS]
    return sorted({word[:length] for word in words for length in range(1, min(len(word), LETTERS) + 1)})


def searchable(write: Write, *texts: str | None, state: str) -> Write:
    """The write, with what its document can be found by: its texts, and the state that follows from its fields."""
    fields = {**(write.fields or {}), "terms": terms(*texts), "state": str(state)}
    mask = (*write.mask, "terms", "state") if write.mask is not None else None
    return replace(write, fields=fields, mask=mask)


def found_by(text: str) -> tuple[Condition, ...]:
    """The condition that finds documents by the longest word of a text; none for a text without words."""
    word = max(_words(text), key=len, default="")
    return (("terms", "array-contains", word[:LETTERS]),) if word else ()
