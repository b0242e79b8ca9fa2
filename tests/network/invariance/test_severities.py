"""Tables and means of what corruptions cost, from planted answers."""

import numpy as np
import pytest

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.severities import (
    CLEAN,
    corruption_table,
    cost_of,
    in_words,
    mean_share,
    severity_table,
)
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.data.photos.corruptions.kinds import CORRUPTION_OF

KINDS = [CORRUPTION_OF["fog"], CORRUPTION_OF["snow"]]
STEPS = [CLEAN, *(Step(kind.name, severity) for kind in KINDS for severity in (1, 5))]


def answers_of(right, *, labelled=True):
    """Return answers of shape (n, 5); class 0 is right where the image has a label."""
    right = np.asarray(right, bool)
    n, s = right.shape
    nothing = np.zeros((n, s, 1))
    label = np.zeros(n, np.int32) if labelled else np.full(n, -1, np.int32)
    return Answers(
        steps=STEPS, layers=["conv"], at=np.arange(n), label=label, followed=label,
        pred=np.where(right, 0, 1).astype(np.int32), probability=np.where(right, 0.9, 0.1),
        euclidean=nothing, cosine=nothing, unread={},
    )  # fmt: skip


def test_errors_are_counted_by_corruption_and_severity():
    right = np.ones((10, 5), bool)
    right[:1, 0] = right[:3, 1] = right[:5, 2] = right[:1, 3] = right[:2, 4] = False
    answers = answers_of(right)
    table = severity_table(answers, KINDS)
    assert table["accuracy"].tolist() == [0.9, 0.7, 0.5, 0.9, 0.8]
    assert table["same_prediction"].tolist() == [1.0, 0.8, 0.6, 1.0, 0.9]
    low, high = wilson_interval(7, 10)
    assert (table["low"].iloc[1], table["high"].iloc[1]) == (low, high)
    of_each = corruption_table(answers, KINDS)
    assert of_each["corruption"].tolist() == ["fog", "snow"]
    np.testing.assert_allclose(of_each["error"], [0.4, 0.15])
    np.testing.assert_allclose(of_each["more_than_clean"], [0.3, 0.05])
    cost = cost_of(answers)
    assert cost.clean.value == pytest.approx(0.1)
    assert cost.corrupted.value == pytest.approx(0.275)
    assert cost.more.value == pytest.approx(0.175)
    (said,) = in_words(answers, cost, of_each)
    assert "27.5 %" in said
    assert "Worst is fog (40.0 % wrong), snow costs least (15.0 %)." in said


def test_without_labels_it_counts_whether_the_prediction_stays():
    right = np.ones((4, 5), bool)
    right[0] = False  # wrong, and as wrong under every corruption
    right[1, 1] = False
    answers = answers_of(right, labelled=False)
    assert severity_table(answers, KINDS)["accuracy"].isna().all()
    cost = cost_of(answers)
    assert (cost.clean.value, cost.corrupted.value) == (0, pytest.approx(1 / 16))


def test_many_tries_of_one_image_do_not_make_a_mean_surer():
    """Images that are right in all tries or in none tell as much as one try each."""
    shares = np.array([1.0] * 12 + [0.0] * 8)
    alike = mean_share(shares, 75)
    once = wilson_interval(12, 20)
    np.testing.assert_allclose(alike[1:], once, atol=0.02)
    mixed = mean_share(np.full(20, 0.6) + np.tile([0.05, -0.05], 10), 75)
    assert mixed.high - mixed.low < (alike.high - alike.low) / 4
    assert mean_share(np.ones(20), 75)[1:] == tuple(map(float, wilson_interval(20, 20)))
    assert mean_share(np.array([0.5]), 75).high > 0.9  # of one image, nearly nothing is known


def test_the_interval_of_a_mean_covers_it():
    """Simulated: images differ in how easily they are lost."""
    random, held = np.random.default_rng(0), 0
    for _ in range(400):
        easy = random.beta(0.8, 1.2, 60)
        interval = mean_share(random.binomial(75, easy) / 75, 75)
        held += interval.low <= 0.4 <= interval.high
    assert 0.92 <= held / 400 <= 0.98
