"""The tables of the atlas of a class."""

from dataclasses import replace

import numpy as np
import pandas as pd

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.analysis.atlas.classes.concepts import concept_table, concepts_of_cells, of_points
from errlens.analysis.atlas.classes.scales import Pattern, pattern_of
from errlens.analysis.atlas.classes.senses import sense_table
from errlens.analysis.atlas.classes.suspects import SUSPECT_COLUMNS, suspect_table
from errlens.analysis.atlas.mapped import AtlasMap
from errlens.atlas.patches import PatchBoxes
from errlens.commands.atlas.class_.result import ClassTables
from errlens.commands.atlas.pictures import MapPictures


def with_columns(drawn: AtlasMap, points: ClassPoints, middle: np.ndarray) -> AtlasMap:
    """Return a map whose table tells what each cell is to the class.

    Columns are `attribution` to the class, `rank_of_class` among those that the cell adds to, 1
    where it is the first, `concept`, and `background_share`, NaN where that is not known.

    Args:
        drawn: The map.
        points: Those of the class.
        middle: Their mean activation, shape (channels,).
    """
    adds = drawn.means.attribution[:, points.of_class].astype(np.float64)
    n_points = drawn.table["n_points"].to_numpy()
    inside = points.table[points.table["cell"] >= 0]
    table = drawn.table.assign(
        attribution=adds,
        rank_of_class=1 + (drawn.means.attribution > adds[:, None]).sum(axis=1),
        concept=concepts_of_cells(drawn.means.activation, middle, adds * n_points),
        background_share=inside.groupby("cell")["background"].mean(),
    )
    return replace(drawn, table=table)


def class_tables(
    drawn: AtlasMap, points: ClassPoints, pictures: MapPictures, boxes: PatchBoxes
) -> ClassTables:
    """Return suspects, concepts and senses of a map whose table has the concepts."""
    concepts = drawn.table["concept"].to_numpy(np.int64)
    own = points.table["label"] == points.of_class
    of_own = of_points(concepts, drawn.cells.cell)[own]
    return ClassTables(
        _with_boxes(suspect_table(drawn.table, points), boxes),
        concept_table(concepts, points, _patterns(drawn, pictures), side=boxes.side),
        sense_table(of_own, points.table.loc[own, "row"].to_numpy()),
    )


def _with_boxes(suspects: pd.DataFrame, boxes: PatchBoxes) -> pd.DataFrame:
    """Add where the patches of suspects are, in pixels of the input."""
    places = zip(suspects["place_row"].tolist(), suspects["place_column"].tolist(), strict=True)
    found = [boxes.of((int(row), int(column))) for row, column in places]
    sides = pd.DataFrame(
        [box._asdict() for box in found], columns=["left", "top", "right", "bottom"]
    )
    return pd.concat([suspects, sides.astype("int64")], axis=1)[[*SUSPECT_COLUMNS]]


def _patterns(drawn: AtlasMap, pictures: MapPictures) -> dict[int, list[Pattern]]:
    """Return the patterns of the sources of each cell whose photos could be read."""
    found: dict[int, list[Pattern]] = {}
    for source in drawn.sources.to_dict("records"):
        if source["sample_id"] not in pictures.absent:
            pixels = pictures.sources[source["cell"], source["rank"] - 1]
            found.setdefault(source["cell"], []).append(pattern_of(pixels))
    return found
