import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_calibration_error

from errlens.analysis.accuracy.calibration import (
    equal_mass_bins,
    expected_calibration_error,
    reliability,
)


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_torchmetrics(seed):
    generator = torch.Generator().manual_seed(seed)
    prob = (3 * torch.randn(500, 10, generator=generator)).softmax(dim=1)
    label = torch.randint(10, (500,), generator=generator)
    confidence, pred = prob.max(dim=1)
    ours = expected_calibration_error(
        reliability(confidence.numpy(), (pred == label).numpy(), bins=15)
    )
    theirs = multiclass_calibration_error(prob, label, num_classes=10, n_bins=15, norm="l1")
    assert ours == pytest.approx(float(theirs), abs=1e-6)


images = st.lists(st.tuples(st.floats(0, 1, width=32), st.booleans()), min_size=1, max_size=80).map(
    lambda pairs: (np.array([p for p, _ in pairs]), np.array([c for _, c in pairs], bool))
)


@settings(deadline=None)
@given(images)
def test_every_image_is_in_the_bin_of_its_confidence(case):
    confidence, correct = case
    bins = reliability(confidence, correct)
    assert sum(one.n for one in bins) == len(confidence)
    for one in bins:
        inside = (confidence > one.low) & (confidence <= one.high)
        inside |= (confidence == 0) & (one.low == 0)
        assert one.n == inside.sum()
        if one.n:
            assert one.accuracy == pytest.approx(correct[inside].mean())
            assert one.confidence == pytest.approx(confidence[inside].mean())
    assert 0 <= expected_calibration_error(bins) <= 1


@settings(deadline=None)
@given(images)
def test_bins_of_equal_mass_differ_by_at_most_one_image(case):
    confidence, correct = case
    bins = equal_mass_bins(confidence, correct)
    sizes = [one.n for one in bins]
    assert sum(sizes) == len(confidence)
    assert max(sizes) - min(sizes) <= 1
    assert [one.low for one in bins] == sorted(one.low for one in bins)


def test_a_model_that_is_as_sure_as_it_is_right_has_no_error():
    confidence = np.repeat([0.25, 0.75], [4, 4])
    correct = np.array([1, 0, 0, 0, 1, 1, 1, 0], bool)
    assert expected_calibration_error(reliability(confidence, correct)) == 0


def test_without_images_there_is_no_error_to_speak_of():
    nothing = reliability(np.array([]), np.array([], bool))
    assert expected_calibration_error(nothing) is None
    assert all(one.accuracy is None for one in nothing)


def test_no_confidence_and_full_confidence_are_in_the_outermost_bins():
    bins = reliability(np.array([0.0, 1.0, 1.0]), np.array([True, True, False]), bins=4)
    assert [one.n for one in bins] == [1, 0, 0, 2]
    assert (bins[0].confidence, bins[0].accuracy) == (0, 1)
    assert (bins[-1].confidence, bins[-1].accuracy) == (1, 0.5)
    assert expected_calibration_error(bins) == pytest.approx((1 * 1 + 2 * 0.5) / 3)


@settings(deadline=None)
@given(images)
def test_every_image_is_in_exactly_one_bin_of_equal_mass(case):
    confidence, correct = case
    bins = equal_mass_bins(confidence, correct)
    assert len(bins) == min(15, len(confidence))
    assert all(one.low <= one.confidence + 1e-12 for one in bins)
    assert all(one.confidence <= one.high + 1e-12 for one in bins)
    assert all(before.high <= after.low for before, after in itertools.pairwise(bins))
    sums = [sum(getattr(one, name) * one.n for one in bins) for name in ("confidence", "accuracy")]
    assert sums == [pytest.approx(confidence.sum()), pytest.approx(correct.sum())]
    assert 0 <= expected_calibration_error(bins) <= 1


def test_equal_confidences_are_divided_in_the_order_given():
    bins = equal_mass_bins(np.full(4, 0.5), np.array([True, True, False, False]), bins=2)
    assert [one.accuracy for one in bins] == [1, 0]


def test_without_images_there_are_no_bins_of_equal_mass():
    nothing = equal_mass_bins(np.array([]), np.array([], bool))
    assert nothing == []
    assert expected_calibration_error(nothing) is None
