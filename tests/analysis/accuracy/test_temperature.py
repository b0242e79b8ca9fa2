"""The temperature undoes what logits were multiplied by, whatever a few wrong labels say."""

import numpy as np
import pytest
from scipy.special import softmax

from errlens.analysis.accuracy.temperature import certainty_logits, temperature, temperatures


def drawn(n=4000, k=5, seed=0):
    """Logits that are calibrated: the labels are drawn from their probabilities."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(scale=3, size=(n, k))
    chances = softmax(logits, axis=1).cumsum(axis=1)
    return logits, (rng.random((n, 1)) > chances).sum(axis=1).clip(0, k - 1)


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
def test_calibrated_logits_times_a_factor_have_it_as_their_temperature(factor):
    logits, label = drawn()
    found = temperatures(factor * logits, label)
    assert found == pytest.approx(np.full(len(label), factor), rel=0.12)
    assert 2 <= len(set(found)) <= 5  # one a fold


def test_a_few_wrong_labels_hardly_move_it():
    logits, label = drawn()
    swapped = np.random.default_rng(1).choice(len(label), 120, replace=False)
    noisy = label.copy()
    noisy[swapped] = (noisy[swapped] + 1) % 5
    assert temperature(logits, noisy) == pytest.approx(temperature(logits, label), rel=0.15)


def test_an_image_has_no_part_in_its_own_temperature():
    logits, label = drawn(n=60)
    found = temperatures(logits, label)
    label[7] = (label[7] + 1) % 5
    assert temperatures(logits, label)[7] == found[7]


def test_rows_without_logits_are_passed_over():
    logits, label = drawn(n=500)
    with_holes = np.concatenate([logits, np.full((3, 5), np.nan)])
    found = temperatures(with_holes, np.concatenate([label, [0, 1, 2]]))
    assert np.isfinite(found).all()


def test_confidence_alone_has_a_temperature_too():
    rng = np.random.default_rng(2)
    honest = rng.uniform(0.3, 0.999, 5000)
    wrong = rng.random(5000) > honest
    doubled = 1 / (1 + (1 / honest - 1) ** 2)  # twice the log odds
    found = temperatures(certainty_logits(doubled), wrong.astype(int))
    assert found == pytest.approx(np.full(5000, 2.0), rel=0.15)
    assert np.isfinite(certainty_logits(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_images_have_a_temperature(n):
    logits, label = drawn(n=4)
    assert np.isfinite(temperatures(logits[:n], label[:n])).all()


def test_labels_of_no_probability_at_all_ask_for_the_highest_temperature():
    logits = np.tile([1e5, 0.0], (20, 1))
    assert temperature(logits, np.ones(20, int), wrong_labels=0) == pytest.approx(20, rel=0.01)
