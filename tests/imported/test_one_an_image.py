"""Several rows about one image."""

import numpy as np
import pytest

from errlens.errors import BadPredictions
from tests.imported.test_table import read

VIEWS = {
    "path": ["a", "b", "./a", "a"],
    "label": ["cat", "dog", "cat", None],
    "p_cat": [0.9, 0.2, 0.3, 0.6],
    "p_dog": [0.1, 0.8, 0.7, 0.4],
    "crop": ["left", "all", "right", "middle"],
}


def test_each_row_counts_by_default(tmp_path):
    found = read(tmp_path, VIEWS)
    assert len(found.label) == 4
    assert (found.repetitions.images, found.repetitions.rows) == (1, 3)


def test_the_first_row_of_each_image_may_count_alone(tmp_path):
    found = read(tmp_path, VIEWS, repeated="first")
    assert found.manifest.frame["path"].tolist() == ["a", "b"]
    assert found.prob[:, 0].tolist() == [0.9, 0.2]
    assert found.manifest.extra.to_dict("list") == {"row": [0, 1], "crop": ["left", "all"]}


def test_views_of_an_image_may_be_averaged(tmp_path):
    found = read(tmp_path, VIEWS, repeated="mean")
    np.testing.assert_allclose(found.prob, [[0.6, 0.4], [0.2, 0.8]])
    assert found.label.tolist() == [0, 1]
    assert found.manifest.frame["label"].tolist() == ["cat", "dog"]


def test_a_label_of_any_view_will_do_and_views_that_failed_do_not_count(tmp_path):
    table = VIEWS | {"label": [None, "dog", "cat", None], "p_cat": [np.nan, np.nan, 0.3, 0.6]}
    found = read(tmp_path, table, repeated="mean", allowed_bad=lambda n: n)
    assert found.label.tolist() == [0, 1]
    assert found.manifest.frame["label"].tolist() == ["cat", "dog"]
    np.testing.assert_allclose(found.prob[0], [0.45, 0.55])
    assert np.isnan(found.prob[1]).all()


def test_a_mean_needs_probabilities_and_one_label_an_image(tmp_path):
    classes = {name: VIEWS[name] for name in ("path", "label")} | {"pred": ["cat"] * 4}
    with pytest.raises(BadPredictions, match="needs the probability of every class"):
        read(tmp_path, classes, repeated="mean")
    assert len(read(tmp_path, classes, repeated="first").pred) == 2
    with pytest.raises(BadPredictions, match="different labels in different rows: 'a' is"):
        read(tmp_path, VIEWS | {"label": ["cat", "dog", "dog", None]}, repeated="mean")


def test_nothing_is_made_of_rows_about_different_images(tmp_path):
    table = VIEWS | {"path": ["a", "b", "c", "d"]}
    each = read(tmp_path, table).prob.tolist()
    for how in ("first", "mean"):
        assert read(tmp_path, table, repeated=how).prob.tolist() == each
