"""A run that is surely worse than an earlier one fails, and no other."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from errlens.analysis.gates.drop import (
    LeastOverlap,
    judge_drop,
    read_allowed_drop,
    read_least_overlap,
    without_baseline,
)
from errlens.analysis.statistics.differences import lower_bound_of_drop
from errlens.errors import UnfitBaseline, UnfitOption


def run(correct, *, first=0, label="cat"):
    """Make the outcomes of images that are right or wrong."""
    n = len(correct)
    names = [f"{first + index}.jpg" for index in range(n)]
    frame = pd.DataFrame({"row": range(n), "sample_id": names, "content_hash": None})
    frame = frame.assign(label_name=label, correct=np.asarray(correct, bool))
    return frame.assign(pred_name=np.where(frame["correct"], label, "other"))


def judged(old, new, *, allowed=0.0, least="50%"):
    return judge_drop(
        old, new, allowed=allowed, least_overlap=read_least_overlap(least), baseline="old"
    )


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80), st.floats(0, 0.2)
)
def test_it_fails_exactly_where_the_bound_is_more_than_allowed(pairs, allowed):
    old, new = (run(list(side)) for side in zip(*pairs, strict=True))
    broken, fixed = pairs.count((True, False)), pairs.count((False, True))
    found = judged(old, new, allowed=allowed)
    assert found.measured.value == (broken - fixed) / len(pairs)
    assert found.measured.low == lower_bound_of_drop(broken, fixed, len(pairs))
    assert found.passed == (found.measured.low <= allowed)
    assert bool(found.reason) == (not found.passed)
    assert (found.details["broken"], found.details["fixed"]) == (broken, fixed)


def test_images_that_one_run_lacks_do_not_count():
    old = run([True] * 100)
    new = run([True] * 60 + [False] * 100, first=40)
    found = judged(old, new, least="50")
    assert found.passed
    assert (found.measured.n, found.measured.value) == (60, 0)
    too_few = judged(old, new)
    assert not too_few.passed
    assert too_few.reason == (
        "the data set is another one: only 60 images in both, of 100 then and 160 now; "
        "--min-overlap asks for 80"
    )


def test_runs_without_a_common_image_cannot_be_compared():
    with pytest.raises(UnfitBaseline, match="neither by its name nor by its content") as caught:
        judged(run([True]), run([True], first=1))
    assert caught.value.exit_code == 3
    assert "another data set" in caught.value.hint


def test_labels_that_do_not_match_cannot_be_compared():
    with pytest.raises(UnfitBaseline, match=r"none with the same label: .*'cat' there.*'dog' here"):
        judged(run([True, True]), run([True, True], label="dog"))


def test_a_run_without_images_fails():
    found = judged(run([True]), run([]))
    assert not found.passed
    assert found.reason == "the run has no image that counts"


@pytest.mark.parametrize("passes", [True, False])
def test_a_baseline_that_is_not_there_is_named(passes):
    found = without_baseline("main/run", allowed=0, passes=passes)
    assert found.passed is passes
    assert "'main/run' does not exist" in found.reason


@pytest.mark.parametrize(
    ("text", "drop"),
    [("0.5pp", 0.005), ("0.005", 0.005), ("0", 0), ("0pp", 0), ("50pp", 0.5), ("2 pp", 0.02)],
)
def test_drops_are_points_or_shares(text, drop):
    assert read_allowed_drop(text) == drop


@pytest.mark.parametrize("text", ["0.5", "1%", "-1pp", "100pp", "pp", "", "nan", "small", "1"])
def test_what_is_no_drop_is_refused(text):
    with pytest.raises(UnfitOption):
        read_allowed_drop(text)


@pytest.mark.parametrize("text", ["0.5", "150%", "-1", "-5%", "some", "", "1e400"])
def test_what_is_no_overlap_is_refused(text):
    with pytest.raises(UnfitOption):
        read_least_overlap(text)


@settings(deadline=None)
@given(st.integers(0, 100), st.integers(0, 10_000))
def test_a_share_of_the_images_is_at_least_that_share(percent, n):
    needed = read_least_overlap(f"{percent}%").of(n)
    assert needed * 100 >= percent * n - 1e-6
    assert (needed - 1) * 100 < percent * n + 1e-6
    assert LeastOverlap(7, is_share=False).of(n) == 7


@pytest.mark.slow
def test_of_a_thousand_pairs_of_runs_few_fail_without_a_drop_and_most_with_one():
    rng = np.random.default_rng(0)

    def failures(drop):
        failed = 0
        for _ in range(1000):
            kinds = rng.choice(4, 2000, p=[0.05 + drop / 2, 0.05 - drop / 2, 0.75, 0.15])
            old, new = run(np.isin(kinds, (0, 2))), run(np.isin(kinds, (1, 2)))
            failed += not judged(old, new, allowed=0.005).passed
        return failed

    assert failures(0.0) <= 50
    assert failures(0.03) >= 900
