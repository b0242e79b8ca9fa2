import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens import errors
from errlens.errors import (
    ClassCountMismatch,
    ErrlensError,
    IncompatibleCheckpoint,
    MissingInput,
    UnknownLabels,
    UnknownModel,
    nearest,
    some,
)


def subclasses(kind):
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_the_tree_at_the_top_of_the_module_is_the_tree_of_classes():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(one.__name__ for one in subclasses(ErrlensError))
    codes = dict(re.findall(r"── (\w+) \((\d+)\)", errors.__doc__))
    assert codes == {"UsageError": "2", "InputError": "3", "GateFailed": "1", "Interrupted": "130"}
    for name, code in codes.items():
        family = getattr(errors, name)
        assert all(one.exit_code == int(code) for one in (family, *subclasses(family)))


def test_the_tree_draws_each_class_below_its_parent():
    parents = {0: "ErrlensError"}
    for indent, name in re.findall(r"^    ([│ ]*)[├└]── (\w+)", errors.__doc__, re.MULTILINE):
        depth = len(indent) // 4 + 1
        assert [base.__name__ for base in getattr(errors, name).__bases__] == [parents[depth - 1]]
        parents[depth] = name


def test_a_failure_nobody_foresaw_ends_as_a_bug():
    assert ErrlensError("what").exit_code == 70
    assert (str(ErrlensError("what")), ErrlensError("what").hint) == ("what", "")


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


def test_a_missing_input_is_answered_with_its_neighbours(tmp_path):
    (tmp_path / "photos").mkdir()
    failure = MissingInput(tmp_path / "fotos", what="data")
    assert str(tmp_path / "photos") in failure.hint
    assert "does not exist either" in MissingInput(tmp_path / "a" / "b", what="data").hint


@pytest.mark.parametrize(
    ("failure", "facts", "hint"),
    [
        (UnknownModel("resnet_50", ["resnet50"]), ["'resnet_50'", "timm"], "resnet50"),
        (UnknownModel("zzz", ["resnet50"], where="hub"), ["'zzz'", "hub"], "see what hub has"),
        (ClassCountMismatch(outputs=5, names=4, source="labels"), ["5", "4"], "--classes"),
        (
            UnknownLabels(["catt", "cow"], ["cat", "dog"], of=5, source="f"),
            ["'catt', 'cow'", "nearest to 'catt': 'cat'", "2 class names"],
            "--classes",
        ),
        (
            IncompatibleCheckpoint(Path("w.pt"), missing=["a"], unexpected=[], misshaped=["b"]),
            ["w.pt", "1 missing: 'a'", "1 of another shape: 'b'"],
            "--model",
        ),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(failure, facts, hint):
    assert [fact for fact in facts if fact not in str(failure)] == []
    assert hint in failure.hint


def test_a_checkpoint_that_lacks_nothing_else_says_no_more():
    failure = IncompatibleCheckpoint(Path("w"), missing=[], unexpected=["x"], misshaped=[])
    assert "missing" not in str(failure)
    assert "shape" not in str(failure)
