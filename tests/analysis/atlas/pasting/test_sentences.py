import pandas as pd

from errlens.analysis.atlas.pasting.sentences import LEAST_PASTES, origin_of


def origins(*rows):
    return pd.DataFrame(rows, columns=["class_name", "n", "flips"])


def test_the_class_that_turns_most_often_is_named():
    told = origin_of(origins(("dog", 40, 9), ("frog", 40, 2)), "cat")
    assert told == "Photos of dog are taken for cat most often: 9 of 40."


def test_one_photo_that_turns_is_nothing_to_tell_of_its_class():
    few = LEAST_PASTES - 1
    assert origin_of(origins(("dog", 1, 1), ("frog", few, 2)), "cat") == ""
    told = origin_of(origins(("dog", 1, 1), ("frog", LEAST_PASTES, 2)), "cat")
    assert told == "Photos of frog are taken for cat most often: 2 of 10."


def test_nothing_is_said_of_one_class_or_where_nothing_turns():
    assert origin_of(origins(("dog", 40, 9)), "cat") == ""
    assert origin_of(origins(("dog", 40, 0), ("frog", 40, 0)), "cat") == ""
