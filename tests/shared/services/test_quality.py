"""Error rates and differences of texts."""

from hypothesis import given
from hypothesis import strategies as st

from shared.services import differences
from shared.services.quality import error_rates


def test_case_punctuation_and_white_space_count_as_far_as_each_rate_says() -> None:
    characters, words = error_rates("dear  sir\nthe river", "Dear Sir, the river.")
    assert (characters, words) == (4 / 20, 0)
    characters, words = error_rates("the rivers", "the river")
    assert (characters, words) == (1 / 9, 1 / 2)


def test_there_is_no_rate_of_nothing() -> None:
    assert error_rates("noise", "") == (None, None)
    assert error_rates("", "speech") == (1.0, 1.0)


def test_long_texts_that_differ_in_everything_are_not_measured() -> None:
    assert error_rates("a" * 500_000, "b" * 500_000)[0] is None
    assert error_rates("a" * 499_999 + "b", "a" * 500_000)[0] == 1 / 500_000


@given(st.text("ab .\n", max_size=60), st.text("ab .\n", max_size=60))
def test_the_differences_make_the_new_text_of_the_old_one(old: str, new: str) -> None:
    made, end = "", 0
    for change in differences.between(old, new):
        assert old[change.at :].startswith(change.removed)
        made += old[end : change.at] + change.added
        end = change.at + len(change.removed)
    assert made + old[end:] == new


def test_long_texts_are_compared_by_sentences() -> None:
    old = " ".join(f"Sentence {number} of many." for number in range(differences.WORDS_COMPARED))
    new = "A beginning. " + old.replace("Sentence 77 of", "Sentence 77 out of") + " An end."
    changes = differences.between(old, new)
    removed = [change.removed for change in changes]
    assert removed == ["", "Sentence 77 of many. ", f"Sentence {differences.WORDS_COMPARED - 1} of many."]
