"""Metrics in words: what is good, what is of no use, and why."""

import math

import numpy as np
import pytest

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.classes.names import ClassNames
from errlens.report.overview import Metric, Overview
from errlens.report.sections.calibration import Calibration
from errlens.report.sections.judging import (
    GOOD,
    MIDDLING,
    POOR,
    USELESS,
    judged_metrics,
)

UNKNOWN = Calibration([], [], by_chance=0.02)


def matrix_of(n, right):
    """Return a matrix of classes of so many images, of which so many are right."""
    label = np.repeat(np.arange(len(n)), n)
    place = np.concatenate([np.arange(size) for size in n])
    pred = np.where(place < np.repeat(right, n), label, (label + 1) % len(n))
    names = ClassNames(tuple("abcdefgh"[: len(n)]))
    return confusion_matrix_of_arrays(label, pred, names)


def judge(*metrics, n=(50, 50), right=(40, 40), calibration=UNKNOWN):
    """Return what is said of metrics, by name."""
    shares = [metric for metric in metrics if metric.low is not None]
    means = [metric for metric in metrics if metric.low is None]
    overview = Overview([], [], shares, means, None, None)
    found = judged_metrics(overview, matrix_of(n, right), calibration)
    return {one.metric.name: one for one in [*found.first, *found.others]}


def top1(value, low=None):
    return Metric("top-1", value, 100, value - 0.08 if low is None else low, value + 0.08)


@pytest.mark.parametrize(
    ("value", "level"), [(0.95, GOOD), (0.8, MIDDLING), (0.7, POOR), (0.55, USELESS)]
)
def test_accuracy_is_judged_against_the_most_frequent_class(value, level):
    one = judge(top1(value))["top-1"]
    assert one.level == level
    assert "50.0 %" in one.why


def test_an_accuracy_that_the_majority_explains_is_of_no_use():
    one = judge(top1(0.9, low=0.82), n=(90, 10), right=(90, 0))["top-1"]
    assert (one.level, one.base) == (USELESS, 0.9)
    assert one.why == (
        "Not shown to be better than chance: answering 'a' each time gets 90.0 %; guessing gets "
        "50.0 %."
    )


def test_loss_is_judged_against_frequencies_and_what_calibration_reaches():
    reached = UNKNOWN._replace(nll=0.3)
    for value, level in ((0.8, USELESS), (0.5, POOR), (0.35, MIDDLING), (0.31, GOOD)):
        one = judge(top1(0.9), Metric("NLL", value, 100), calibration=reached)["NLL"]
        assert one.level == level
        assert "0.6931" in one.why
        assert "0.3000" in one.why
    assert judge(top1(0.9), Metric("NLL", math.inf, 100))["NLL"].level == USELESS
    assert judge(top1(0.9), Metric("NLL", 0.5, 100))["NLL"].level == ""  # nothing was kept


def test_calibration_error_is_judged_against_chance():
    for value, level in ((0.03, GOOD), (0.07, MIDDLING), (0.2, POOR)):
        assert judge(top1(0.9), Metric("ECE", value, 100))["ECE"].level == level


def test_macro_f1_tells_of_rare_classes_only_where_these_fare_worse():
    f1 = Metric("macro F1", 0.6, 100)
    uneven = judge(top1(0.88), f1, n=(90, 10), right=(86, 2))["macro F1"]
    assert uneven.level == POOR
    assert "the rarer classes fare worse" in uneven.why
    other = judge(top1(0.88), f1, n=(90, 10), right=(60, 9))["macro F1"]
    assert "some classes fare far worse" in other.why
    even = judge(top1(0.61), f1, n=(50, 50), right=(61, 0))["macro F1"]
    assert even.level == ""
    assert "1 class has no right image." in even.why


def test_a_short_name_is_told_in_full():
    found = judge(top1(0.8), Metric("ECE", 0.02, 100, None, None))
    assert found["ECE"].in_full == "expected calibration error"
    assert found["top-1"].in_full == ""
