import numpy as np
import pandas as pd
import pytest

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.analysis.atlas.classes.class_sentences import class_sentences
from errlens.analysis.atlas.classes.concepts import concept_table
from errlens.analysis.atlas.classes.scales import Pattern
from errlens.analysis.atlas.classes.senses import sense_table
from errlens.analysis.atlas.classes.suspects import suspect_table

NAMES = ("shark", "baseball")


def told(*, labels=0, background=np.nan, patterns=None, concept=None, baseball=0.9) -> str:
    """Say what an atlas of sharks has: cell 0 is theirs, and cell 1 more of baseballs."""
    cell = np.repeat([0, 1], 40)
    rows = np.arange(80) // 2
    table = pd.DataFrame(
        {
            "cell": cell, "row": rows, "label": labels, "place_row": 1, "place_column": 1,
            "background": np.where(cell == 1, background, 0.1),
        }
    )  # fmt: skip
    attributions = np.where(cell[:, None] == 0, (0.8, 0.1), (0.4, baseball)).astype(np.float32)
    points = ClassPoints(table, attributions, 0, NAMES)
    cells = pd.DataFrame(
        {
            "cell": [0, 1], "cell_row": 0, "cell_column": [3, 5], "n_points": 40,
            "attribution": [0.8, 0.4], "background_share": [0.1, background],
        }
    )  # fmt: skip
    if np.isnan(background):
        cells["background_share"] = np.nan
    of_cells = np.array([1, 2])
    return " ".join(
        class_sentences(
            points,
            cells,
            suspect_table(cells, points),
            concept_table(of_cells, points, patterns or {}, side=32.0),
            sense_table(of_cells[cell] if concept is None else concept, rows),
        )
    )


def test_suspects_are_named_with_what_they_add():
    said = told()
    assert "1 of 2 cells add to shark and more to another class: baseball (1)." in said
    assert (
        "Suspect 1, in row 0 and column 5, is of baseball (+0.900): it adds +0.400 to shark, "
        "33.3 % of all that is added; 20 photos." in said
    )
    assert "a ranking, no test" in said
    assert "background" not in said


def test_a_class_without_suspects_or_photos_says_so():
    assert "All of 2 cells add the most to shark: no suspect." in told(baseball=0.1)
    assert "No photo among these is labelled shark" in told(labels=1)
    assert "20 photos, 20 of other classes." in told(labels=1)
    unlabelled = told(labels=-1)
    assert "labelled" not in unlabelled
    assert "other classes." not in unlabelled


def test_background_is_told_where_it_is_known():
    said = told(background=0.8)
    assert "shark relies on background at 1 of 2 cells: 80.0 % of their places" in said
    assert "45.0 % of all places" in said
    assert "No cell that adds to shark lies mostly on background" in told(background=0.2)


def test_scales_and_angles_are_told_where_patches_were_measured():
    assert "2 concepts (cells that are alike); the first adds 66.7 %" in told()
    patterns = {0: [Pattern(10.0, 0.9, 0.25), Pattern(100.0, 0.9, 0.5)]}
    said = told(patterns=patterns)
    assert "the angles of 2 have a spread of 1.00 (0: one angle, 1: all)" in said
    assert "patterns repeat each 12 px (80 % of them: 9 to 15)" in said
    assert "spread" not in told(patterns={0: [Pattern(10.0, 0.0, 0.25)]})


@pytest.mark.parametrize("apart", [True, False])
def test_senses_are_told_where_the_test_shows_them(apart):
    cell = np.repeat([0, 1], 40)
    mixed = np.tile([1, 2], 40)
    said = told(concept=1 + cell if apart else mixed)
    assert ("hardly share a photo of shark: 0 of 40 have both" in said) == apart
