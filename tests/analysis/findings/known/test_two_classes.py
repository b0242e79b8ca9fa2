"""Misses and false alarms of two classes, and the threshold of the least cost."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from errlens.analysis.findings.known.two_classes import (
    _cheapest,
    best_threshold,
    from_two_classes,
    read_costs,
)
from errlens.classes.names import ClassNames
from errlens.errors import UnfitOption

NAMES = ("defect", "sound")


def defects(shift, *, n=2000, seed=0):
    """Return labels, one in eight a defect, and p(defect) of a model that is too low by a shift."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) >= 0.125).astype(int)
    score = np.where(label == 0, rng.normal(1.5, 1, n), rng.normal(-1.5, 1, n)) - shift
    return label, 1 / (1 + np.exp(-2 * score))


def images(scored_of, label, prob, names=NAMES):
    pred = (prob < 0.5).astype(int)
    return scored_of(label, pred, names=names, confidence=np.maximum(prob, 1 - prob))


def test_misses_and_false_alarms_are_those_of_scikit_learn(scored_of):
    label, prob = defects(1.0)
    (found,) = from_two_classes(images(scored_of, label, prob))
    matrix = confusion_matrix(label, prob < 0.5)
    assert found.subject == {
        "class": "defect", "misses": matrix[0, 1], "false_alarms": matrix[1, 0],
    }  # fmt: skip
    assert f"defect is missed in {matrix[0, 1]} of {matrix[0].sum()} images" in found.statement
    assert found.rows == tuple(np.flatnonzero(label != (prob < 0.5)).tolist())


def test_a_model_that_is_too_strict_gets_a_threshold(scored_of):
    label, prob = defects(1.5)
    (found,) = from_two_classes(images(scored_of, label, prob))
    assert "called so from a probability of" in found.statement
    best = best_threshold(prob, label == 0, (1.0, 1.0))
    assert best.value < 0.4
    assert f"{best.misses} misses and {best.false_alarms} false alarms" in found.statement


def test_costs_move_the_threshold():
    label, prob = defects(0.0)
    dear = best_threshold(prob, label == 0, (20.0, 1.0))
    cheap = best_threshold(prob, label == 0, (1.0, 20.0))
    assert dear.value < 0.5 < cheap.value
    assert dear.misses < cheap.misses


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=1, max_size=30),
    st.floats(0.1, 10),
)
def test_no_other_threshold_costs_less(pairs, miss):
    prob = np.array([value / 20 for value, _ in pairs])
    is_one = np.array([one for _, one in pairs])

    def cost(threshold):
        return miss * (is_one & (prob < threshold)).sum() + (~is_one & (prob >= threshold)).sum()

    found = _cheapest(prob, is_one, (miss, 1.0))
    edges = [-0.1, *np.unique(prob), 1.1]
    inner = [(a + b) / 2 for a, b in pairwise(edges)]
    assert cost(found) == pytest.approx(min(map(cost, inner)), rel=1e-9, abs=1e-9)


def test_three_classes_and_no_errors_are_no_finding(scored_of):
    label, prob = defects(1.0)
    assert not list(from_two_classes(images(scored_of, label, prob, names=(*NAMES, "other"))))
    assert not list(from_two_classes(scored_of([0, 1], [0, 1], names=NAMES)))


def test_without_probabilities_nothing_is_said_of_a_threshold(scored_of):
    label, prob = defects(1.5)
    pred = (prob < 0.5).astype(int)
    unknown = scored_of(label, pred, names=NAMES, confidence=np.full(len(label), np.nan))
    (found,) = from_two_classes(unknown)
    assert "probability" not in found.statement


def test_costs_are_read_by_the_names_of_classes():
    classes = ClassNames(("defect", "a=b"))
    assert read_costs(["defect=10", "a=b=0.5"], classes) == {"defect": 10.0, "a=b": 0.5}
    for text in ("defect", "defect=", "defect=-1", "=3", "moon=2"):
        with pytest.raises(UnfitOption):
            read_costs([text], classes)


def test_costs_of_three_classes_are_refused_rather_than_left_aside():
    with pytest.raises(UnfitOption, match="for two classes"):
        read_costs(["defect=10"], ClassNames((*NAMES, "other")))
    assert read_costs([], ClassNames((*NAMES, "other"))) == {}
