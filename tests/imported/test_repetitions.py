import numpy as np

from errlens.imported.repetitions import find_repetitions


def test_nothing_is_repeated():
    found = find_repetitions(["a", "b"], np.array([0, 0]), ["x", "x"])
    assert (found.images, found.rows, found.contradicting) == (0, 0, 0)


def test_rows_are_counted_and_labels_that_differ_are_told_from_spellings():
    paths = ["a", "b", "./b", "c", "c", "c", "d", "d"]
    label = np.array([0, 0, 0, 1, 2, -1, 3, -1])
    found = find_repetitions(paths, label, ["x", "x", "X", "y", "z", None, "w", None])
    assert (found.images, found.rows, found.paths) == (3, 7, ["b", "c", "d"])
    assert (found.contradicting, found.contradiction) == (1, ("c", ["y", "z"]))
