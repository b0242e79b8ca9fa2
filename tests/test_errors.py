import re
from pathlib import Path

import pytest

from errlens import errors
from errlens.errors import (
    ClassCountMismatch,
    ErrlensError,
    IncompatibleCheckpoint,
    MissingInput,
    UnknownLabels,
    UnknownModel,
)


def subclasses(kind):
    for child in kind.__subclasses__():
        yield child
        yield from subclasses(child)


def test_the_tree_at_the_top_of_the_package_is_the_tree_of_classes():
    drawn = re.findall(r"── (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(kind.__name__ for kind in subclasses(ErrlensError))
    codes = dict(re.findall(r"── (\w+) \((\d+)\)", errors.__doc__))
    assert codes == {"UsageError": "2", "InputError": "3", "GateFailed": "1", "Interrupted": "130"}
    for name, code in codes.items():
        family = getattr(errors, name)
        assert all(kind.exit_code == int(code) for kind in (family, *subclasses(family)))


def test_the_tree_draws_each_class_below_its_parent():
    parents = {0: "ErrlensError"}
    for indent, name in re.findall(r"^    ([│ ]*)[├└]── (\w+)", errors.__doc__, re.MULTILINE):
        depth = len(indent) // 4 + 1
        assert [base.__name__ for base in getattr(errors, name).__bases__] == [parents[depth - 1]]
        parents[depth] = name


def test_a_failure_nobody_foresaw_ends_as_a_bug():
    assert ErrlensError("what").exit_code == 70
    assert (str(ErrlensError("what")), ErrlensError("what").hint) == ("what", "")


def test_a_missing_input_is_answered_with_its_neighbours(tmp_path):
    (tmp_path / "photos").mkdir()
    failure = MissingInput(tmp_path / "fotos", what="data")
    assert str(tmp_path / "photos") in failure.hint
    (tmp_path / "photos" / "val").mkdir()
    failure = MissingInput(tmp_path / "fotos" / "vall", what="data")
    assert failure.hint == f"did you mean {tmp_path / 'photos' / 'val'}?"
    assert "holds 'photos'" in MissingInput(tmp_path / "x" / "y", what="data").hint


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
