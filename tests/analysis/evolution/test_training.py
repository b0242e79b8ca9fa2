"""How well a network does over its training, against scikit-learn, and when pairs part."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss

from errlens.analysis.evolution.names import short_names
from errlens.analysis.evolution.sentences import in_words
from errlens.analysis.evolution.settling import settled_from, settled_table, settling
from errlens.analysis.evolution.training import Answers, pair_table, training_table
from errlens.predictions.scores import score

NAMES = ("cat", "dog", "cow")


def answers(logits, label):
    scores = score(logits, label, topk=1)
    return Answers(scores.finite, label, scores.pred, scores.confidence, scores.loss)


def of_counts(cat, dog):
    """Return the answers to so many cats and dogs, each called cat, dog and cow so often."""
    label = np.repeat([0, 1], [sum(cat), sum(dog)]).astype(np.int32)
    pred = np.concatenate([np.repeat([0, 1, 2], each) for each in (cat, dog)]).astype(np.int32)
    n = len(label)
    return Answers(np.ones(n, bool), label, pred, np.full(n, 0.5, "f4"), np.ones(n, "f4"))


def test_accuracy_and_loss_are_those_of_scikit_learn_and_odd_outputs_are_counted():
    random = np.random.default_rng(0)
    label = random.integers(0, 3, 60).astype(np.int32)
    logits = random.normal(size=(60, 3)).astype(np.float32)
    logits[5] = np.nan
    (row,) = training_table([answers(logits, label)], ["e1"]).to_dict("records")
    kept = np.arange(60) != 5
    chances = np.exp(logits[kept]) / np.exp(logits[kept]).sum(axis=1, keepdims=True)
    assert (row["n"], row["n_not_finite"]) == (59, 1)
    assert row["accuracy"] == accuracy_score(label[kept], logits[kept].argmax(axis=1))
    assert row["accuracy_low"] < row["accuracy"] < row["accuracy_high"]
    assert row["loss"] == pytest.approx(log_loss(label[kept], chances), abs=1e-6)


def test_a_checkpoint_without_a_single_number_has_no_accuracy():
    label = np.zeros(4, np.int32)
    (row,) = training_table([answers(np.full((4, 3), np.nan), label)], ["e1"]).to_dict("records")
    assert (row["n"], row["n_not_finite"], row["accuracy"], row["ece"]) == (0, 4, None, None)


def test_counts_of_a_pair_are_cells_of_the_matrix():
    random = np.random.default_rng(1)
    label, pred = random.integers(0, 3, (2, 90)).astype(np.int32)
    given = Answers(np.ones(90, bool), label, pred, np.ones(90, "f4"), np.ones(90, "f4"))
    (row,) = pair_table([given], ["e1"], [(2, 0)], NAMES).to_dict("records")
    cells = confusion_matrix(label, pred)
    assert (row["class_a"], row["class_b"]) == ("cow", "cat")
    assert (row["a_as_b"], row["b_as_a"]) == (cells[2, 0], cells[0, 2])
    assert (row["n_a"], row["n_b"]) == (cells[2].sum(), cells[0].sum())


def test_a_pair_parts_where_it_is_told_apart_from_there_on():
    over = [
        of_counts((0, 0, 30), (0, 0, 30)),  # taken for neither
        of_counts((30, 0, 0), (28, 2, 0)),  # all for cats: right in half of them by chance
        of_counts((25, 5, 0), (5, 25, 0)),
        of_counts((16, 14, 0), (14, 16, 0)),  # a relapse
        of_counts((25, 5, 0), (8, 22, 0)),
        of_counts((24, 6, 0), (8, 22, 0)),
    ]
    table = pair_table(over, list("abcdef"), [(0, 1)], NAMES)
    assert table["parted"].tolist() == [False] * 4 + [True] * 2
    assert np.isnan(table["apart"][0])
    assert table["apart"][2] == pytest.approx(20 / 30)


def test_a_layer_settles_where_it_stays_within_five_per_cent():
    assert settled_from([0.95, 0.949, 0.95, 1.0]).tolist() == [False, False, True, True]
    likeness = {"low": [0.5, 0.96, 1.0], "high": [0.99, 0.9, 1.0], "dead": [np.nan] * 3}
    table = settled_table(likeness, ["e1", "e2", "e3"])
    assert settling(table) == {"low": "e2", "high": None, "dead": None}


def test_names_are_short_and_stay_apart():
    assert short_names(["a.epoch1", "a.epoch12"]) == ["epoch1", "epoch12"]
    assert short_names(["net/1/w", "net/2/w"]) == ["1", "2"]
    assert short_names(["first", "second"]) == ["first", "second"]
    assert short_names(["a-b", "a-b-c"]) == ["b", "b-c"]
    assert short_names(["net-", "net-2"]) == ["net-", "net-2"]


def test_sentences_say_when_things_happen(evolution_table):
    settled = settled_table({"low": [0.96, 1.0], "high": [0.5, 1.0]}, ["net.e1", "net.e2"])
    pairs = pair_table(
        [of_counts((15, 15, 0), (15, 15, 0)), of_counts((28, 2, 0), (1, 29, 0))],
        ["net.e1", "net.e2"],
        [(0, 1)],
        NAMES,
    )
    said = in_words(settled, evolution_table, pairs)
    assert said == [
        "Within 5 % of its last: low from e1 on, high at no earlier.",
        "The last to jump to another image, at e2: 1 of 2 channels (high 3).",
        "cat and dog part at e2: from there on they are told apart better than by chance; most "
        "mixed up at e1, 30 images, and at most half as often from e2 on; at the "
        "last 2 of 30 images of cat are taken for dog, 1 of 30 of dog for cat.",
    ]
    still = evolution_table.assign(jump=False)
    assert "No channel of 2 jumped" in in_words(settled, still, None)[1]


@pytest.fixture
def evolution_table():
    import pandas as pd

    return pd.DataFrame(
        {
            "checkpoint": ["net.e1", "net.e1", "net.e2", "net.e2"],
            "layer": ["low", "high"] * 2,
            "channel": [1, 3] * 2,
            "jump": [False, False, False, True],
        }
    )
