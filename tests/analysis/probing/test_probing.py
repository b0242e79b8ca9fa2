"""Probes on features whose truth is known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from errlens.analysis.probing.accuracy import (
    check_folds,
    held_out,
    layer_accuracy,
    superclass_accuracy,
)
from errlens.analysis.probing.curves import check_per_class, learning_curves
from errlens.analysis.probing.pairs import partings, probe_pair
from errlens.errors import NoImages, UnfitOption


def clouds(*, classes=4, each=40, channels=6, apart=1.0, seed=0):
    """Classes around centres, with channels of very different scales."""
    random = np.random.default_rng(seed)
    label = np.repeat(np.arange(classes), each)
    centres = apart * random.normal(size=(classes, channels))
    values = centres[label] + random.normal(size=(len(label), channels))
    return (values * np.geomspace(0.01, 100, channels)).astype(np.float32), label


@pytest.mark.parametrize("classes", [2, 4])
def test_an_independent_pipeline_of_scikit_learn_finds_the_same(classes):
    values, label = clouds(classes=classes)
    found = held_out(values, label, folds=5, seed=3)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    expected = cross_val_predict(pipeline, values.astype(np.float64), label, cv=folds)
    assert (found == expected).mean() > 0.99
    assert (found == label).mean() > 0.5


def test_shuffled_labels_are_told_at_chance():
    controls = []
    for seed in range(6):
        values, label = clouds(each=30, channels=20, seed=seed)
        table, _ = layer_accuracy({"one": values}, label, folds=5, seed=seed)
        (row,) = table.to_dict("records")
        assert row["accuracy"] > 0.8
        controls.append((row["control_low"], row["control"], row["control_high"]))
    low, control, high = np.mean(controls, axis=0)
    assert low < 0.25 < high
    assert control == pytest.approx(0.25, abs=0.04)


def test_the_superclass_may_be_right_where_the_class_is_not():
    label = np.array([0, 0, 1, 1, 2])
    table = superclass_accuracy({"one": np.array([0, 1, 1, 0, 0])}, label, ["cat", "cat", None])
    (row,) = table.to_dict("records")
    assert (row["n"], row["accuracy"], row["superclass_accuracy"]) == (4, 0.5, 1.0)


def test_where_two_classes_are_told_and_where_that_is_lost_is_found():
    random = np.random.default_rng(1)
    told, label = clouds(classes=3, apart=3)
    noise = random.normal(size=told.shape).astype(np.float32)
    only_of_2 = noise + 5 * (label == 2)[:, None]
    layers = {"start": noise, "middle": told, "late": told, "end": only_of_2}
    table = probe_pair(layers, label, (0, 1), ("cat", "dog"), folds=5, seed=0)
    assert table["standing"].tolist() == ["chance", "told", "told", "chance"]
    (parting,) = partings(table)
    assert (parting.told_at, parting.best, parting.lost_at) == ("middle", "middle", "end")
    assert parting.sentence == "cat and dog are told apart from middle on; lost again at end"


def test_of_noise_nothing_is_told_and_nothing_lost():
    random = np.random.default_rng(2)
    label = np.repeat([0, 1], 30)
    layers = {name: random.normal(size=(60, 5)) for name in "abcdef"}
    table = probe_pair(layers, label, (0, 1), ("cat", "dog"), folds=5, seed=0)
    (parting,) = partings(table)
    assert parting.told_at is None
    assert parting.sentence == "cat and dog: no layer tells them apart for sure"


def test_more_images_of_each_class_tell_more_and_are_judged_by_the_same():
    values, label = clouds(each=40)
    table = learning_curves({"one": values}, label, [1, 5, 20], seed=0)
    assert table["accuracy"].is_monotonic_increasing
    assert table["n_test"].tolist() == [80, 80, 80]
    assert table["spread"].iloc[0] > table["spread"].iloc[-1]
    again = learning_curves({"one": values}, label, [1, 5, 20], seed=0)
    assert table.equals(again)


def test_too_few_images_are_refused_with_what_works():
    label = np.array([0] * 8 + [1] * 3)
    with pytest.raises(UnfitOption, match="'dog' there are 3 images only") as failed:
        check_folds(label, ["cat", "dog"], folds=5)
    assert failed.value.hint == "--folds 3"
    with pytest.raises(NoImages, match="1 image of 'dog'"):
        check_folds(label[:9], ["cat", "dog"], folds=5)
    with pytest.raises(NoImages, match="1 class"):
        check_folds(label[:8], ["cat"], folds=5)
    with pytest.raises(UnfitOption, match="'dog' there are 3 images") as failed:
        check_per_class([1, 2, 30], label, ["cat", "dog"])
    assert failed.value.hint == "--per-class 1,2"


def test_a_layer_before_that_tells_a_little_is_named_as_well():
    random = np.random.default_rng(4)
    label = np.repeat([0, 1], 200)
    faint, clear = (random.normal(size=(400, 4)) + apart * label[:, None] for apart in (0.3, 2))
    table = probe_pair(
        {"early": faint, "late": clear}, label, (0, 1), ("cat", "dog"), folds=5, seed=0
    )
    assert table["standing"].tolist() == ["partly", "told"]
    (parting,) = partings(table)
    assert parting.sentence == (
        "cat and dog are told apart from late on, better than by chance from early on; "
        "not lost again"
    )
