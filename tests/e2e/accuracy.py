"""How much of a text was recognised: character and word error rates (edit distance over the length of the truth)."""

import re
from collections.abc import Sequence


def character_errors(truth: str, found: str) -> float:
    """Part of the characters that are wrong, missing or too many; white space is folded."""
    expected = " ".join(truth.split())
    return _distance(expected, " ".join(found.split())) / len(expected)


def word_errors(truth: str, found: str) -> float:
    """Part of the words that are wrong, missing or too many; case and punctuation do not count."""
    expected = _words(truth)
    return _distance(expected, _words(found)) / len(expected)


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for number, left in enumerate(one, 1):
        above, row[0] = row[0], number
        for index, right in enumerate(other, 1):
            above, row[index] = row[index], min(row[index] + 1, row[index - 1] + 1, above + (left != right))
    return row[-1]
