import pytest

from errlens.classes.names import ClassNames
from errlens.errors import BadPredictions, UnfitOption
from errlens.imported.probabilities import probability_columns

RESERVED = {"path", "label", "pred"}
PETS = ClassNames(("dog", "cat"))


def columns_of(text: str, said: str = "cat dog", **options) -> dict[str, str]:
    return probability_columns(
        ["path", "label", *text.split()], reserved=RESERVED, named=set(said.split()), **options
    ).by_class


@pytest.mark.parametrize("prefix", ["", "p_", "prob_"])
def test_columns_called_like_the_classes_are_found_in_their_order(prefix):
    expected = {"dog": f"{prefix}dog", "cat": f"{prefix}cat"}
    assert list(columns_of(f"size {prefix}dog {prefix}cat").items()) == list(expected.items())


def test_a_class_file_decides_the_order():
    assert list(columns_of("cat dog", given=PETS)) == ["dog", "cat"]


def test_classes_without_images_are_found_by_their_prefix():
    assert list(columns_of("p_ant p_cat p_dog")) == ["ant", "cat", "dog"]


def test_numbered_labels_go_with_named_columns():
    assert list(columns_of("prob_cat prob_dog", "0 1")) == ["cat", "dog"]
    assert columns_of("p_value p_adjusted", "0 1") == {}
    assert list(columns_of("p_cat p_dog", "0 1", needed=True)) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["camera size", "p_value", "cat size", "prob_max"])
def test_a_coincidence_is_no_set_of_columns(text):
    assert columns_of(text) == {}


def test_a_prefix_of_ones_own():
    assert columns_of("s.cat s.dog cat", prefix="s.") == {"cat": "s.cat", "dog": "s.dog"}
    with pytest.raises(UnfitOption, match="--prob-prefix 'q_'"):
        columns_of("p_cat p_dog", prefix="q_")


def test_of_two_sets_one_must_be_chosen():
    with pytest.raises(BadPredictions, match="two sets") as caught:
        columns_of("cat dog prob_cat prob_dog")
    assert "'prob_' or ''" in caught.value.hint
    assert columns_of("cat dog prob_cat prob_dog", prefix="") == {"cat": "cat", "dog": "dog"}


def test_every_class_that_was_given_needs_its_column():
    three = ClassNames(("dog", "cat", "emu"))
    for text in ("p_dog p_emu", "prob_dog prob_emu size"):
        with pytest.raises(BadPredictions, match="no column of probability for 'cat'"):
            columns_of(text, given=three)


def test_of_two_classes_one_column_will_do():
    assert columns_of("p_dog", given=PETS) == {"dog": "p_dog"}
    assert columns_of("prob_dog size") == {"dog": "prob_dog"}
    with pytest.raises(BadPredictions, match="no column of probability for 'cat'"):
        columns_of("p_dog p_kat", given=PETS)


def test_case_of_what_stands_before_a_class_does_not_matter():
    assert columns_of("Prob_Cat PROB_DOG") == {"Cat": "Prob_Cat", "DOG": "PROB_DOG"}


def test_raw_outputs_are_known_by_their_name_and_give_way_to_probabilities():
    options = {"reserved": RESERVED, "named": {"cat", "dog"}}
    found = probability_columns(["path", "logit_cat", "Logit_dog"], **options)
    assert found.by_class == {"cat": "logit_cat", "dog": "Logit_dog"}
    assert found.are_logits
    both = probability_columns(["logit_cat", "logit_dog", "p_cat", "p_dog"], **options)
    assert (both.by_class, both.are_logits) == ({"cat": "p_cat", "dog": "p_dog"}, False)


def test_a_column_cannot_be_two_things():
    with pytest.raises(BadPredictions, match="'path'"):
        columns_of("cat dog", "cat dog path")
    with pytest.raises(BadPredictions, match="'label'"):
        columns_of("cat dog", given=ClassNames(("cat", "dog", "label")))
