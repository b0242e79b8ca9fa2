import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binomtest

from errlens.model.restoring.restoration import contenders, is_out_of_reach, restores, sign_test

hits = arrays(bool, st.shared(st.integers(1, 40), key="n"))


@settings(deadline=None)
@given(hits, hits)
def test_the_sign_test_is_scipys_on_the_images_that_differ(a, b):
    wins, losses = int((a & ~b).sum()), int((b & ~a).sum())
    expected = binomtest(wins, wins + losses, alternative="greater").pvalue if wins + losses else 1
    assert sign_test(a, b) == pytest.approx(expected)


@settings(deadline=None)
@given(st.lists(hits, min_size=1, max_size=6))
def test_contenders_hold_the_best_and_drop_only_what_is_told_apart_from_it(settings_hits):
    found = contenders(settings_hits)
    accuracy = [right.mean() for right in settings_hits]
    assert accuracy[found[0]] == max(accuracy)
    assert [accuracy[place] for place in found] == sorted(
        (accuracy[place] for place in found), reverse=True
    )
    for place in set(range(len(settings_hits))) - set(found):
        assert sign_test(settings_hits[found[0]], settings_hits[place]) < 0.01


def run(random, n, accuracy):
    return random.random(n) < accuracy


def test_a_setting_that_closes_the_gap_restores_and_the_one_in_use_never_does():
    random = np.random.default_rng(0)
    n = 400
    right, wrong = run(random, n, 0.9), run(random, n, 0.6)
    fresh = np.arange(n) >= 200
    assert restores(wrong, right, fresh=fresh, expected=0.9)
    assert not restores(wrong, wrong, fresh=fresh, expected=0.9)
    assert not restores(right, wrong, fresh=fresh, expected=0.95)
    assert not restores(right, right, fresh=fresh, expected=right.mean())  # there is no gap


def test_a_gain_that_fresh_images_do_not_show_restores_nothing():
    n = 400
    fresh = np.arange(n) >= 200
    wrong = np.arange(n) % 10 < 6
    lucky = wrong | ~fresh
    assert sign_test(lucky, wrong) < 1e-9
    assert not restores(wrong, lucky, fresh=fresh, expected=0.8)


def test_equally_good_settings_are_hardly_ever_preferred_to_a_right_one():
    """Two dozen settings as good as the right one, and an expectation it just misses."""
    random = np.random.default_rng(1)
    accused = 0
    for _ in range(300):
        n = int(random.choice([100, 200, 600]))
        used = run(random, n, 0.7)
        flips = [run(random, n, 0.05) for _ in range(24)]
        others = [np.where(flip, run(random, n, 0.7), used) for flip in flips]
        fresh = np.arange(n) >= min(200, n // 2)
        best = others[contenders([other[~fresh] for other in others])[0]]
        accused += restores(used, best, fresh=fresh, expected=used.mean() + 0.08)
    assert accused <= 3


def test_out_of_reach_is_below_the_expectation_by_more_than_the_interval():
    half = np.arange(100) % 2 == 0
    assert is_out_of_reach(half, 0.9)
    assert not is_out_of_reach(half, 0.6)
    assert not is_out_of_reach(half[:8], 0.9)
