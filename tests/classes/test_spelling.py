import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.classes.spelling import as_number, folded, other_names, tidied


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("cat", "Cat"),
        ("cat", " cat "),
        ("cat", "cat\u00a0"),
        ("cat", "\ufeffcat"),
        ("cat", "c\u00adat\u200b"),
        ("cat", '"cat"'),
        ("cat", "\uff43\uff41\uff54"),
        ("grey cat", "Grey_Cat"),
        ("grey cat", "grey-cat"),
        ("grey cat", "grey\u2013cat"),
        ("b\u00e4r", "ba\u0308r"),
        ("stra\u00dfe", "STRASSE"),
        ("tom & jerry", "Tom &amp; Jerry"),
        ("dog's", "dog\u2019s"),
        ("7", "007"),
        ("7", "7.0"),
        ("class_7", "class 07"),
    ],
)
def test_spellings_of_one_name(name, other):
    assert folded(name) == folded(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("1", "-1"),
        ("-", "_"),
        ("1.5", "1.05"),
        ("c", "c++"),
        ("70", "7"),
        ("n1", "n01"),
        ("3.5", "3"),
    ],
)
def test_names_of_two_classes(name, other):
    assert folded(name) != folded(other)


@settings(deadline=None)
@given(st.text())
def test_tidying_twice_is_tidying_once_and_folding_forgets_what_is_tidied(name):
    assert tidied(tidied(name)) == tidied(name)
    assert folded(tidied(name)) == folded(name)
    assert tidied(name) == unicodedata.normalize("NFC", tidied(name))


def test_what_joins_letters_stays():
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert tidied(persian) == persian


@settings(deadline=None)
@given(st.integers(0, 10**17), st.integers(0, 5), st.sampled_from(["", ".0", ".", ".000"]))
def test_numbers_with_zeros_around_them(number, zeros, end):
    assert as_number("0" * zeros + f"{number}{end}") == number


@pytest.mark.parametrize("text", ["", "-1", "1e3", "3.5", "x", "\u00b2", "9" * 5000])
def test_what_is_no_number(text):
    assert as_number(text) is None


def test_a_synset_beside_a_name_counts_more_than_the_name():
    assert other_names("n02085620-Chihuahua")[:2] == ["n02085620", "chihuahua"]
    assert "crane" not in other_names("crane (n02012849)")
    assert other_names("n09999999-my_dog") == ["n09999999", "my dog"]
    assert other_names("3 d") == ["d"]
    assert other_names("3d") == other_names("cat") == []
