from itertools import chain

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.analysis.atlas.classes.suspects import BOX, SUSPECT_COLUMNS, lower_end, suspect_table

NAMES = ("whale", "shark", "baseball")
CELLS = pd.DataFrame({"cell": range(4), "cell_row": [0, 0, 1, 1], "cell_column": [0, 1, 0, 1]})
SHARK = 1


def planted() -> ClassPoints:
    """Cell 0 is the shark's; 1 and 2 are the baseball's, 2 of one image; 3 is the whale's."""
    adds = {
        0: [(0.0, 0.9, 0.1)] * 4,
        1: [(0.0, 0.5, 0.8), (0.0, 0.4, 0.8), (0.0, 0.6, 0.8), (0.0, 0.5, 0.9)],
        2: [(0.0, 0.7, 0.8)] * 3,
        3: [(0.6, 0.2, 0.0), (0.6, 0.1, 0.0), (0.6, 0.3, 0.0)],
    }
    labels = {0: [1] * 4, 1: [2, 2, 1, 1], 2: [2] * 3, 3: [0, 0, -1]}
    rows = {0: [0, 1, 2, 3], 1: [4, 5, 0, 1], 2: [6] * 3, 3: [7, 8, 9]}
    cell = np.repeat([0, 1, 2, 3], [4, 4, 3, 3])
    table = pd.DataFrame(
        {
            "cell": cell,
            "row": [*chain(*rows.values())],
            "label": [*chain(*labels.values())],
            "place_row": np.arange(len(cell)),
            "place_column": 1,
            "background": np.where(cell == 1, 0.75, np.nan),
        }
    )
    return ClassPoints(table, np.array([*chain(*adds.values())], np.float32), SHARK, NAMES)


def test_what_adds_the_most_for_sure_comes_first_and_one_image_last():
    table = suspect_table(CELLS, planted())
    assert [*table.columns] == [name for name in SUSPECT_COLUMNS if name not in BOX]
    assert table["cell"].tolist() == [1, 3, 2]
    assert table["other_class"].tolist() == ["baseball", "whale", "baseball"]
    baseball = table.iloc[0]
    assert (baseball["n_points"], baseball["n_images"], baseball["n_sources_other"]) == (4, 4, 2)
    assert np.isclose(baseball["attribution"], 0.5)
    assert np.isclose(baseball["attribution_other"], 0.825)
    assert np.isclose(baseball["share"], 2.0 / (3.6 + 2.0 + 2.1 + 0.6))
    assert baseball["background_share"] == 0.75
    assert np.isnan(table["attribution_low"].iloc[-1])
    assert np.isnan(table["background_share"].iloc[-1])


def test_the_best_patch_lies_in_an_image_of_the_other_class():
    table = suspect_table(CELLS, planted()).set_index("cell")
    # The point that adds the most in cell 1, 0.6, is of a shark's photo.
    assert table.loc[1, ["row", "place_row", "place_column"]].tolist() == [4, 4, 1]
    # That of cell 3, 0.3, is of a photo without a label.
    assert table.loc[3, "row"] == 7


def test_a_class_without_suspects_has_none():
    points = planted()
    table = suspect_table(CELLS.iloc[:1], points)
    assert len(table) == 0
    assert "rank" in table


@settings(max_examples=30)
@given(st.permutations(range(14)))
def test_the_order_of_points_changes_nothing(order):
    points = planted()
    mixed = points._replace(
        table=points.table.iloc[list(order)].reset_index(drop=True),
        attributions=points.attributions[list(order)],
    )
    expected, found = suspect_table(CELLS, points), suspect_table(CELLS, mixed)
    # Of cell 2 all points add alike: which of them is shown is left to their order.
    names = [name for name in expected if name != "place_row"]
    pd.testing.assert_frame_equal(expected[names], found[names])


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=20))
def test_the_lower_end_is_that_of_scipy(values):
    if np.ptp(values) < 1e-6:
        return
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert np.isclose(lower_end(np.array(values)), interval.low, atol=1e-9)
