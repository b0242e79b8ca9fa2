import pytest

from errlens.errors import BadPredictions
from errlens.imported.named_classes import named_classes


def test_what_one_column_spells_otherwise_is_one_class_as_the_predictions_spell_it():
    said = named_classes(["Cat", "DOG", "Cat"], ["cat", "dog", "dog"])
    assert said.classes.names == ("cat", "dog")
    assert (said.apart, said.as_one) == ([], [])


def test_what_one_column_spells_in_two_ways_is_one_class_and_told():
    said = named_classes(["Cat", "cat", "dog"], ["cat", "cat", "dog"])
    assert said.classes.names == ("cat", "dog")
    assert said.as_one == [["Cat", "cat"]]
    said = named_classes(["cat", "dog"], ["Cat", "dog", "cat", "Cat"])
    assert said.classes.names == ("Cat", "dog")


def test_what_both_columns_spell_in_two_ways_are_two_classes_and_told():
    said = named_classes(["Turkey", "turkey"], ["turkey", "Turkey"])
    assert said.classes.names == ("Turkey", "turkey")
    assert said.apart == [["Turkey", "turkey"]]


@pytest.mark.parametrize("preds", [["a", "a", "a"], ["A", "a", "b"]])
def test_letters_are_classes_where_one_column_has_both(preds):
    assert {"A", "a"} <= {*named_classes(["A", "a", "b"], preds).classes.names}


def test_letters_of_one_case_in_each_column_are_the_same():
    assert named_classes(["A", "B"], ["a", "b"]).classes.names == ("a", "b")


def test_blanks_never_make_two_classes():
    said = named_classes(["cat", "cat ", "dog"], ["cat", "cat\u00a0", "dog"])
    assert said.classes.names == ("cat", "dog")
    assert (said.apart, said.as_one) == ([], [])


def test_numbers_are_sorted_by_value_and_may_have_zeros_before_them():
    assert named_classes(["01", "10", "02"], ["2", "10", "1"]).classes.names == ("1", "2", "10")


def test_synset_and_lemma_are_one_class_as_the_predictions_have_it():
    said = named_classes(["n02123045", "n01443537"], ["tabby", "tabby"])
    assert said.classes.names == ("n01443537", "tabby")


@pytest.mark.parametrize("column", [0, 1, 2])
def test_synset_and_lemma_in_one_column_are_one_class(column):
    mixed, plain = ["tabby", "n02123045", "tabby", "fox"], ["tabby", "tabby", "tabby", "fox"]
    columns = [(mixed, plain), (plain, mixed), (mixed, mixed[::-1])][column]
    assert named_classes(*columns).classes.names == ("fox", "tabby")


def test_two_lemmas_without_their_synset_stay_two_classes():
    columns = ["tabby", "tabby cat"], ["tabby cat", "tabby"]
    assert named_classes(*columns).classes.names == ("tabby", "tabby cat")


@pytest.mark.parametrize(
    ("labels", "preds", "hint"),
    [
        (["Katze", "Hund"], ["cat", "dog"], "alike in both columns"),
        (["cat", "dog"], ["0", "1"], "in output order"),
        (["1"], ["0"], "--labels indices"),
    ],
)
def test_without_a_name_in_common_both_lists_are_shown(labels, preds, hint):
    with pytest.raises(BadPredictions, match="none in common") as failure:
        named_classes(labels, preds)
    assert all(repr(name) in str(failure.value) for name in labels + preds)
    assert hint in failure.value.hint


@pytest.mark.parametrize("filler", ["nan", "NaN", "None", "<NA>", "null"])
def test_what_stands_for_nothing_is_no_class_of_one_column(filler):
    with pytest.raises(BadPredictions, match="1 labels are"):
        named_classes(["cat", filler], ["cat", "cat"])
    with pytest.raises(BadPredictions, match="1 predictions are"):
        named_classes(["cat", "cat"], ["cat", filler])
    assert len(named_classes(["cat", filler], ["cat", filler]).classes) == 2


def test_minus_one_among_numbers_is_no_class_unless_both_columns_have_it():
    with pytest.raises(BadPredictions, match="2 labels are '-1'"):
        named_classes(["0", "1", "-1", "-1"], ["0", "1", "1", "0"])
    assert {*named_classes(["-1", "1"], ["1", "-1"]).classes.names} == {"-1", "1"}


def test_labels_alone_and_predictions_alone_are_enough():
    assert named_classes([None, None], ["b", "a"]).classes.names == ("a", "b")
    assert named_classes(["b", "a"], [None, None]).classes.names == ("a", "b")
