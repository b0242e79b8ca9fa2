"""Results of networks as they were seen: fed as in their training, fed otherwise, untrained."""

import numpy as np
import pandas as pd
import pytest

from errlens.analysis.accuracy.calibration import reliability
from errlens.analysis.accuracy.doubts import doubt
from errlens.analysis.accuracy.metrics import Proportion
from errlens.analysis.statistics.intervals import wilson_interval


def result(label, pred, confidence, k):
    """Return the accuracy, the bins and the classes that matter here."""
    label, pred = np.asarray(label), np.asarray(pred)
    correct = label == pred
    low, high = wilson_interval(correct.sum(), len(correct))
    top1 = Proportion(float(correct.mean()), float(low), float(high), len(label))
    bins = reliability(np.full(len(label), confidence), correct)
    predicted = np.bincount(pred, minlength=k)
    classes = pd.DataFrame(
        {
            "class_name": [f"c{index}" for index in range(k)],
            "n": np.bincount(label, minlength=k),
            "precision": np.where(predicted, 0.5, np.nan),
        }
    )
    return top1, bins, classes


def network(rng, *, accuracy, k=10, each=100, unseen=()):
    """Return labels and predictions of a network that never says some classes."""
    label = np.repeat(np.arange(k), each)
    said = np.setdiff1d(np.arange(k), unseen)
    pred = np.where(rng.random(len(label)) < accuracy, label, rng.choice(said, len(label)))
    return label, np.where(np.isin(pred, unseen), rng.choice(said, len(label)), pred)


@pytest.mark.parametrize("accuracy", [0.3, 0.47, 0.7, 0.95])
@pytest.mark.parametrize("off", [-0.4, -0.05, 0.1])
def test_a_working_network_is_left_in_peace_be_it_weak_or_somewhat_too_sure(accuracy, off):
    for seed in range(20):
        label, pred = network(np.random.default_rng(seed), accuracy=accuracy)
        right = (label == pred).mean()
        assert doubt(*result(label, pred, np.clip(right + off, 0.11, 0.99), 10)) is None


def test_classes_of_a_few_images_that_are_never_predicted_are_bad_luck():
    label, pred = network(np.random.default_rng(0), accuracy=0.7, k=37, each=5, unseen=(3, 8))
    assert doubt(*result(label, pred, 0.24, 37)) is None
    label, pred = network(np.random.default_rng(0), accuracy=0.9, k=100, each=50, unseen=(3,))
    assert doubt(*result(label, pred, 0.9, 100)) is None


def test_many_classes_of_a_few_images_are_no_bad_luck():
    label, pred = network(np.random.default_rng(0), accuracy=0.05, k=37, each=5, unseen=range(22))
    assert "22 of 37 classes are never predicted" in doubt(*result(label, pred, 0.07, 37)).signs[0]


def test_classes_that_are_never_predicted_are_named():
    label, pred = network(np.random.default_rng(0), accuracy=0.3, unseen=(1, 7, 9))
    found = doubt(*result(label, pred, 0.38, 10))
    assert found.signs == ["3 of 10 classes are never predicted: 'c1', 'c7', 'c9'"]


def test_the_rare_one_of_two_classes_that_is_never_predicted_is_named():
    label = np.repeat([0, 1], [950, 50])
    found = doubt(*result(label, np.zeros(1000, int), 0.95, 2))
    assert found.signs == ["1 of 2 classes is never predicted: 'c1'"]


def test_chance_is_told():
    rng = np.random.default_rng(0)
    label = np.repeat(np.arange(10), 100)
    found = doubt(*result(label, rng.permutation(label), 0.11, 10))
    assert found.signs == ["top-1 is hardly above chance (1 in 10)"]


def test_a_confidence_that_is_not_kept_is_named():
    label, pred = network(np.random.default_rng(0), accuracy=0.35)
    found = doubt(*result(label, pred, 0.63, 10))
    assert "confidence promises 63.0 %" in found.signs[0]


def test_few_images_show_nothing_and_none_are_no_result():
    label, pred = network(np.random.default_rng(0), accuracy=0, each=3)
    top1, bins, classes = result(label, pred, 0.99, 10)
    assert doubt(top1, bins, classes) is None
    assert doubt(None, [], classes) is None
