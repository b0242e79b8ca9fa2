"""Methods are believed where their maps beat random places and are of the network's weights."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr, wilcoxon

from errlens.attribution.judging.choosing import (
    BELIEVE,
    DOUBT,
    UNDECIDED,
    Agreement,
    advice,
    holm,
    rank_correlation,
    trials,
)
from errlens.maps import Attribution, Target

GOOD, BAD, CHANCE = (-0.1, 0.1), (0.1, -0.1), (0.0, 0.0)


def checked(n=20, **methods):
    """Return rows of an index: of each method what its maps win, with noise, over random places.

    The noise is even, so that what wins nothing wins nothing here, too.
    """
    random = np.random.default_rng(0)
    rows = []
    for method, won in methods.items():
        half = random.normal(0, 0.05, (n // 2 + 1, 2))
        deletion, insertion = (np.concatenate([half, -half])[1 : n + 1] + won).T
        table = {"method": method, "deletion_auc": 0.5 + deletion, "insertion_auc": 0.5 + insertion}
        rows.append(pd.DataFrame(table))
    return pd.concat(rows).assign(random_deletion_auc=0.5, random_insertion_auc=0.5)


def randomised(**left):
    rows = [(method, layer, value) for method, value in left.items() for layer in ("head", "stem")]
    return pd.DataFrame(rows, columns=["method", "layer", "similarity"])


def tried(index, left=None):
    return trials(index, left if left is not None else randomised(), Agreement(), {})


def test_what_beats_random_places_is_believed_and_what_loses_is_not():
    index = checked(good=GOOD, bad=BAD, chance=CHANCE)
    verdicts = {trial.method: trial.verdict for trial in tried(index)}
    assert verdicts == {"good": BELIEVE, "bad": DOUBT, "chance": UNDECIDED}
    assert advice(tried(index)) == (
        "On this network believe good; do not believe bad (worse than random places)."
    )


def test_what_does_not_depend_on_the_weights_is_not_believed():
    index = checked(good=GOOD, guided=GOOD)
    found = tried(index, randomised(good=0.1, guided=0.9))
    assert "do not believe guided (with random weights 0.9000 of it is left)" in advice(found)


def test_where_nothing_beats_chance_nothing_is_named():
    for methods in ({"chance": CHANCE}, {"chance": CHANCE, "bad": BAD}):
        said = advice(tried(checked(**methods)))
        assert said == "No method is shown to beat random places on 20 images."
    few = advice(tried(checked(n=3, good=GOOD)))
    assert few.endswith("on 3 images; 5 images are the least that could tell.")


def test_the_least_number_of_images_is_enough():
    """The smallest p-value of a signed-rank test of n images is one over two to the nth."""
    index = checked(n=5, good=(-0.5, 0.5))
    (found,) = tried(index)
    assert found.p_value == 1 / 2**5
    assert found.verdict == BELIEVE


def test_the_numbers_are_those_of_the_table():
    index = checked(good=GOOD, chance=CHANCE)
    found = {trial.method: trial for trial in tried(index)}
    rows = index[index["method"] == "good"]
    deletion = rows["random_deletion_auc"] - rows["deletion_auc"]
    insertion = rows["insertion_auc"] - rows["random_insertion_auc"]
    assert found["good"].deletion == pytest.approx(deletion.mean())
    assert found["good"].insertion == pytest.approx(insertion.mean())
    alone = wilcoxon(deletion + insertion, alternative="greater").pvalue
    assert found["good"].p_value == pytest.approx(2 * alone)


def test_holm_is_the_larger_for_each_further_test():
    assert holm([]) == []
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([0.01]) == [0.01]


def attribution(values, *, signed=True):
    return Attribution(np.float32(values), "some", Target("predicted", 0), 1.0, signed=signed)


def test_maps_are_compared_on_the_coarser_grid():
    random = np.random.default_rng(0)
    coarse = random.normal(size=(4, 4)).astype(np.float32)
    fine = np.kron(coarse, np.ones((8, 8), np.float32))
    assert rank_correlation(attribution(coarse), attribution(fine)) == pytest.approx(1)
    other = random.normal(size=(4, 4))
    expected = spearmanr(coarse.ravel(), other.ravel()).statistic
    assert rank_correlation(attribution(coarse), attribution(other)) == pytest.approx(expected)


def test_a_map_without_a_sign_is_compared_by_size():
    values = np.array([[-3.0, 1.0], [2.0, 0.0]])
    size = attribution(abs(values), signed=False)
    assert rank_correlation(attribution(values), size) == pytest.approx(1)
    assert np.isnan(rank_correlation(attribution(values), attribution(np.ones((2, 2)))))


def test_agreement_is_the_mean_over_images():
    found = Agreement()
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    found.add({"one": attribution(values), "other": attribution(values)})
    found.add({"one": attribution(values), "other": attribution(-values)})
    assert found.of("one") == {"other": pytest.approx(0)}
    assert found.of("third") == {}
