"""Curves of two classes, held against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score, roc_curve

from errlens.analysis.accuracy.curves import curve, misses_and_false_alarms

# Few values, so that many are tied.
images = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]), st.booleans()), min_size=2
).filter(lambda drawn: len({is_one for _, is_one in drawn}) == 2)


@given(images)
def test_areas_agree_with_scikit_learn(drawn):
    prob, is_one = map(np.array, zip(*drawn, strict=True))
    found = curve(prob, is_one)
    assert found.auc == pytest.approx(roc_auc_score(is_one, prob))
    assert found.average_precision == pytest.approx(average_precision_score(is_one, prob))
    across, up, _ = roc_curve(is_one, prob, drop_intermediate=False)
    np.testing.assert_allclose(found.false_alarm_rate, across)
    np.testing.assert_allclose(found.recall, up)


@given(images, st.floats(0, 1))
def test_counts_at_a_threshold_agree_with_scikit_learn(drawn, threshold):
    prob, is_one = map(np.array, zip(*drawn, strict=True))
    misses, alarms = misses_and_false_alarms(prob, is_one, np.array([threshold]))
    table = confusion_matrix(is_one, prob >= threshold, labels=[False, True])
    assert (misses[0], alarms[0]) == (table[1, 0], table[0, 1])


def test_few_points_draw_a_long_curve():
    random = np.random.default_rng(0)
    is_one = random.random(20_000) < 0.3
    found = curve(random.normal(is_one * 1.5), is_one)
    places = found.at_most(300)
    assert len(places) <= 300
    assert {0, len(found.threshold) - 1} <= {*places.tolist()}
    drawn = np.trapezoid(found.recall[places], found.false_alarm_rate[places])
    assert drawn == pytest.approx(found.auc, abs=0.002)
