"""A change of the input is named where it repairs more than by luck, with the images it mends."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from errlens.analysis.findings.asked import Asked
from errlens.analysis.findings.causes.repairs.answers import Answers
from errlens.analysis.findings.causes.repairs.search import (
    REPAIR_COLUMNS,
    repair_table,
    search_repairs,
)
from errlens.analysis.findings.causes.repairs.trials import log_p_of_net
from errlens.analysis.findings.finding import as_tree
from errlens.analysis.findings.scored import Scored
from errlens.classes.names import NO_CLASS, ClassNames
from errlens.data.photos.changes import CHANGES
from errlens.run.csv_tables import read_declared, write_csv

NAMES = ("cat", "dog", "<b>ship</b>", "a;b")
TRIED = tuple(change.name for change in CHANGES if change.name not in ("exif", "squash"))


class World(NamedTuple):
    """Images of a run, what the model says of them changed, and which were touched."""

    scored: Scored
    asked: Asked
    touched: np.ndarray


def world(
    *,
    n: int = 2000,
    errors: float = 0.16,
    change: str | None = None,
    label: int | None = None,
    share: float = 0.0,
    mended: float = 0.8,
    seed: int = 0,
    selective: bool = False,
) -> World:
    """Make a model that a change repairs by luck in 20 %, seldom surely, and mends what is touched.

    Of what is touched, half is wrong as it is.
    """
    random = np.random.default_rng(seed)
    labels = random.integers(0, len(NAMES), n).astype(np.int32)
    touched = random.random(n) < share
    if label is not None:
        touched &= labels == label
    wrong = random.random(n) < np.where(touched, 0.5, errors)
    confidence = 1 - random.beta(1, 6, n)
    label_prob = np.where(wrong, random.uniform(0, 0.4, n), confidence)
    m, c = n, len(TRIED)
    hit = np.where(wrong[:, None], random.random((m, c)) < 0.2, random.random((m, c)) < 0.9)
    by_luck = np.where(wrong[:, None], random.beta(4, 4, (m, c)), label_prob[:, None] - 0.05)
    prob = np.where(hit, by_luck, 0.1)
    differs = np.ones((m, c), bool)
    if change:
        column = TRIED.index(change)
        right_again = touched & (random.random(n) < mended)
        hit[right_again, column] = True
        prob[right_again, column] = 1 - random.beta(1, 6, right_again.sum())
        if selective:
            differs[:, column] = touched
            hit[~touched, column] = ~wrong[~touched]
            prob[~touched, column] = label_prob[~touched]
    other = ((labels + 1) % len(NAMES))[:, None]
    scored = Scored(
        row=np.arange(n) * 2,
        label=labels,
        pred=np.where(wrong, other[:, 0], labels).astype(np.int32),
        wrong=wrong,
        confidence=np.where(wrong, 0.6, confidence),
        label_prob=label_prob,
        paths=[f"{row}.png" for row in range(n)],
        content_hash=[None] * n,
        classes=ClassNames(NAMES),
    )
    pred = np.where(hit, labels[:, None], other).astype(np.int32)
    asked = Asked(scored.row, TRIED, pred, prob.astype(np.float32), differs, {"squash": "whole"})
    return World(scored, asked, touched)


def subset(some: World, chosen: np.ndarray) -> Asked:
    asked = some.asked
    return Asked(
        asked.row[chosen], TRIED, asked.pred[chosen], asked.label_prob[chosen],
        asked.differs[chosen], asked.left_out,
    )  # fmt: skip


def part_of(scored: Scored, chosen: np.ndarray) -> Scored:
    """Return some images of a run."""
    arrays = ("row", "label", "pred", "wrong", "confidence", "label_prob")
    return replace(
        scored,
        **{name: getattr(scored, name)[chosen] for name in arrays},
        paths=[scored.paths[at] for at in chosen],
        content_hash=[None] * len(chosen),
    )


def answered(some: World, at: np.ndarray, tried=slice(None), stopped: str = "") -> Asked:
    """Return what the model says of some images under some changes."""
    asked, columns = some.asked, np.zeros(len(TRIED), bool)
    columns[tried] = True
    pred = np.where(columns, asked.pred[at], some.scored.pred[at, None])
    prob = np.where(columns, asked.label_prob[at], some.scored.label_prob[at, None])
    return Asked(
        asked.row[at], TRIED, pred, prob.astype(np.float32), asked.differs[at] & columns,
        asked.left_out, stopped=stopped,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_without_a_cause_nothing_is_named(seed):
    some = world(seed=seed)
    assert not search_repairs(some.scored, some.asked).findings


def test_a_cause_of_most_of_few_errors_is_named():
    """Of 9 errors all lie on their side; a cause is not to wait until there are ten."""
    some = world(n=2000, errors=0.0, change="turn_90", share=1.0, mended=1.0)
    wrong, right = (np.flatnonzero(some.scored.wrong == state) for state in (True, False))
    asked = subset(some, np.sort(np.concatenate([wrong[:9], right[:40]])))
    few = part_of(some.scored, np.sort(np.concatenate([wrong[:9], right[:119]])))
    (found,) = search_repairs(few, asked).findings
    assert (found.subject["change"], found.n_errors) == ("turn_90", 9)


@pytest.mark.parametrize("seed", range(20))
def test_luck_mends_no_few_errors(seed):
    some = world(n=600, errors=0.015, seed=seed)
    assert 3 < some.scored.n_errors < 20
    assert not search_repairs(some.scored, some.asked).findings


@pytest.mark.parametrize("change", ["turn_90", "blue_first", "inverted", "closer", "lighter"])
@pytest.mark.parametrize(("label", "share"), [(None, 0.2), (0, 0.5), (2, 0.5)])
def test_the_change_that_mends_a_class_or_some_images_is_named_first_and_alone(
    change, label, share
):
    some = world(change=change, label=label, share=share)
    found = search_repairs(some.scored, some.asked).findings
    assert [finding.subject["change"] for finding in found] == [change]
    name = None if label is None else NAMES[label]
    assert found[0].subject["class"] == name
    listed = np.isin(some.scored.row, found[0].rows)
    assert some.touched[listed].mean() >= 0.8
    assert some.scored.wrong[listed].sum() == found[0].n_errors > 20
    assert not set(found[0].beside) & set(found[0].rows)
    as_tree(found[0])


def test_the_numbers_of_the_sentence_are_those_of_the_table():
    some = world(change="turn_90", label=0, share=0.5)
    (found,) = search_repairs(some.scored, some.asked).findings
    table = repair_table(some.scored, some.asked)
    errors = table[~table["correct"]]
    cats = errors["label_name"] == "cat"
    repaired = (errors["turn_90"] == errors["label_name"]).to_numpy()
    others_of_it = (repaired[~cats].sum() + 0.5) / ((~cats).sum() + 1)
    unrelated = [
        change.name for change in CHANGES if change.name in TRIED and change.family != "turned"
    ]
    came = [(errors[cats][name] == errors[cats]["label_name"]).sum() for name in unrelated]
    by_change = [(hits + 0.5) / (cats.sum() + 1) for hits in came]
    expected = cats.sum() * max(others_of_it, float(np.median(by_change)))
    assert found.statement == (
        f"A quarter turn to the left repairs {repaired[cats].sum()} of {cats.sum()} errors of "
        f"cat, where {expected:.0f} are expected: these photos seem to lie on their side."
    )
    assert found.excess_errors == pytest.approx(repaired[cats].sum() - expected)
    assert found.gain.value == pytest.approx(found.excess_errors / len(some.scored))
    assert found.gain.low < found.gain.value < found.gain.high


def test_of_a_sample_the_errors_and_the_gain_are_those_of_the_whole_run():
    some = world(change="turn_90", share=0.3, n=4000)
    wrong = np.flatnonzero(some.scored.wrong)
    half = np.sort(np.concatenate([wrong[::2], np.flatnonzero(~some.scored.wrong)[::4]]))
    (whole,) = search_repairs(some.scored, some.asked).findings
    (sampled,) = search_repairs(some.scored, subset(some, half)).findings
    assert "errors asked about" in sampled.statement
    assert sampled.excess_errors == pytest.approx(whole.excess_errors, rel=0.2)
    assert sampled.gain.low < whole.gain.value < sampled.gain.high


def test_where_the_change_wins_done_to_all_images_the_gain_is_the_net_of_it():
    some = world(change="blue_first", share=1.0, mended=0.95)
    (found,) = search_repairs(some.scored, some.asked).findings
    column = TRIED.index("blue_first")
    now = (some.asked.pred[:, column] == some.scored.label).mean()
    before = 1 - some.scored.wrong.mean()
    assert found.subject["all_images"] is True
    assert found.gain.value == pytest.approx(now - before, abs=0.005)
    assert found.gain.low < now - before < found.gain.high
    assert "if done to all" in found.statement


def test_two_causes_are_both_named():
    one, other = world(change="turn_180", label=1, share=0.6), world()
    column = TRIED.index("darker")
    also = np.random.default_rng(1).random(len(one.scored)) < 0.25
    one.asked.pred[also, column] = one.scored.label[also]
    one.asked.label_prob[also, column] = 0.99
    found = search_repairs(one.scored, one.asked).findings
    told = {(finding.subject["change"], finding.subject["class"]) for finding in found}
    assert told == {("turn_180", "dog"), ("darker", None)}
    assert not search_repairs(other.scored, other.asked).findings


def test_a_class_that_all_changed_images_look_like_is_not_repaired():
    some = world(change="inverted", label=0, share=0.5)
    (found,) = search_repairs(some.scored, some.asked).findings
    assert found.subject["class"] == "cat"
    column = TRIED.index("inverted")
    others = (some.scored.label != 0) & (np.random.default_rng(2).random(len(some.scored)) < 0.5)
    some.asked.pred[others, column] = 0
    classes = [each.subject["class"] for each in search_repairs(some.scored, some.asked).findings]
    assert "cat" not in classes


def test_one_cause_that_two_changes_mend_is_told_once():
    some = world(change="turn_180", share=0.25)
    one, other = TRIED.index("turn_180"), TRIED.index("flip")
    some.asked.pred[:, other] = some.asked.pred[:, one]
    some.asked.label_prob[:, other] = some.asked.label_prob[:, one] * 0.97
    found = search_repairs(some.scored, some.asked).findings
    assert [finding.subject["change"] for finding in found] == ["turn_180"]


def test_a_change_of_few_images_lists_those_it_changes():
    some = world(change="borders_off", share=0.2, selective=True)
    (found,) = search_repairs(some.scored, some.asked).findings
    assert found.subject["change"] == "borders_off"
    assert some.touched[np.isin(some.scored.row, found.rows)].all()


@pytest.mark.parametrize("n", [0, 1, 12])
def test_of_a_few_images_nothing_is_said_but_how_many_would_do(n):
    some = world(n=n, errors=0.3)
    outcome = search_repairs(some.scored, some.asked)
    assert not outcome.findings
    assert all(search.absent or search.enough > 12 for search in outcome.searches)


@pytest.mark.parametrize("errors", [0.0, 1.0])
def test_all_right_or_all_wrong_is_said(errors):
    some = world(n=300, errors=errors)
    outcome = search_repairs(some.scored, some.asked)
    assert not outcome.findings
    assert len(outcome.searches) == len(CHANGES)
    assert all(search.absent for search in outcome.searches)


def test_what_was_left_out_says_why():
    some = world(n=300)
    outcome = search_repairs(some.scored, some.asked)
    why = {search.what: search.absent for search in outcome.searches}
    assert why["feeding the whole image, squashed"] == "whole"
    assert why["turning as EXIF says"] == "it was not tried"
    assert why["a half turn"] == ""


def test_where_no_photo_could_be_asked_about_that_is_said():
    some = world(n=300)
    for asked in (Asked.nothing("time was up"), Asked.nothing()):
        outcome = search_repairs(some.scored, asked)
        assert all(search.absent for search in outcome.searches)
        assert list(outcome.tables["repairs"].columns) == list(REPAIR_COLUMNS)


def test_repairs_csv_is_read_back_as_declared(tmp_path):
    some = world(n=40)
    some.asked.pred[0, 0] = NO_CLASS
    table = repair_table(some.scored, some.asked)
    write_csv(tmp_path / "repairs.csv", table)
    again = read_declared(tmp_path / "repairs.csv", REPAIR_COLUMNS)
    assert again["right_with"].fillna("").tolist() == table["right_with"].tolist()
    assert again["mirror"].fillna("-").tolist() == table["mirror"].fillna("-").tolist()
    for _, row in again.iterrows():
        named = [change for change in TRIED if row[change] == row["label_name"]]
        stays = [] if not row["correct"] else [change for change in TRIED if row.isna()[change]]
        assert row["n_right"] == len({*named, *stays} - ({TRIED[0]} if row["row"] == 0 else set()))


@pytest.mark.parametrize("rate", [0.01, 0.03])
def test_the_chance_of_a_false_alarm_is_held_where_luck_is_sure_now_and_then(rate):
    """The bound lies where a binomial count of twice as much luck hardly ever comes."""
    from errlens.analysis.findings.causes.repairs.trials import ALPHA

    limit = binom.isf(ALPHA / 250, 300, max(0.008, rate) * 2)
    assert binom.sf(limit, 300, rate) < ALPHA / 250


def drawn(*, repaired: float, broken: float, asked_right: int, seed: int) -> Answers:
    """Draw what one change does to 90 errors and to some of 450 right images."""
    random = np.random.default_rng(seed)
    wrong = np.arange(90 + asked_right) < 90
    hit = random.random(len(wrong)) < np.where(wrong, repaired, 1 - broken)
    nobody = np.zeros(len(wrong))
    classes = nobody.astype(np.int32)
    return Answers(
        changes=("mirror",), label=classes, wrong=wrong, before=classes, pred=classes[:, None],
        hit=hit[:, None], surely=hit[:, None], differs=hit[:, None], label_prob=nobody[:, None],
        rise=nobody[:, None], n_wrong=np.array([90.0]), n_right=np.array([450.0]),
    )  # fmt: skip


@pytest.mark.parametrize("asked_right", [40, 90, 450])
def test_a_change_that_wins_nothing_seldom_seems_to_win(asked_right):
    """It breaks as many images of the run as it repairs, 30, but of few asked hardly any."""
    p_values = [
        np.exp(log_p_of_net(answers, 0, np.zeros(len(answers.label), bool)))
        for seed in range(1000)
        for answers in [drawn(repaired=1 / 3, broken=1 / 15, asked_right=asked_right, seed=seed)]
    ]
    for level in (0.01, 0.05):
        assert np.mean(np.array(p_values) <= level) < level + 3 * np.sqrt(level / 1000)


def test_where_all_images_are_asked_about_the_net_is_held_to_mcnemars_test():
    answers = drawn(repaired=0.5, broken=0.05, asked_right=450, seed=0)
    repaired, broken = (answers.hit[:90].sum(), (~answers.hit[90:]).sum())
    by_scipy = binomtest(repaired, repaired + broken, 0.5, alternative="greater").pvalue
    nothing = np.zeros(540, bool)
    assert log_p_of_net(answers, 0, nothing) == pytest.approx(np.log(by_scipy))
