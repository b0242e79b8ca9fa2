import numpy as np
import pandas as pd
import pytest

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.analysis.atlas.classes.concepts import (
    CONCEPT_COLUMNS,
    concept_table,
    concepts_of_cells,
    of_points,
)
from errlens.analysis.atlas.classes.scales import Pattern


def test_cells_of_three_planted_concepts_are_told_apart():
    rng = np.random.default_rng(0)
    of = np.repeat([0, 1, 2], [4, 3, 5])
    means = 1 + np.eye(3, 20)[of] + 0.05 * rng.normal(size=(12, 20))
    found = concepts_of_cells(means, means.mean(axis=0), np.array([0.1, 0.9, 0.2])[of])
    assert found.tolist() == np.array([3, 1, 2])[of].tolist()


def test_one_cell_is_one_concept_and_the_mean_itself_stands_alone():
    assert concepts_of_cells(np.ones((1, 3)), np.ones(3), np.ones(1)).tolist() == [1]
    means = np.array([[1.0, 1.0], [2.0, 1.0], [2.1, 1.0]])
    assert concepts_of_cells(means, np.ones(2), np.array([0.1, 1.0, 1.0])).tolist() == [2, 1, 1]


def test_the_table_has_what_cells_of_a_concept_have_in_common():
    table = pd.DataFrame({"cell": [0, 0, 1, 2, -1], "row": [0, 1, 1, 2, 3]})
    attributions = np.array([[1.0, 0], [1, 0], [1, 3], [0, 1], [4, 0]], np.float32)
    points = ClassPoints(table, attributions, 0, ("roof", "sky"))
    patterns = {
        0: [Pattern(10.0, 0.9, 0.1), Pattern(30.0, 0.9, 0.4)],
        1: [Pattern(float("nan"), 0.0, float("nan"))],
    }
    found = concept_table(np.array([1, 1, 2]), points, patterns, side=100.0)
    assert [*found.columns] == [*CONCEPT_COLUMNS]
    roof, sky = found.to_dict("records")
    assert roof["cells"] == "0,1"
    assert (roof["n_points"], roof["n_images"], roof["n_patches"], roof["n_angles"]) == (3, 2, 3, 2)
    assert roof["share"] == pytest.approx(3 / 7)
    assert roof["angle"] == pytest.approx(20)
    assert (roof["wavelength_low"], roof["wavelength_high"]) == pytest.approx((13, 37))
    assert sky["top_class"] == "sky"
    assert np.isnan(sky["wavelength"])
    assert np.isnan(sky["angle_spread"])


def test_points_have_the_concept_of_their_cell():
    assert of_points(np.array([7]), np.array([0, -1])).tolist() == [7, -1]
