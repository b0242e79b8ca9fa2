import math

import pytest

from errlens.analysis.confusion.sentences import NOTHING_SCORED
from errlens.report.overview import overview
from errlens.report.parts import Part, Problem

TOP1 = {"value": 0.84250, "n": 400, "low": 0.8, "high": 0.88}
UNKNOWN = Part({}, Problem("'pairs.csv' is not there", "errlens confusion run"))


def overview_of(metrics, gates=None):
    return overview(metrics, matrix=None, confusion=UNKNOWN, gates=gates, gates_problem=None)


def test_shares_come_first_and_those_of_superclasses_last():
    felines = {"superclass": "feline", "top1": TOP1, "super_top1": None}
    nothing = {"superclass": "canine", "top1": None, "super_top1": None}
    found = overview_of(
        {"n": 400, "super_top1": TOP1, "top1": TOP1, "by_superclass": [felines, nothing]}
    )
    assert [metric.name for metric in found.shares] == [
        "top-1",
        "right superclass",
        "top-1, feline",
    ]
    assert found.means == []


def test_a_loss_without_a_value_is_infinite():
    found = overview_of({"n": 2, "nll": {"value": None, "n": 2}, "n_infinite_loss": 1})
    assert found.means[0].value == math.inf
    assert found.sentences[0] == NOTHING_SCORED


@pytest.mark.parametrize(
    ("passed", "sentence"), [([True], "Passed: 1 gate."), ([True, False], "Failed: 1 of 2 gates.")]
)
def test_gates_are_the_first_sentence(passed, sentence):
    gates = {"passed": all(passed), "gates": [{"passed": gate} for gate in passed]}
    found = overview_of({"n": 400, "top1": TOP1}, gates)
    assert found.sentences[0] == sentence
    assert "(337 of 400 images; 95 % interval 80.0 to 88.0 %), 63 wrong." in found.sentences[1]


def test_a_doubt_comes_before_all_that_it_is_about():
    gates = {"passed": True, "gates": [{"passed": True}]}
    found = overview(
        {"n": 400, "top1": TOP1},
        matrix=None,
        confusion=UNKNOWN,
        gates=gates,
        gates_problem=None,
        doubt=["3 of 10 classes are never predicted: 'a', 'b', 'c'", "top-1 is low"],
    )
    passed, doubtful, accuracy = found.sentences
    assert passed.startswith("Passed")
    assert doubtful.startswith("In doubt: 3 of 10 classes are never predicted: 'a', 'b', 'c'; top")
    assert "preprocessing or the order of the classes" in doubtful
    assert "right" in accuracy


def test_photos_without_labels_are_no_failure():
    found = overview_of({"n": 11, "n_failed": 1, "n_unlabelled": 10})
    assert found.sentences == [
        "10 of 11 images were predicted; without labels, nothing is right or wrong here."
    ]


def test_images_that_do_not_count_are_counted():
    metrics = {"n": 9, "n_failed": 2, "n_label_unknown": 1, "n_unlabelled": 3}
    assert overview_of(metrics).sentences[1] == (
        "Of 9 images, these do not count: 2 could not be predicted, 1 with a label the model "
        "lacks, 3 without a label."
    )
