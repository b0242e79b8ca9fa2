"""Which places of a layer's map are taken of an image."""

import numpy as np
from numpy.typing import NDArray

LEAST_SIDE = 3  # rows or columns of a map from which on the first and last are left out


def drawn_places(
    grid: tuple[int, int], per_image: int, *, seed: int, row: int
) -> NDArray[np.int32]:
    """Draw places of a map for one image of a run, none twice.

    The first and last row and column see the edge of the photo and what it is padded with: they are
    never drawn, unless there would be no other. What is drawn depends on the seed and the row of
    the image alone; of fewer places an image gives a part of what it gives of more.

    Args:
        grid: Rows and columns of the map.
        per_image: How many; all there are, where these are fewer.
        seed: Decides which, of each image others.
        row: That of the image in its run.

    Returns:
        Row and column of each, in reading order, shape (n, 2).

    >>> drawn_places((3, 4), 4, seed=0, row=7)
    array([[1, 1],
           [1, 2]], dtype=int32)
    """
    rows, columns = (_inner(side) for side in grid)
    n = len(rows) * len(columns)
    drawn = np.sort(np.random.default_rng([abs(seed), seed < 0, row]).permutation(n)[:per_image])
    places = np.stack([rows[drawn // len(columns)], columns[drawn % len(columns)]], axis=1)
    return places.astype(np.int32)


def count_places(grid: tuple[int, int], per_image: int) -> int:
    """Return how many places are drawn of each image.

    >>> count_places((7, 7), 4), count_places((2, 1), 4)
    (4, 2)
    """
    return min(per_image, len(_inner(grid[0])) * len(_inner(grid[1])))


def _inner(side: int) -> NDArray[np.intp]:
    """Return the rows, or columns, that may be drawn."""
    return np.arange(1, side - 1) if side >= LEAST_SIDE else np.arange(side)
