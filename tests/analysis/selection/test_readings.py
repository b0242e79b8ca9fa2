import time
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.selection.readings import joined_readings


def plainly(text, words):
    """Every way to cut the text at some of its plus signs, by trying all."""
    if text in words:
        yield (text,)
    for at, letter in reversed(list(enumerate(text))):
        if letter == "+" and text[:at] in words:
            for rest in plainly(text[at + 1 :], words):
                yield (text[:at], *rest)


@settings(deadline=None)
@given(st.text("ab+", max_size=8), st.sets(st.text("ab+", min_size=1, max_size=4)))
def test_all_readings_are_found_in_their_order(text, words):
    found = joined_readings(text, lambda word: {word} & words, reach=lambda _: 5)
    assert list(found) == list(plainly(text, words))


def test_a_text_without_a_reading_is_told_after_one_look_at_each_word():
    looked_at = []

    def meanings(word):
        looked_at.append(word)
        return [word] * (word != "x")

    text = "+".join(["a"] * 3000 + ["x"])
    assert not list(joined_readings(text, meanings, reach=lambda _: 1))
    assert len(looked_at) <= 3001


def test_the_first_of_countless_readings_come_at_once():
    start = time.perf_counter()
    text = "+".join(["a"] * 3000)
    found = joined_readings(text, lambda word: [word], reach=lambda _: 3)
    assert len(list(islice(found, 100))) == 100
    assert time.perf_counter() - start < 5
