import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from errlens.terminal.words import Shortening, folded, shortened

names = st.text("ab0_/猫\u0301", min_size=1, max_size=40)


@given(names, st.integers(3, 50))
def test_a_short_name_is_as_wide_as_asked_at_most_and_keeps_its_ends(name, width):
    short = shortened(name, width)
    assert cell_len(short) <= width
    if cell_len(name) <= width:
        assert short == name
    else:
        start, end = short.split("…")
        assert name.startswith(start)
        assert name.endswith(end)


def test_names_that_differ_in_one_place_only_stay_apart():
    places = [f"site_{index:03d}_of_the_hospital" for index in range(200)]
    shorten = Shortening(places, 12)
    assert len({shorten(name) for name in places}) == len(places)


@given(st.lists(st.text("ab", min_size=8, max_size=12), unique=True, max_size=12))
def test_a_name_that_can_be_cut_unlike_all_others_looks_unlike_them(names):
    shorten = Shortening(names, 7)
    shown = [shorten(name) for name in names]
    for name in names:
        ends = [[(other[:head], other[head - 6 :]) for other in names] for head in range(1, 6)]
        if any(of.count(of[names.index(name)]) == 1 for of in ends):
            assert shown.count(shorten(name)) == 1


def test_of_a_path_the_end_is_kept():
    assert (
        shortened("photos/german_shorthaired/german_shorthaired_127.jpg", 20)
        == "photos…aired_127.jpg"
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("an interval of 62.2 to 75.4 % of them", ["an interval of 62.2 to", "75.4 % of them"]),
        ("a drop of between 1.5 and 2.0 pp", ["a drop of between 1.5", "and 2.0 pp"]),
        ("mutually confused in x (A ~ B)", ["mutually confused in x", "(A ~ B)"]),
        ("", [""]),
    ],
)
def test_a_sentence_is_broken_between_words_and_numbers_keep_their_units(text, lines):
    assert folded(text, 22) == lines


@given(
    st.lists(st.text("abc猫", min_size=1, max_size=9), min_size=1, max_size=12), st.integers(2, 30)
)
def test_folding_loses_nothing(words, width):
    text = " ".join(words)
    lines = folded(text, width)
    assert " ".join(lines) == text
    assert all(cell_len(line) <= width or " " not in line for line in lines)
    cut = folded(text, width, cut=True)
    assert max(map(cell_len, cut)) <= width
    assert "".join(cut).replace(" ", "") == text.replace(" ", "")
