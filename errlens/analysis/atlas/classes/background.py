"""How much of the places of points lies outside of the objects of their photos."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.data.objects.outlines import RegionSource
from errlens.data.photos.preprocess import Preprocessing


def background_shares(
    points: pd.DataFrame,
    grid: tuple[int, int],
    paths: Mapping[int, str],
    outlines: RegionSource,
    preprocessing: Preprocessing,
    *,
    advance: Callable[[int], object] = lambda _images: None,
) -> NDArray[np.float64]:
    """Return the share of each point's place that is background, NaN where no outline is known.

    A place is its part of the input, shared evenly between all: what lies around it, a network sees
    too. One outline is held at a time.

    Args:
        points: `row`, `place_row` and `place_column` of each.
        grid: Rows and columns of the layer's map.
        paths: Of the photos, by row.
        outlines: Know where the objects are.
        preprocessing: How photos are fed.
        advance: Is told of each photo.

    Raises:
        InputError: An outline cannot be used.
    """
    shares = np.full(len(points), np.nan)
    at = (points["place_row"].to_numpy(), points["place_column"].to_numpy())
    rows = points["row"].to_numpy()
    for row in np.unique(rows).tolist():
        inside = np.flatnonzero(rows == row)
        regions = outlines.regions(paths[row], preprocessing)
        if regions is not None and regions.object is not None:
            of_places = place_means(regions.object, grid)
            shares[inside] = 1 - of_places[at[0][inside], at[1][inside]]
        advance(1)
    return shares


def place_means(values: NDArray[np.floating], grid: tuple[int, int]) -> NDArray[np.float64]:
    """Return the means of values, shape (height, width), over the places of a map.

    >>> place_means(np.array([[0.0, 1.0, 1.0, 1.0]]), (1, 2)).tolist()
    [[0.5, 1.0]]
    """
    mean = values.astype(np.float64)
    for axis, n in enumerate(grid):
        edges = np.linspace(0, mean.shape[axis], n + 1).round().astype(int)[:-1]
        sizes = np.diff([*edges, mean.shape[axis]])
        sums = np.add.reduceat(mean, np.minimum(edges, mean.shape[axis] - 1), axis=axis)
        mean = sums / np.expand_dims(np.maximum(sizes, 1), 1 - axis)
    return mean
