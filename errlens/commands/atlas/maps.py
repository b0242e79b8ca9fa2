"""Write a map of an atlas, the same files whatever its points are."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.collected import Collected
from errlens.analysis.atlas.mapped import SOURCE_COLUMNS, AtlasMap
from errlens.commands.atlas.options import MapOptions
from errlens.commands.atlas.pictures import MapPictures
from errlens.figures.atlas.map import MapCells, draw_atlas
from errlens.formats import count, counted
from errlens.run.results import ResultsWriter

LAYOUT: Final = "layout.parquet"
CELLS: Final = "cells.csv"
MEANS: Final = "cells.npz"
SOURCES: Final = "sources.csv"
PATCHES_SPRITE: Final = "patches.png"
SOURCES_SPRITE: Final = "sources.png"
ICONS_SPRITE: Final = "icons.png"
FIDELITY: Final = "fidelity.csv"
PICTURE: Final = "atlas"
PICTURE_OF_ICONS: Final = "atlas-icons"  # where the other is of patches
PARAMETERS: Final = "parameters.json"
ACROSS: Final = 12  # tiles in a row of a sprite
_A_PATCH: Final = "the patch of a photo whose point is nearest to the mean of the cell's"
_AN_ICON: Final = "a picture made up so that the layer answers it as it does the cell's points"


class MapTold(NamedTuple):
    """What a map is, in words.

    Attributes:
        kind: `render`, `class` or `compare`.
        title: Of the pictures.
        layout: How points came to their places: `tsne`, `pca`, or another word of the kind's own.
        sentences: What was found, and what there is to remark.
        how: How the map is to be read beyond what is said of all maps, for the legend.
        parameters: What else the map depends on, such as its class.
        near: What nearness means.
        ends: What cells at the left edge speak for, and those at the right one.
    """

    kind: str
    title: str
    layout: str
    sentences: Sequence[str]
    how: str = ""
    parameters: Mapping[str, Any] = {}
    near: str = "those near one another are alike"
    ends: tuple[str, str] | None = None


def write_map(
    results: ResultsWriter,
    collected: Collected,
    drawn: AtlasMap,
    pictures: MapPictures,
    told: MapTold,
    options: MapOptions,
    *,
    strength: NDArray[np.floating] | None = None,
) -> None:
    """Write all files of a map.

    Args:
        results: Where to.
        collected: The points that it was made of.
        drawn: The map as numbers; its table may have more columns than those of all maps.
        pictures: What its cells show.
        told: What it is.
        options: How it is drawn.
        strength: How much cells speak for or against a class, shape (m,): their opacity.
    """
    results.parquet(LAYOUT, _layout_table(drawn))
    results.csv(CELLS, drawn.table)
    results.npz(MEANS, drawn.means._asdict())
    results.csv(SOURCES, _source_table(drawn, pictures))
    icons = pictures.icons
    if pictures.shown:
        results.pixels(PATCHES_SPRITE, sprite(pictures.patches, across=ACROSS))
        tiles = pictures.sources.reshape(-1, *pictures.sources.shape[2:])
        results.pixels(SOURCES_SPRITE, sprite(tiles, across=pictures.sources.shape[1]))
    if icons is not None:
        results.pixels(ICONS_SPRITE, sprite(icons.pixels, across=ACROSS))
        results.csv(FIDELITY, icons.table)
    cells = MapCells(
        drawn.cells.grid,
        drawn.cells.cells,
        pictures.patches,
        drawn.table["top_class"].tolist() if options.labels else None,
        drawn.table["n_points"].to_numpy() if options.size_by_density else None,
        strength,
        pictures.marks,
    )
    for name, (shown, how_shown) in _faces(pictures, options).items():
        how = legend(drawn, told, options, how_shown)
        figure = draw_atlas(
            cells._replace(icons=shown), title=told.title, legend=how, ends=told.ends
        )
        results.png(f"{name}.png", figure)
        results.svg(f"{name}.svg", figure)
    results.tree(PARAMETERS, _parameters(collected, drawn, pictures, told, options))


def _faces(pictures: MapPictures, options: MapOptions) -> dict[str, tuple[NDArray[np.uint8], str]]:
    """Return what cells show in each picture, by its name, and what that is called."""
    faces = {}
    if pictures.shown and options.icons != "optimize":
        faces[PICTURE] = (pictures.patches, _A_PATCH)
    if pictures.icons is not None:
        faces[PICTURE_OF_ICONS if faces else PICTURE] = (pictures.icons.pixels, _AN_ICON)
    return faces


def legend(drawn: AtlasMap, told: MapTold, options: MapOptions, shown: str) -> str:
    """Say how a map is to be read, whose cells show `shown`."""
    n, grid = len(drawn.points), drawn.cells.grid
    in_cells = int((drawn.cells.cell >= 0).sum())
    label = " Its name is the class that it adds the most to." if options.labels else ""
    size = " The more points, the larger." if options.size_by_density else ""
    how = f" {told.how}" if told.how else ""
    return (
        f"{count(in_cells)} of {counted(n, 'point')} in {counted(len(drawn), 'cell')} of a "
        f"{grid} x {grid} grid, at least {options.min_density} in each; {told.near}. "
        f"A cell shows {shown}.{label}{size}{how}"
    )


def sprite(tiles: NDArray[np.uint8], *, across: int) -> NDArray[np.uint8]:
    """Return tiles, shape (n, height, width, 3), as one picture, so many in a row; then black.

    >>> sprite(np.ones((3, 2, 2, 3), np.uint8), across=2).shape
    (4, 4, 3)
    """
    n, height, width, channels = tiles.shape
    down = -(-n // across)
    out = np.zeros((down * across, height, width, channels), np.uint8)
    out[:n] = tiles
    rows = out.reshape(down, across, height, width, channels).swapaxes(1, 2)
    return np.ascontiguousarray(rows.reshape(down * height, across * width, channels))


def _layout_table(drawn: AtlasMap) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "point": drawn.points,
            "x": drawn.places[:, 0],
            "y": drawn.places[:, 1],
            "cell": drawn.cells.cell,
        }
    )


def _source_table(drawn: AtlasMap, pictures: MapPictures) -> pd.DataFrame:
    boxes = pd.DataFrame(pictures.boxes, columns=["top", "left", "bottom", "right"])
    return pd.concat([drawn.sources, boxes], axis=1)[list(SOURCE_COLUMNS)]


def _parameters(
    collected: Collected,
    drawn: AtlasMap,
    pictures: MapPictures,
    told: MapTold,
    options: MapOptions,
) -> dict[str, Any]:
    icons = pictures.icons
    measured = ("value", "low", "high", "n", "chance")
    return {
        "kind": told.kind,
        "layer": collected.layer,
        "grid": drawn.cells.grid,
        "min_density": options.min_density,
        "icon_size": options.icon_size,
        "layout": told.layout,
        "n_points": len(drawn.points),
        "n_cells": len(drawn),
        "sentences": [*told.sentences, *([icons.sentence] if icons else [])],
        "fidelity": {name: getattr(icons.fidelity, name) for name in measured} if icons else None,
        "recipe": icons.recipe if icons else None,
        **told.parameters,
    }
