"""How two texts differ, in words that people can read."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from shared.models.revisions import CHANGED_LIMIT, CHANGES_LIMIT, TextChange

WORDS_COMPARED = 4_000
"""Words between the first and the last difference up to which they are compared word by word; above, sentence by
sentence, since difflib takes quadratic time."""

_WORD = re.compile(r"\s+|\S+")
_SENTENCE = re.compile(r"[^.!?\n]*[.!?\n]+\s*|[^.!?\n]+")


def between(old: str, new: str) -> list[TextChange]:
    """Every place in which they differ, in its order: what was removed there, and what came instead."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    start = _alike(before, after)
    end = _alike(before[start:][::-1], after[start:][::-1])
    before_between, after_between = before[start : len(before) - end], after[start : len(after) - end]
    if max(len(before_between), len(after_between)) > WORDS_COMPARED:
        before_between, after_between = (_SENTENCE.findall("".join(one)) for one in (before_between, after_between))
    return _changes(before_between, after_between, at=sum(map(len, before[:start])))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many units they begin with in common."""
    pairs = zip(one, other, strict=False)
    return next((count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other)))


def _changes(before: Sequence[str], after: Sequence[str], at: int) -> list[TextChange]:
    found = []
    for what, left, right, new_left, new_right in SequenceMatcher(None, before, after).get_opcodes():
        removed = "".join(before[left:right])
        if what != "equal":
            found.append(TextChange(at=at, removed=removed, added="".join(after[new_left:new_right])))
        at += len(removed)
    return found


def kept(changes: Sequence[TextChange]) -> list[TextChange]:
    """As many of the first changes as a revision keeps."""
    found: list[TextChange] = []
    room = CHANGED_LIMIT
    for change in changes[:CHANGES_LIMIT]:
        room -= len(change.removed) + len(change.added)
        if room < 0:
            break
        found.append(change)
    return found
