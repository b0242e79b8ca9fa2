import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from scipy.stats import entropy
from sklearn.metrics import log_loss

from errlens.analysis.accuracy.calibration import expected_calibration_error, reliability
from errlens.analysis.accuracy.reference import ece_at, ece_by_chance, prior_brier, prior_nll

N = np.array([50, 30, 20, 0])


def test_what_frequencies_alone_reach_agrees_with_scikit_learn():
    label = np.repeat(np.arange(4), N)
    given = np.tile(N / N.sum(), (len(label), 1))
    assert prior_nll(N) == pytest.approx(entropy(N / N.sum()))
    assert prior_nll(N) == pytest.approx(log_loss(label, given, labels=range(4)))
    truth = np.eye(4)[label]
    assert prior_brier(N) == pytest.approx(((given - truth) ** 2).sum(axis=1).mean())


def test_honest_confidences_show_the_calibration_error_of_chance():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.3, 1, 2_000)
    errors = []
    for _ in range(200):
        bins = reliability(confidence, random.random(2_000) < confidence)
        errors.append(expected_calibration_error(bins))
    assert ece_by_chance(bins) == pytest.approx(np.mean(errors), rel=0.05)
    assert ece_by_chance([]) == 0


def test_the_error_at_a_temperature_is_that_of_probabilities_made_by_it(monkeypatch):
    random = np.random.default_rng(1)
    logits = random.normal(size=(500, 4)).astype(np.float32) * 3
    label = random.integers(4, size=500)
    t = random.choice([0.5, 2.0], 500)
    prob = softmax(log_softmax(logits, axis=1) / t[:, None], axis=1)
    bins = reliability(prob.max(axis=1), prob.argmax(axis=1) == label)
    monkeypatch.setattr("errlens.analysis.accuracy.reference._AT_ONCE", 120)
    assert ece_at(logits, label, t) == pytest.approx(expected_calibration_error(bins), abs=1e-6)
