import numpy as np
import pytest
from scipy.stats import binomtest

from errlens.analysis.confusion.class_order import compare_orders

SWAPPED = np.array([1, 0, 2])


@pytest.mark.parametrize("n", [3, 6, 7, 20])
def test_the_order_is_settled_where_the_exact_sign_test_says_so(n):
    label = np.repeat([0, 1, 2], n)
    p_value = binomtest(2 * n, 2 * n, alternative="greater").pvalue  # the third class tells nothing
    hits = compare_orders(label, label, SWAPPED)
    assert (hits.ours, hits.theirs, hits.n) == (3 * n, n, 3 * n)
    assert hits.favours == ("ours" if p_value < 0.01 else None)
    assert compare_orders(label, SWAPPED[label], SWAPPED).favours == (
        "theirs" if p_value < 0.01 else None
    )


def test_a_model_that_knows_nothing_favours_no_order():
    random = np.random.default_rng(0)
    label, pred = random.integers(0, 3, (2, 500))
    assert compare_orders(label, pred, SWAPPED).favours is None
    assert compare_orders(label[:0], pred[:0], SWAPPED) == (0, 0, 0, None)
