"""Classes without an image, and those that are never right, where that is no bad luck."""

import numpy as np

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.findings.known.classes import from_classes
from errlens.classes.names import ClassNames


def findings(scored_of, label, pred, names):
    images = scored_of(label, pred, names=names)
    matrix = confusion_matrix_of_arrays(label, pred, ClassNames(tuple(names)), None)
    return {finding.kind: finding for finding in from_classes(matrix, images)}


def test_a_class_without_an_image_is_named(scored_of):
    found = findings(scored_of, [0, 0, 1], [0, 1, 1], ["cat", "dog", "<b>cow</b>"])
    assert found.keys() == {"no_image"}
    assert "1 of 3 classes has no image here" in found["no_image"].statement
    assert "<b>cow</b>" in found["no_image"].statement


def test_a_class_of_many_images_that_is_never_right_is_a_finding(scored_of):
    label = np.repeat([0, 1, 2], 20)
    pred = label.copy()
    pred[label == 2] = 0
    pred[0] = 1
    found = findings(scored_of, label, pred, ["cat", "dog", "cow"])["never_right"]
    assert found.rows == tuple(range(40, 60))
    assert found.n_errors == 20
    rate = 1 / 40  # of errors in the other classes
    assert found.excess_errors == 20 * (1 - rate)
    assert found.gain.value == 20 / 60
    assert "1 of 3 classes is never right: 'cow' (0 of 20 images)" in found.statement


def test_classes_of_a_few_images_are_never_right_by_chance(scored_of):
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(100):
        label = np.repeat(np.arange(100), 2)
        pred = np.where(rng.random(200) < 0.4, (label + 1) % 100, label)
        found = findings(scored_of, label, pred, [f"class {n}" for n in range(100)])
        told += "never_right" in found
    assert told <= 3


def test_a_model_that_is_never_right_is_no_matter_of_classes(scored_of):
    assert not findings(scored_of, [0, 1, 2], [1, 2, 0], ["cat", "dog", "cow"])
