import re

from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.errors import nearest, some

words = st.lists(st.text("abcdef", min_size=1, max_size=6), unique=True, max_size=8)


@settings(deadline=None)
@given(st.text("abcdef", min_size=1, max_size=6), words, st.integers(1, 4))
def test_the_nearest_are_a_few_of_the_known_and_a_known_word_is_nearest_itself(word, known, most):
    found = nearest(word, known, most=most)
    assert set(found) <= set(known)
    assert len(found) == len(set(found)) <= most
    assert nearest(word, [*known, word])[0] == word


def test_case_does_not_keep_words_apart():
    assert nearest("RESNET50", ["vgg11", "ResNet50"]) == ["ResNet50"]
    assert nearest("zzz", ["vgg11", "ResNet50"]) == []


@settings(deadline=None)
@given(words, st.integers(1, 9))
def test_some_names_the_first_and_counts_the_rest(names, most):
    text = some(names, most=most)
    named = re.findall(r"'(\w+)'", text)
    assert named == names[:most]
    rest = re.search(r" and (\d+) more$", text)
    assert len(named) + (int(rest[1]) if rest else 0) == len(names)
