"""A place that misleads is named with its figures; luck and the object's own place are not."""

import re

import numpy as np
import pytest

from errlens.analysis.findings.causes.places.grid import PLACES, WINDOWS, Place
from errlens.analysis.findings.causes.places.hidden import (
    PLACE_COLUMNS,
    Hidden,
    search_places,
)
from errlens.run.csv_tables import read_declared, write_csv
from tests.analysis.findings.causes.planted_scored import NAMES, places_of, scored_of

CORNER = PLACES.index(Place(4 / 6, 4 / 6, 1, 1))


def asked(seed=0, n=400, *, error=0.25, repaired=0.15, broken=0.08):
    """Return images of four classes that are wrong, repaired and broken by luck alone."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 4, n)
    off = random.integers(1, 4, n)
    pred = np.where(random.random(n) < error, (label + off) % 4, label)
    turns = random.random((n, len(PLACES)))
    hidden = np.where(
        (pred != label)[:, None],
        np.where(turns < repaired, label[:, None], pred[:, None]),
        np.where(turns < broken, ((label + off) % 4)[:, None], label[:, None]),
    ).astype(np.int32)
    return label, pred, hidden


def stamped(seed, *, of_class=1, share=0.5, taken_for=3):
    """Return such images where a stamp in a corner has a part of one class taken for another."""
    label, pred, hidden = asked(seed)
    touched = (label == of_class) & (np.random.default_rng(seed + 1).random(len(label)) < share)
    pred = np.where(touched, taken_for, pred)
    hidden[touched] = taken_for
    hidden[touched, CORNER] = of_class
    return label, pred, hidden, touched


def search(label, pred, hidden):
    return search_places(scored_of(label, pred), Hidden(np.arange(len(label)), hidden))


@pytest.mark.parametrize("seed", range(8))
def test_a_stamp_that_misleads_is_named_with_those_that_have_it(seed):
    label, pred, hidden, touched = stamped(seed)
    (finding,) = search(label, pred, hidden).findings
    assert finding.subject["place"] == list(PLACES[CORNER][:4])
    assert finding.subject.get("class") == NAMES[1] or finding.subject.get("taken_for") == NAMES[3]
    assert touched[places_of(finding.rows)].mean() >= 0.8
    assert finding.excess_errors == pytest.approx(touched.sum(), rel=0.3)


def test_every_number_is_that_of_the_predictions():
    label, pred, hidden, _ = stamped(0)
    (finding,) = search(label, pred, hidden).findings
    wrong = label != pred
    group = wrong & (
        (label == NAMES.index(finding.subject["class"]))
        if "class" in finding.subject
        else (pred == NAMES.index(finding.subject["taken_for"]))
    )
    repaired = group & (hidden[:, CORNER] == label)
    told = [int(number) for number in re.findall(r"repairs (\d+) of (\d+)", finding.statement)[0]]
    assert told == [repaired.sum(), group.sum()]
    assert finding.n_errors == len(finding.rows) == repaired.sum()
    apart = [at for at, place in enumerate(PLACES) if not place.overlaps(PLACES[CORNER])]
    in_same = (hidden[group][:, apart] == label[group, None]).mean(axis=1).sum() + 0.5
    others = wrong & ~group
    elsewhere = ((hidden[others, CORNER] == label[others]).sum() + 0.5) / (others.sum() + 1)
    expected = max(in_same, elsewhere * group.sum())
    assert finding.excess_errors == pytest.approx(repaired.sum() - expected)
    assert f"where {expected:.1f} are expected" in finding.statement
    right = ~wrong & (label == (1 if "class" in finding.subject else 3))
    assert f"breaks {(hidden[right, CORNER] != label[right]).sum()} of" in finding.evidence


def test_a_stamp_over_all_classes_is_one_finding():
    label, pred, hidden = asked(3)
    touched = np.random.default_rng(9).random(len(label)) < 0.2
    pred = np.where(touched, (label + 1) % 4, pred)
    hidden[touched] = pred[touched, None]
    hidden[touched, CORNER] = label[touched]
    (finding,) = search(label, pred, hidden).findings
    assert set(finding.subject) == {"place", "frame"}
    assert touched[places_of(finding.rows)].mean() >= 0.8


def test_luck_is_no_finding():
    assert not any(search(*asked(seed)).findings for seed in range(60))


def test_the_place_of_the_object_which_repairs_more_in_all_classes_is_no_finding():
    label, pred, hidden = asked(2)
    middle = WINDOWS.index(Place(2 / 6, 2 / 6, 4 / 6, 4 / 6))
    lucky = np.random.default_rng(5).random(len(label)) < 0.2
    hidden[lucky, middle] = label[lucky]
    assert not search(label, pred, hidden).findings


def test_a_place_that_breaks_as_much_as_it_repairs_is_no_finding():
    label, pred, hidden, _ = stamped(0)
    hidden[label == pred, CORNER] = (label[label == pred] + 1) % 4
    assert not search(label, pred, hidden).findings


def test_errors_that_were_not_asked_about_count_as_those_that_were():
    label, pred, hidden, _ = stamped(0)
    half = np.flatnonzero(np.arange(len(label)) % 2 == 0)
    scored = scored_of(label, pred)
    (whole,) = search(label, pred, hidden).findings
    (part,) = search_places(scored, Hidden(half, hidden[half])).findings
    assert part.excess_errors == pytest.approx(whole.excess_errors, rel=0.35)
    assert set(part.rows) <= set(scored.row[half].tolist())
    assert "asked about" in part.statement
    assert "asked about" not in whole.statement
    more = f"({part.excess_errors:.1f} errors more, "
    assert (
        f"{more}{100 * part.excess_errors / scored.n_errors:.1f} % of all errors)" in part.statement
    )


def test_the_table_counts_what_each_place_repairs_and_breaks(tmp_path):
    label, pred, hidden, _ = stamped(0)
    table = search(label, pred, hidden).tables["places"]
    write_csv(tmp_path / "places.csv", table)
    read = read_declared(tmp_path / "places.csv", PLACE_COLUMNS)
    wrong = label != pred
    assert read["repaired"].tolist() == [
        int((hidden[wrong, at] == label[wrong]).sum()) for at in range(len(PLACES))
    ]
    assert read["broken"].tolist() == [
        int((hidden[~wrong, at] != label[~wrong]).sum()) for at in range(len(PLACES))
    ]


@pytest.mark.parametrize(
    ("label", "pred", "why"),
    [
        ([0, 1, 2], [0, 1, 2], "no image is wrong"),
        ([], [], "no image is wrong"),
    ],
)
def test_without_errors_it_says_so(label, pred, why):
    hidden = np.zeros((len(label), len(PLACES)), np.int32)
    (search_,) = search(np.array(label, int), np.array(pred, int), hidden).searches
    assert search_.absent == why


def test_errors_of_which_none_could_be_asked_about_are_no_absence_of_errors():
    scored = scored_of([0, 1], [1, 1])
    none = Hidden(np.zeros(0, np.int64), np.zeros((0, len(PLACES)), np.int32))
    assert "none of the errors" in search_places(scored, none).searches[0].absent


def test_few_errors_say_how_many_images_would_do():
    label = np.zeros(12, int)
    pred = np.array([1, 1, *[0] * 10])
    hidden = np.repeat(pred[:, None], len(PLACES), axis=1).astype(np.int32)
    assert search(label, pred, hidden).searches[0].enough == 60


def test_all_wrong_in_one_class_is_no_finding_without_a_place():
    label, pred = np.zeros(40, int), np.ones(40, int)
    hidden = np.ones((40, len(PLACES)), np.int32)
    assert not search(label, pred, hidden).findings


@pytest.mark.parametrize("seed", range(4))
def test_right_images_are_asked_about_suspect_places_alone_and_the_same_is_told(seed):
    label, pred, hidden, _ = stamped(seed)
    scored = scored_of(label, pred)
    errors, right = np.flatnonzero(scored.wrong), np.flatnonzero(~scored.wrong)
    asked_about = []

    def ask(place):
        asked_about.append(place)
        return Hidden(right, hidden[right][:, [place]])

    outcome = search_places(scored, Hidden(errors, hidden[errors]), ask=ask, part="a part")
    whole = search(label, pred, hidden)
    assert [vars_of(finding) for finding in outcome.findings] == [
        vars_of(finding) for finding in whole.findings
    ]
    assert CORNER in asked_about
    assert len(asked_about) == len(set(asked_about)) < len(PLACES)
    assert outcome.searches[0].part == "a part"
    table, everything = outcome.tables["places"], whole.tables["places"]
    known = np.isin(np.arange(len(PLACES)), asked_about)
    assert table[known].equals(everything[known])
    assert not table.loc[~known, ["n_right", "broken"]].any(axis=None)


def vars_of(finding):
    return (finding.statement, finding.evidence, finding.rows, finding.subject)


def test_nothing_asked_is_an_empty_table():
    images = scored_of(np.array([0, 1, 2]), np.array([0, 1, 2]))
    outcome = search_places(images, Hidden(np.array([], int), np.empty((0, len(PLACES)), int)))
    assert not outcome.findings
    assert not len(outcome.tables["places"])
    assert outcome.searches[0].absent == "no image is wrong"
