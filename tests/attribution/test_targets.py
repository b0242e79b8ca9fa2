"""What is explained of an image, from what the user asks for."""

import pytest

from errlens.attribution.targets import Prediction, Wanted
from errlens.classes.names import OUTPUT_NUMBERS, ClassNames
from errlens.errors import UnfitOption
from errlens.maps import Target

CLASSES = ClassNames(("ant", "bee", "cow", "dog"))


def prediction(*, pred=1, label=2, top=(1, 3, 2)):
    return Prediction(
        image="row 0", pred=pred, label=label, top=top, chances=dict.fromkeys(top, 0.2)
    )


def asked(*roles, rather_than=None, **known):
    return Wanted(CLASSES, list(roles) or None, rather_than).targets(prediction(**known))


def test_by_default_the_two_answers_and_why_the_one_rather_than_the_other():
    assert asked() == [Target("predicted", 1), Target("true", 2), Target("difference", 1, 2)]
    right = [Target("predicted", 1), Target("second", 3), Target("difference", 1, 3)]
    assert asked(label=1) == right
    assert asked(label=None) == right


def test_roles_and_classes_may_be_asked_for():
    assert asked("true", "second", "Ant") == [
        Target("true", 2), Target("second", 3), Target("ant", 0)
    ]  # fmt: skip
    assert asked("top3") == [Target("top 1", 1), Target("top 2", 3), Target("top 3", 2)]


def test_rather_than_makes_a_difference_of_each():
    assert asked("predicted", "ant", rather_than="true") == [
        Target("predicted - true", 1, 2), Target("ant - true", 0, 2)
    ]  # fmt: skip
    assert asked(rather_than="dog") == [Target("predicted - dog", 1, 3)]
    # Against itself there is nothing to say, but of the others there is.
    assert asked("top3", rather_than="bee") == [
        Target("top 2 - bee", 3, 1), Target("top 3 - bee", 2, 1)
    ]  # fmt: skip


def test_headings_are_words():
    wanted = Wanted(CLASSES)
    assert wanted.heading(Target("predicted", 1)) == "predicted: bee"
    assert wanted.heading(Target("bee", 1)) == "bee"
    assert wanted.heading(Target("difference", 1, 2)) == "bee rather than cow"


@pytest.mark.parametrize(
    ("roles", "rather_than", "message"),
    [
        (["beee"], None, "--target 'beee' is neither"),
        (["true"], "beee", "--rather-than 'beee' is neither"),
        (["true"], "top3", "takes one class"),
    ],
)
def test_names_that_mean_nothing_are_refused_before_any_image_is(roles, rather_than, message):
    with pytest.raises(UnfitOption, match=message):
        Wanted(CLASSES, roles, rather_than)


@pytest.mark.parametrize(
    ("roles", "rather_than", "known", "message"),
    [
        (["true"], None, {"label": None}, "row 0 has no such class"),
        (["second"], None, {"top": (1,)}, "row 0 has no such class"),
        (["top3"], None, {"top": (1, 2)}, "2 classes of row 0 are known"),
        (["predicted"], "bee", {}, "that is the target itself"),
    ],
)
def test_what_an_image_does_not_have_is_refused(roles, rather_than, known, message):
    with pytest.raises(UnfitOption, match=message):
        asked(*roles, rather_than=rather_than, **known)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("bird", "called by their numbers, 0 to 9; --classes FILE"),
        ("secnd", "did you mean second?"),
    ],
)
def test_outputs_without_names_say_how_they_get_some(text, hint):
    classes = ClassNames(tuple(map(str, range(10))), source=OUTPUT_NUMBERS)
    with pytest.raises(UnfitOption) as failure:
        Wanted(classes, [text])
    assert hint in failure.value.hint
