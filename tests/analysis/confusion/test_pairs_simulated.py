"""How often is a pair reported that is none, and how often is a planted one found?

Counts are drawn row by row from multinomial distributions, with fixed seeds. The quick runs keep
the same bounds as the slow ones, for they draw the same reports, only fewer of them.
"""

from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

from errlens.analysis.confusion.exceptional import COLUMNS, exceptional_table
from errlens.analysis.confusion.groups import group_table, names_of
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import (
    LIKELY,
    MUTUAL,
    absorbed_table,
    mutual_pairs,
    pair_table,
)
from errlens.classes.names import ClassNames, Superclasses
from errlens.predictions.table import SCHEMA, Predictions

CATS = (
    "Abyssinian", "Bengal", "Birman", "Bombay", "British Shorthair", "Egyptian Mau", "Maine Coon",
    "Persian", "Ragdoll", "Russian Blue", "Siamese", "Sphynx",
)  # fmt: skip
DOGS = (
    "American bulldog", "American pit bull terrier", "Basset hound", "Beagle", "Boxer",
    "Chihuahua", "English cocker spaniel", "English setter", "German shorthaired",
    "Great Pyrenees", "Havanese", "Japanese chin", "Keeshond", "Leonberger", "Miniature pinscher",
    "Newfoundland", "Pomeranian", "Pug", "Saint Bernard", "Samoyed", "Scottish terrier",
    "Shiba Inu", "Staffordshire bull terrier", "Wheaten terrier", "Yorkshire terrier",
)  # fmt: skip
PETS = ClassNames(CATS + DOGS)
KINDS = Superclasses(("cat", "dog"), (0,) * len(CATS) + (1,) * len(DOGS))
KIND = np.array(KINDS.of_class)

# Reports: a few in every run of the tests, all with --slow.
REPORTS = [pytest.param(60, id="quick"), pytest.param(500, id="full", marks=pytest.mark.slow)]


def matrix_of(counts, superclasses=None):
    k = len(counts)
    classes = PETS if k == len(PETS) else ClassNames(tuple(f"class {one}" for one in range(k)))
    return ConfusionMatrix(csr_array(counts), classes, superclasses, np.zeros(k, np.int64))


def with_diagonal(rates):
    """Return the rates of error with what is left of each row on the diagonal."""
    rates = np.array(rates, float)
    np.fill_diagonal(rates, 0)
    np.fill_diagonal(rates, 1 - rates.sum(axis=1))
    return rates


def evenly(k, rate):
    return with_diagonal(np.full((k, k), rate / (k - 1)))


def evenly_inside(rate):
    """Return rates of the pets, whose errors all fall on their own kind."""
    kin = (KIND[:, None] == KIND) & ~np.eye(len(KIND), dtype=bool)
    return with_diagonal(kin * rate / kin.sum(axis=1, keepdims=True))


def evenly_inside_many(superclasses, classes):
    """Return rates of superclasses of some classes each, all errors within."""
    kind = np.repeat(np.arange(superclasses), classes)
    kin = (kind[:, None] == kind) & ~np.eye(len(kind), dtype=bool)
    return with_diagonal(kin * 0.15 / (classes - 1))


def numbered_kinds(superclasses, classes):
    names = tuple(f"kind {one:02d}" for one in range(superclasses))
    return Superclasses(names, tuple(np.repeat(np.arange(superclasses), classes).tolist()))


def draws(rates, images, *, reports, seed=0):
    """Yield count matrices; `rates` and `images` may be functions of the random generator."""
    random = np.random.default_rng(seed)
    for _ in range(reports):
        rate = rates(random) if callable(rates) else rates
        n = images(random) if callable(images) else images
        yield random.multinomial(n, rate)


def false_reports(rates, images, *, reports, superclasses=None):
    """Return the share of reports that call any pair real: mutual, or likely."""
    return np.mean(
        [
            pair_table(matrix_of(counts, superclasses))["status"].isin([MUTUAL, LIKELY]).any()
            for counts in draws(rates, images, reports=reports)
        ]
    )


def attractive(random):
    """Return rates where some classes attract many more errors than others."""
    k = 37
    weight = np.tile(random.lognormal(0, 1, k), (k, 1))
    np.fill_diagonal(weight, 0)
    return with_diagonal(0.15 * weight / weight.sum(axis=1, keepdims=True))


def hard_and_easy(random):
    """Return rates where some classes have many more errors than others."""
    k = 37
    rate = np.minimum(0.08 * random.lognormal(0, 1, k), 0.8)
    return with_diagonal(np.tile(rate[:, None] / (k - 1), k))


def hard_and_attractive(random):
    """Return rates where the classes with many errors attract many, too."""
    k = 37
    strength = random.lognormal(0, 0.8, k)
    weight = np.tile(strength, (k, 1))
    np.fill_diagonal(weight, 0)
    rate = np.minimum(0.08 * strength, 0.8)
    return with_diagonal(rate[:, None] * weight / weight.sum(axis=1, keepdims=True))


def uneven(random):
    """Return class sizes from a handful to thousands."""
    return np.maximum(random.lognormal(np.log(100), 1, 37).astype(int), 3)


NULLS = {
    "10 classes of 800, 25 %": (evenly(10, 0.25), 800, None),
    "37 classes of 100, 8 %": (evenly(37, 0.08), 100, None),
    "inside two superclasses, 15 %": (evenly_inside(0.15), 100, KINDS),
    "inside twenty superclasses, 15 %": (evenly_inside_many(20, 5), 100, numbered_kinds(20, 5)),
    "inside ten superclasses, 15 %": (evenly_inside_many(10, 10), 100, numbered_kinds(10, 10)),
    "uneven classes, 15 %": (evenly(37, 0.15), uneven, None),
    "some classes attract errors": (attractive, 100, None),
    "some classes are hard": (hard_and_easy, 100, None),
    "hard classes attract errors": (hard_and_attractive, 100, None),
    "hard, attractive and uneven": (hard_and_attractive, uneven, None),
    "100 classes of 50, 30 %": (evenly(100, 0.3), 50, None),
}


@pytest.mark.parametrize("reports", REPORTS)
@pytest.mark.parametrize("null", NULLS)
def test_chance_is_reported_in_at_most_a_report_of_twenty(null, reports):
    rates, images, superclasses = NULLS[null]
    assert false_reports(rates, images, reports=reports, superclasses=superclasses) <= 0.05


@pytest.mark.parametrize("reports", REPORTS)
def test_superclasses_that_nobody_told_of_are_taken_for_pairs(reports):
    # A cat is taken for each of the eleven others three times as often as for any class: a lift
    # of three, as a true pair may have. Nothing in the counts tells the two apart.
    assert false_reports(evenly_inside(0.15), 100, reports=reports) > 0.25


def planted(background, cells):
    """Return even rates with some cells at a rate of their own."""
    rates = np.full((37, 37), background / 36)
    for (i, j), rate in cells.items():
        rates[i, j] = rate
    return with_diagonal(rates)


def both_ways(pairs, rate):
    return {way: rate for a, b in pairs for way in ((a, b), (b, a))}


@pytest.mark.parametrize("reports", REPORTS)
@pytest.mark.parametrize("superclasses", [None, KINDS], ids=["all", "kinds"])
def test_nine_of_ten_planted_pairs_are_found_and_little_else(reports, superclasses):
    pairs = [(0, 5), (7, 8), (20, 30)]
    found, more = 0, 0
    for counts in draws(planted(0.05, both_ways(pairs, 0.08)), 100, reports=reports):
        matrix = matrix_of(counts, superclasses)
        mutual = {tuple(pair) for pair in mutual_pairs(matrix, pair_table(matrix)).tolist()}
        found += len(mutual & set(pairs))
        more += bool(mutual - set(pairs))
    assert found >= 0.9 * reports * len(pairs)
    assert more <= 0.05 * reports * len(pairs)


@pytest.mark.parametrize("reports", REPORTS)
def test_a_one_way_street_is_absorbed_and_never_the_first_pair(reports):
    cells = {(3, 4): 0.16, **both_ways([(0, 5), (20, 30)], 0.08)}
    street = ("Bombay", "British Shorthair")
    absorbed = 0
    for counts in draws(planted(0.05, cells), 100, reports=reports):
        matrix = matrix_of(counts)
        pairs = pair_table(matrix)
        mutual = pairs[pairs["mutual"]]
        assert not mutual.empty
        assert (mutual["class_a"].iloc[0], mutual["class_b"].iloc[0]) != street
        found = absorbed_table(matrix)
        absorbed += ((found["true_class"] == street[0]) & (found["pred_class"] == street[1])).any()
    assert absorbed >= 0.98 * reports


@pytest.mark.parametrize("reports", REPORTS)
def test_nine_of_ten_planted_triples_are_one_group(reports):
    trio = (15, 22, 33)
    rates = planted(0.05, both_ways(combinations(trio, 2), 0.08))
    right = 0
    for counts in draws(rates, 100, reports=reports):
        matrix = matrix_of(counts)
        found = names_of(group_table(matrix, pair_table(matrix)))
        right += found == [[PETS[one] for one in trio]]
    assert right >= 0.9 * reports


PLANTED = {
    ("Bengal", "Egyptian Mau"): (13, 5),
    ("Birman", "Ragdoll"): (6, 5),
    ("Birman", "Siamese"): (4, 3),
    ("Ragdoll", "Siamese"): (3, 2),
    ("British Shorthair", "Russian Blue"): (5, 4),
    ("American pit bull terrier", "Staffordshire bull terrier"): (8, 6),
    ("English cocker spaniel", "English setter"): (3, 3),
}
CROSSING = (("Ragdoll", "Samoyed"), ("Shiba Inu", "Sphynx"), ("Scottish terrier", "Bombay"))
OF_THE_TRIO = {("Birman", "Siamese"), ("Ragdoll", "Siamese")}
IMAGES, SINGLES = 50, 60


def pets(seed):
    """Return the planted errors of the pets, three that cross, and single ones anywhere."""
    random = np.random.default_rng(seed)
    counts = np.zeros((len(PETS), len(PETS)), np.int64)
    for (one, other), (there, back) in PLANTED.items():
        a, b = PETS.index(one), PETS.index(other)
        counts[a, b], counts[b, a] = there, back
    for true_class, pred_class in CROSSING:
        counts[PETS.index(true_class), PETS.index(pred_class)] += 1
    for _ in range(SINGLES):
        true = random.choice(np.flatnonzero(counts.sum(axis=1) < IMAGES))
        wrong = random.choice(np.delete(np.arange(len(PETS)), true))
        counts[true, wrong] += 1
    np.fill_diagonal(counts, IMAGES - counts.sum(axis=1))
    return counts


@pytest.mark.parametrize("seed", range(50))
def test_the_planted_breeds_come_first_and_the_trio_is_one_group(seed):
    matrix = matrix_of(pets(seed), KINDS)
    pairs = pair_table(matrix)
    ranked = [
        (pair, mutual)
        for *pair, mutual in pairs[["class_a", "class_b", "mutual"]].itertuples(index=False)
        if tuple(pair) not in OF_THE_TRIO
    ]
    expected = [list(pair) for pair in PLANTED if pair not in OF_THE_TRIO]
    first = ranked[: len(expected)]
    assert sorted(pair for pair, _ in first) == sorted(expected)
    assert all(mutual for _, mutual in first)
    groups = names_of(group_table(matrix, pairs))
    assert ["Birman", "Ragdoll", "Siamese"] in groups


@pytest.mark.parametrize("seed", range(50))
def test_a_cat_called_a_dog_is_exceptional(seed):
    counts = pets(seed)
    label, pred = (
        np.repeat(index, counts.ravel()) for index in np.indices(counts.shape).reshape(2, -1)
    )
    names, n = np.array(PETS.names), len(label)
    known = {
        "row": range(n), "sample_id": [str(row) for row in range(n)], "status": ["ok"] * n,
        "label": label, "pred": pred, "label_name": names[label], "pred_name": names[pred],
    }  # fmt: skip
    columns = [
        pa.array(known[name]).cast(SCHEMA.field(name).type)
        if name in known
        else pa.nulls(n, SCHEMA.field(name).type)
        for name in COLUMNS
    ]
    table = exceptional_table([Predictions(pa.table(columns, list(COLUMNS)), PETS, KINDS)], KINDS)
    found = set(table[["label_name", "pred_name"]].itertuples(index=False, name=None))
    assert found >= set(CROSSING)
    assert len(table) == counts[np.not_equal.outer(KIND, KIND)].sum()
