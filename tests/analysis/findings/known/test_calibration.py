"""The temperature is that of a grid, and the NLL promised is that of images held out."""

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from errlens.analysis.accuracy.temperature import temperature, temperatures
from errlens.analysis.findings.known.calibration import (
    from_calibration,
    nll,
    temperature_scaling,
)


def predicted(scale, *, n=2000, k=4, seed=0):
    """Return logits that are `scale` times too large for the labels drawn from them."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0, 2, (n, k))
    drawn = softmax(true, axis=1).cumsum(axis=1) > rng.random((n, 1))
    return scale * true, drawn.argmax(axis=1)


def scored(scored_of, logits, label):
    prob = softmax(logits, axis=1)
    return scored_of(label, prob.argmax(axis=1), confidence=prob.max(axis=1))


@pytest.mark.parametrize(("scale", "said"), [(0.3, "far too cautious"), (3.0, "far too sure of")])
def test_direction_and_temperature_are_those_planted(scored_of, scale, said):
    logits, label = predicted(scale)
    (finding,) = from_calibration(scored(scored_of, logits, label), logits)
    assert said in finding.statement
    assert finding.subject["temperature"] == pytest.approx(scale, rel=0.1)
    assert finding.excess_errors is None


def test_a_calibrated_model_is_no_finding(scored_of):
    for seed in range(20):
        logits, label = predicted(1.0, n=300, seed=seed)
        assert not list(from_calibration(scored(scored_of, logits, label), logits))


def test_losses_are_those_of_scikit_learn():
    logits, label = predicted(2.0, n=200)
    assert nll(logits / 1.5, label).mean() == pytest.approx(
        log_loss(label, softmax(logits / 1.5, axis=1), labels=range(4))
    )


def test_the_best_temperature_is_that_of_a_grid():
    logits, label = predicted(2.5, n=500)
    grid = np.linspace(0.5, 6, 2000)
    best = grid[np.argmin([nll(logits / t, label).mean() for t in grid])]
    assert temperature(logits, label, wrong_labels=0.0) == pytest.approx(best, abs=0.01)


def test_the_loss_promised_is_of_images_that_had_no_part_in_the_temperature():
    logits, label = predicted(2.0, n=500)
    held_out = temperatures(logits, label, wrong_labels=0.0)
    losses = log_loss(label, softmax(logits / held_out[:, None], axis=1), labels=range(4))
    assert temperature_scaling(logits, label).after == pytest.approx(losses)


def test_few_images_and_none_kept_say_nothing(scored_of):
    logits, label = predicted(5.0, n=30)
    images = scored(scored_of, logits, label)
    assert not list(from_calibration(images, logits))
    assert not list(from_calibration(images, None))


def test_of_a_model_that_is_always_right_nothing_is_said_where_its_confidence_agrees(scored_of):
    label = np.arange(200, dtype=np.int32) % 4
    logits = np.full((200, 4), -8.0)
    logits[np.arange(200), label] = 0.0  # 99.9 % sure, always right: no fault
    images = scored(scored_of, logits, label)
    scaling = temperature_scaling(logits, label)
    assert scaling.after < scaling.before  # though a temperature makes it surer still
    assert not list(from_calibration(images, logits))
