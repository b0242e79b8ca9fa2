import numpy as np
import pytest
from scipy.stats import hypergeom

from errlens.analysis.atlas.classes.senses import SENSE_COLUMNS, sense_table, spread_of


def shared(concept: np.ndarray, rows: np.ndarray) -> int:
    return len({*rows[concept == 1]} & {*rows[concept == 2]})


def test_what_is_expected_and_how_likely_fewer_are_is_what_shuffling_gives():
    rng = np.random.default_rng(1)
    n_points = rng.integers(1, 5, 60)
    rows = np.repeat(np.arange(60), n_points)
    concept = np.repeat([1, 2, 3], [35, 45, len(rows) - 80])
    counts = np.array([shared(rng.permutation(concept), rows) for _ in range(4000)])
    for n_shared in np.percentile(counts, (2, 20, 60)).astype(int):
        spread = spread_of(n_points, (35, 45), n_shared=int(n_shared))
        assert spread.expected == pytest.approx(counts.mean(), abs=0.15)
        # Images do not know of one another here: that makes few shared ones look less unlikely.
        assert spread.p_value >= (counts <= n_shared).mean() - 0.02
        assert spread.p_value <= (counts <= n_shared).mean() + 0.08


def test_of_one_image_it_is_the_hypergeometric_distribution():
    spread = spread_of(np.array([2]), (1, 1), n_shared=0)
    assert spread.expected == pytest.approx(1)
    # One image of three points among others: both of two concepts with one of 10 points each.
    n_points = np.array([3] + [1] * 7)
    none = [hypergeom.pmf(0, 10, size, 3) for size in (1, 1, 2)]
    assert spread_of(n_points, (1, 1), n_shared=0).expected == pytest.approx(
        1 - none[0] - none[1] + none[2]
    )


def planted(kinds: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Images of two kinds, four points each: concepts 1 and 2, or 3 and 4."""
    rows = np.repeat(np.arange(len(kinds)), 4)
    return 1 + 2 * kinds[rows] + rng.integers(0, 2, len(rows)), rows


def test_food_and_flower_are_separate_and_parts_of_either_are_not():
    rng = np.random.default_rng(0)
    table = sense_table(*planted(np.repeat([0, 1], 40), rng))
    assert [*table.columns] == [*SENSE_COLUMNS]
    pairs = zip(table["concept_a"], table["concept_b"], table["separate"], strict=True)
    assert {(a, b): bool(separate) for a, b, separate in pairs} == {
        (1, 2): False, (3, 4): False, (1, 3): True, (1, 4): True, (2, 3): True, (2, 4): True,
    }  # fmt: skip
    assert (table.loc[table["separate"], "n_shared"] == 0).all()


def test_points_spread_at_random_have_no_senses():
    rng = np.random.default_rng(2)
    n_separate = 0
    for _ in range(40):
        rows = np.repeat(np.arange(60), 4)
        n_separate += int(sense_table(rng.integers(1, 7, len(rows)), rows)["separate"].any())
    assert n_separate <= 4


def test_images_with_one_point_each_show_nothing():
    table = sense_table(np.repeat([1, 2], 30), np.arange(60))
    assert table["p_value"].tolist() == pytest.approx([1.0])
    assert not table["separate"].any()


def test_without_images_of_the_class_there_is_nothing_to_test():
    nothing = np.zeros(0, np.int64)
    assert len(sense_table(nothing, nothing)) == 0


def test_concepts_of_few_images_are_not_tested():
    assert len(sense_table(np.array([1, 1, 2, 2, -1]), np.arange(5))) == 0
