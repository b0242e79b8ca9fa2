"""The section on two classes: curves, thresholds and what they cost."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from errlens.analysis.findings.scored import Scored
from errlens.classes.names import ClassNames
from errlens.formats import number
from errlens.report.sections.two_classes import STEPS, two_classes


@pytest.fixture
def images():
    random = np.random.default_rng(0)
    is_one = np.arange(300) % 4 == 0
    prob = 1 / (1 + np.exp(-random.normal(np.where(is_one, 0.4, -1.5))))
    label, pred = is_one.astype(np.int32), (prob >= 0.5).astype(np.int32)
    n = len(label)
    return Scored(
        row=np.arange(n), label=label, pred=pred, wrong=label != pred,
        confidence=np.maximum(prob, 1 - prob), label_prob=np.where(is_one, prob, 1 - prob),
        paths=[f"{row}.png" for row in range(n)], content_hash=[None] * n,
        classes=ClassNames(("good", "defect")),
    )  # fmt: skip


def test_areas_are_those_of_scikit_learn(images):
    found = two_classes(images, {})
    prob = np.where(images.pred == 1, images.confidence, 1 - images.confidence)
    assert (found.positive, found.n_ones, found.n_others) == ("defect", 75, 225)
    assert found.auc == number(roc_auc_score(images.label, prob))
    assert found.average_precision == number(average_precision_score(images.label, prob))


def test_a_threshold_is_told_with_what_it_misses_and_what_that_costs(images):
    found = two_classes(images, {"defect": 10.0})
    prob = np.where(images.pred == 1, images.confidence, 1 - images.confidence)
    in_use = next(step for step in found.steps if step.why == "in use")
    table = confusion_matrix(images.label, prob >= 0.5)
    assert in_use.misses.startswith(f"{table[1, 0]} of 75")
    assert in_use.false_alarms.startswith(f"{table[0, 1]} of 225")
    assert in_use.cost == str(10 * table[1, 0] + table[0, 1])
    cheapest = next(step for step in found.steps if step.why == "the cheapest")
    assert float(cheapest.cost) == min(float(step.cost) for step in found.steps)
    assert len(found.slider["misses"]) == len(found.slider["texts"]) == STEPS + 1
    assert found.slider["misses"][STEPS // 2] == table[1, 0]


def test_there_is_none_without_probabilities_or_of_one_class(images):
    assert two_classes(replace(images, confidence=np.full(300, np.nan)), {}) is None
    one = replace(images, label=np.zeros(300, np.int32))
    assert two_classes(one, {}) is None
    three = replace(images, classes=ClassNames(("a", "b", "c")))
    assert two_classes(three, {}) is None
