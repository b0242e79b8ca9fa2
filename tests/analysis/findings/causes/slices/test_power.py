"""How many images would do: held against planted slices of that size."""

import numpy as np
import pytest

from errlens.analysis.findings.causes.slices.evidence import ALPHA
from errlens.analysis.findings.causes.slices.power import enough_images
from errlens.analysis.statistics.strata import excess_errors


@pytest.mark.parametrize(
    ("others", "twice", "n_tests"), [(0.1, 0.2, 50), (0.3, 0.6, 400), (0.8, 0.9, 400)]
)
def test_about_four_of_five_such_slices_are_found(others, twice, n_tests):
    n = enough_images(0.9 * others + 0.1 * twice, n_tests)
    rng, found = np.random.default_rng(0), 0
    for _ in range(200):
        inside = np.arange(n) < n // 10
        wrong = rng.random(n) < np.where(inside, twice, others)
        p_value = excess_errors(inside, wrong, np.zeros(n, int)).p_value[0]
        found += p_value * n_tests <= ALPHA
    assert 0.7 <= found / 200 <= 0.92


def test_more_tests_and_rarer_errors_take_more_images():
    assert enough_images(0.1, 50) < enough_images(0.1, 5000) < enough_images(0.01, 5000)
    assert enough_images(0.0, 50) is None
    assert enough_images(1.0, 50) is None
