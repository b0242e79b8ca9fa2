"""What silencing does is counted; a part of the images stands for all and flatters nobody."""

import numpy as np
import pytest
from scipy.stats import binomtest

from errlens.analysis.channels.ablation import (
    ABLATION_COLUMNS,
    RANDOM,
    SUSPECT,
    Silenced,
    Variant,
    ablation_table,
    changed_answers,
    to_ask_again,
    variants_of,
)
from errlens.analysis.channels.sentences import in_words

NAMES = ("cat", "dog")
LABEL = np.array([0] * 6 + [1] * 6 + [2] * 4)
PRED = np.array([0, 0, 0, 1, 1, 2, 1, 1, 1, 1, 0, 0, 2, 2, 2, 0])


def silenced(*changes, weight=1.0):
    """Return answers under variants, each by what it changes: place and class."""
    now = np.repeat(PRED[:, None], len(changes), axis=1)
    for variant, change in enumerate(changes):
        for at, answer in change.items():
            now[at, variant] = answer
    variants = [Variant(SUSPECT, (at,)) for at in range(len(changes) - 1)]
    variants.append(Variant(RANDOM, (9,)))
    return Silenced("layer4", variants, LABEL, PRED, now, 50, weight)


def test_errors_that_go_and_right_answers_that_break_are_counted():
    table = ablation_table(silenced({3: 0, 4: 0, 10: 1, 0: 1, 12: 0, 15: 2}, {}), (0, 1), NAMES)
    assert tuple(table.columns) == tuple(ABLATION_COLUMNS)
    row = table.iloc[0]
    counts = ["n", "pair_errors", "pair_fixed", "pair_right", "pair_broken"]
    assert row[counts].tolist() == [16, 4, 3, 7, 1]
    assert row[["errors", "fixed", "right", "broken"]].tolist() == [6, 4, 10, 2]
    assert row["difference"] == pytest.approx(2 / 16)
    assert row["p_pair"] == pytest.approx(binomtest(1, 4).pvalue)
    assert row["p_value"] == pytest.approx(binomtest(2, 6).pvalue)
    better = binomtest(4, 6, alternative="greater").pvalue
    assert row["p_better"] == pytest.approx(better)
    assert row["q_value"] == pytest.approx(min(1, 50 * better))
    assert row["p_random"] == pytest.approx(1 / 8)


def test_what_was_not_asked_again_is_held_against_a_channel_not_for_it():
    one = silenced({3: 0, 4: 0, 12: 0, 15: 2}, {}, weight=3.0)
    row = ablation_table(one, (0, 1), NAMES).iloc[0]
    assert row["difference"] == pytest.approx((2 + 3 - 3) / (12 + 3 * 4))
    expected = binomtest(3, 6, alternative="greater").pvalue  # 3 fixed, and 1 broken counts thrice
    assert row["p_better"] == pytest.approx(expected)


def test_a_suspect_is_held_against_the_best_random_channel():
    row = ablation_table(silenced({3: 0, 4: 0}, {3: 0, 10: 1}), (0, 1), NAMES).iloc[0]
    assert row["p_random"] == pytest.approx(0.75)  # one more each way
    assert ablation_table(silenced({}), (0, 1), NAMES)["p_random"].isna().all()


def test_each_answer_that_changed_is_named():
    changes = changed_answers(silenced({3: 0, 0: 1, 5: 1}, {}))
    assert changes == [(0, 0, "broken"), (0, 3, "fixed"), (0, 5, "other")]


def test_each_channel_is_silenced_alone_and_all_together():
    names = [(each.role, each.name) for each in variants_of([7, 3], [1, 2])]
    assert names == [
        (SUSPECT, "7"), (SUSPECT, "3"), (SUSPECT, "7,3"),
        (RANDOM, "1"), (RANDOM, "2"), (RANDOM, "1,2"),
    ]  # fmt: skip


def test_all_of_both_classes_are_asked_and_of_the_others_each_class_its_share():
    label = np.repeat([0, 1, 2, 3], [30, 30, 600, 200])
    asked = label[to_ask_again(label, 0, 1, others=80, seed=0)]
    assert np.bincount(asked).tolist() == [30, 30, 60, 20]
    few = to_ask_again(label[:60], 0, 1, seed=0)
    assert few.tolist() == list(range(60))


def test_sentences_tell_what_came_of_it():
    table = ablation_table(silenced({3: 0, 4: 0, 0: 1}, {3: 0}), (0, 1), NAMES)
    first, controls = in_words(table)
    assert first.startswith("Silencing channel 0 repairs 2 of 4 errors between cat and dog and ")
    assert "breaks 1 of 7 right answers" in first
    assert controls.startswith("Of 1 random channel, each alone, the best repairs 1 errors")
    nothing = in_words(ablation_table(silenced({}, {}), (0, 1), NAMES))
    assert nothing[0] == (
        "No channel alone repairs an error between cat and dog, of which there are 4."
    )
    assert in_words(ablation_table(silenced({}), (0, 1), NAMES)) == []
