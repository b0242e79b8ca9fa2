"""Probes on features whose truth is known."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from errlens.analysis.probing.accuracy import (
    Probed,
    check_folds,
    layer_accuracy,
    superclass_accuracy,
)
from errlens.analysis.probing.classes import class_recall, losses
from errlens.analysis.probing.classifier import STRENGTHS, choose_strength, fit_linear, held_out
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
    found = held_out(values, label, folds=5, seed=3, strengths=[0.01])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=3)
    expected = cross_val_predict(pipeline, values.astype(np.float64), label, cv=folds)
    assert (found == expected).mean() > 0.99
    assert (found == label).mean() > 0.5


def test_shuffled_labels_are_told_at_chance():
    controls = []
    for seed in range(4):
        values, label = clouds(each=30, channels=20, seed=seed)
        table, _ = layer_accuracy({"one": values}, label, folds=5, seed=seed)
        (row,) = table.to_dict("records")
        assert row["accuracy"] > 0.8
        assert row["control_lowest"] < 0.25 < row["control_highest"]
        assert row["p_chance"] < 1e-4
        controls.append((row["control"], row["control_spread"]))
    control, spread = np.mean(controls, axis=0)
    assert control == pytest.approx(0.25, abs=0.02)
    assert 0.02 < spread < 0.08  # a binomial's is 0.04


def test_the_superclass_may_be_right_where_the_class_is_not():
    label = np.array([0, 0, 1, 1, 2])
    probe = Probed(np.array([0, 1, 1, 0, 0]), label[None], label[None])
    table = superclass_accuracy({"one": probe}, label, ["cat", "cat", None])
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
    assert parting.sentence.startswith("cat and dog are told apart from middle on (")
    assert " of 80, 95 % interval " in parting.sentence
    assert "; lost again at end (" in parting.sentence


def test_of_noise_nothing_is_told_and_nothing_lost():
    random = np.random.default_rng(2)
    label = np.repeat([0, 1], 30)
    layers = {name: random.normal(size=(60, 5)) for name in "abcdef"}
    table = probe_pair(layers, label, (0, 1), ("cat", "dog"), folds=5, seed=0)
    (parting,) = partings(table)
    assert (parting.told_at, parting.lost_at) == (None, None)
    assert parting.sentence.startswith("cat and dog: no layer is shown to tell them apart (best: ")
    assert parting.sentence.endswith("; chance 50.0 %)")
    assert not table["lost"].any()


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
    faint, clear = (random.normal(size=(400, 4)) + apart * label[:, None] for apart in (0.5, 2))
    table = probe_pair(
        {"early": faint, "late": clear}, label, (0, 1), ("cat", "dog"), folds=5, seed=0
    )
    assert table["standing"].tolist() == ["partly", "told"]
    (parting,) = partings(table)
    assert (parting.above_chance, parting.told_at, parting.less_at) == ("early", "late", None)
    assert ", better than by chance from early (" in parting.sentence
    table = probe_pair(
        {"early": clear, "late": faint}, label, (0, 1), ("cat", "dog"), folds=5, seed=0
    )
    (parting,) = partings(table)
    assert (parting.told_at, parting.less_at, parting.lost_at) == ("early", "late", None)
    assert "; worse at late (" in parting.sentence


def test_what_is_constant_in_the_images_fitted_to_has_no_say_in_others():
    values, label = clouds(classes=2)
    constant = np.full((len(values), 2), 0.1, np.float32)
    constant[:, 1] += (1e-9 * np.arange(len(values))).astype(np.float32)  # rounding
    weight, bias = fit_linear(np.concatenate([values, constant], axis=1), label)
    alone, bias_alone = fit_linear(values, label)
    assert np.abs(weight[:, -2:]).max() == 0
    assert np.allclose(weight[:, :-2], alone, rtol=1e-3, atol=1e-6)
    assert np.allclose(bias, bias_alone, rtol=1e-3, atol=1e-6)


def test_with_more_features_than_images_the_classifier_is_the_same():
    values, label = clouds(classes=3, each=10, channels=80)
    weight, bias = fit_linear(values, label, strength=0.1)
    scaler = StandardScaler().fit(values.astype(np.float64))
    model = LogisticRegression(C=0.1, max_iter=5000, tol=1e-8).fit(
        scaler.transform(values.astype(np.float64)), label
    )
    expected = model.decision_function(scaler.transform(values.astype(np.float64)))
    assert np.allclose(values @ weight.T + bias, expected, atol=5e-3)


def test_the_strength_is_chosen_without_the_images_that_judge_it():
    values, label = clouds(classes=3, each=30, channels=12, apart=0.5)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    expected = np.full(len(label), -1)
    for train, test in folds.split(label, label):
        strength = choose_strength(values[train], label[train], seed=0)
        assert strength in STRENGTHS
        weight, bias = fit_linear(values[train], label[train], strength=strength)
        expected[test] = (values[test] @ weight.T + bias).argmax(axis=1)
    assert (held_out(values, label, folds=5, seed=0) == expected).all()


def test_few_channels_that_are_much_alike_need_weaker_punishment():
    random = np.random.default_rng(0)
    label = np.repeat([0, 1], 200)
    shared = random.normal(size=(400, 1))
    values = shared + 0.05 * (random.normal(size=(400, 2)) + label[:, None] * [3, -3])
    assert choose_strength(values, label, seed=0) == max(STRENGTHS)
    assert choose_strength(values[:1], label[:1], seed=0) == 0.01


def test_what_luck_does_in_folds_is_more_spread_than_a_binomial_and_no_layer_is_said_to_tell():
    told = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        label = np.repeat([0, 1], 50)
        layers = {name: random.normal(size=(100, 16)) for name in "ab"}
        table = probe_pair(layers, label, (0, 1), ("cat", "dog"), folds=5, seed=seed)
        told += int((table["standing"] != "chance").any())
    assert told <= 1


def test_a_probe_that_takes_all_for_one_class_does_not_tell_it():
    label = np.repeat([0, 1, 2], 40)
    random = np.random.default_rng(0)
    shuffled = np.stack([random.permutation(label) for _ in range(10)])
    all_for_0 = Probed(np.zeros(120, np.int64), shuffled, random.integers(0, 3, (10, 120)))
    knows = Probed(label, shuffled, random.integers(0, 3, (10, 120)))
    table = class_recall({"first": knows, "then": all_for_0}, label, ["cat", "dog", "cow"])
    then = table[table["layer"] == "then"].set_index("class_name")
    assert then.loc["cat", "recall"] == 1
    assert (then["standing"] == "chance").all()
    assert [loss.class_name for loss in losses(table)] == ["dog", "cow"]
    assert table.loc[0, "control"] == pytest.approx(1 / 3, abs=0.08)
