"""Concepts of a class atlas: groups of cells that are alike, and what they have in common."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from errlens.analysis.atlas.classes.class_points import ClassPoints
from errlens.analysis.atlas.classes.scales import Pattern, mean_angle
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

CONCEPT_COLUMNS: Final[Columns] = {
    "concept": WHOLE,  # 1 adds the most to the class
    "cells": TEXT,  # 3,14,15
    "n_points": WHOLE,
    "n_images": WHOLE,
    "attribution": NUMBER,  # what a point adds to the class, in the mean
    "share": NUMBER,  # of all that is added to the class, what is added here
    "top_class": TEXT,
    "n_patches": WHOLE,  # sources whose pattern was measured
    "n_angles": WHOLE,  # of these, with lines that run one way
    "angle": NUMBER,  # how they run in the mean: degrees from level, anticlockwise, below 180
    "angle_spread": NUMBER,  # 0: all one way, 1: all ways
    "wavelength": NUMBER,  # of the mean frequency of a patch, in pixels of the input: the median
    "wavelength_low": NUMBER,  # 10 % of the patches are finer
    "wavelength_high": NUMBER,  # 10 % of the patches are coarser
}
ALIKE: Final = 0.5  # cosine of cells of one concept, in the mean


def concepts_of_cells(
    means: NDArray[np.floating], middle: NDArray[np.floating], adds: NDArray[np.floating]
) -> NDArray[np.int64]:
    """Return the concept of each cell, 1 for that which adds the most.

    Cells are joined by average linkage while the cosine of what sets them apart from the mean of
    all points of the atlas stays above `ALIKE`.

    Args:
        means: Mean activations, shape (cells, channels).
        middle: The mean of all points, shape (channels,).
        adds: What each cell adds to the class, shape (cells,).

    >>> means = np.array([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> concepts_of_cells(means, np.array([0.5, 0.5]), np.array([0.1, 0.1, 0.3])).tolist()
    [2, 2, 1]
    """
    if len(means) == 1:
        return np.ones(1, np.int64)
    apart = means.astype(np.float64) - middle
    lengths = np.linalg.norm(apart, axis=1, keepdims=True)
    # The very mean has no direction: it has nothing in common with any cell.
    unit = apart / np.where(lengths > 0, lengths, 1.0)
    distances = np.clip(1 - unit @ unit.T, 0, 2)[np.triu_indices(len(unit), 1)]
    found = fcluster(linkage(np.round(distances, 9), "average"), 1 - ALIKE, "distance")
    total = np.bincount(found, adds)[found]
    first = {int(number): at for at, number in reversed([*enumerate(found.tolist())])}
    order = sorted(first, key=lambda number: (-total[first[number]], first[number]))
    rank = {number: place for place, number in enumerate(order, start=1)}
    return np.array([rank[number] for number in found.tolist()], np.int64)


def concept_table(
    of_cells: NDArray[np.int64],
    points: ClassPoints,
    patterns: Mapping[int, Sequence[Pattern]],
    *,
    side: float,
) -> pd.DataFrame:
    """Return concepts.csv.

    Args:
        of_cells: The concept of each cell.
        points: Those of the class atlas.
        patterns: Of the sources of each cell.
        side: Of their patches, in pixels of the input.
    """
    concept = of_points(of_cells, points.table["cell"].to_numpy())
    adds = np.maximum(points.adds, 0)
    lines = []
    for number in range(1, int(of_cells.max()) + 1):
        cells, inside = np.flatnonzero(of_cells == number), concept == number
        means = points.attributions[inside].mean(axis=0, dtype=np.float64)
        known = [pattern for cell in cells.tolist() for pattern in patterns.get(cell, ())]
        angles = mean_angle(known)
        waves = [side * pattern.wavelength for pattern in known if pattern.wavelength > 0]
        low, middle, high = np.percentile(waves, (10, 50, 90)) if waves else [np.nan] * 3
        lines.append(
            {
                "concept": number,
                "cells": ",".join(map(str, cells.tolist())),
                "n_points": int(inside.sum()),
                "n_images": points.table.loc[inside, "row"].nunique(),
                "attribution": means[points.of_class],
                "share": adds[inside].sum() / adds.sum() if adds.any() else np.nan,
                "top_class": points.names[int(np.argmax(means))],
                "n_patches": len(known),
                "n_angles": angles.n,
                "angle": angles.mean,
                "angle_spread": angles.spread,
                "wavelength": middle,
                "wavelength_low": low,
                "wavelength_high": high,
            }
        )
    return pd.DataFrame(lines, columns=[*CONCEPT_COLUMNS])


def of_points(of_cells: NDArray[np.int64], cell: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the concept of each point, -1 of those in no cell.

    >>> of_points(np.array([2, 1]), np.array([1, -1, 0])).tolist()
    [1, -1, 2]
    """
    return np.where(cell >= 0, of_cells[cell], -1)
