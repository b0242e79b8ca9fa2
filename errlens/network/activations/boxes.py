"""Activation inside of a box on the photo, held against that outside."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.data.photos.preprocess import Box
from errlens.network.activations.channels import Seen
from errlens.run.csv_tables import ANY_NUMBER, NUMBER, TEXT, WHOLE

BOX_COLUMNS: Final = {
    "image": TEXT,
    "stage": TEXT,
    "box": TEXT,
    "channel": WHOLE,
    "area": NUMBER,
    "inside": NUMBER,
    "outside": NUMBER,
    "share": NUMBER,
    "lift": ANY_NUMBER,
    "max_inside": NUMBER,
    "max_outside": NUMBER,
}


def cells_inside(box: Box, input_box: Box, grid: tuple[int, int]) -> NDArray[np.float64]:
    """Return which share of each place of a map lies in a box, shape (rows, columns).

    Args:
        box: Left, top, right, bottom in pixels of the photo.
        input_box: Where in the photo the map lies, likewise.
        grid: Rows and columns of the map.

    >>> cells_inside((2, 0, 6, 4), (0, 0, 8, 8), (2, 2))
    array([[0.5, 0.5],
           [0. , 0. ]])
    """
    across = _covered(box[0], box[2], input_box[0], input_box[2], grid[1])
    down = _covered(box[1], box[3], input_box[1], input_box[3], grid[0])
    return np.outer(down, across)


def box_table(seen: Seen, boxes: Mapping[str, Box]) -> pd.DataFrame:
    """Return how each channel fires inside and outside of boxes on the photo.

    `area` is the share of the map in the box; `inside` and `outside` are means, over places
    weighted by how much of them lies there; `share` is that of all activation above zero which lies
    inside, and `lift` that share divided by the area. The largest values are of places that lie at
    least half inside, or half outside.
    """
    rows = [row for name, box in boxes.items() for row in _rows(seen, name, box)]
    return pd.DataFrame(rows, columns=[*BOX_COLUMNS])


def joined(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables of boxes as one."""
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=[*BOX_COLUMNS])


def _rows(seen: Seen, name: str, box: Box) -> list[dict[str, Any]]:
    if seen.box is None:
        raise ValueError("where in the photo the map lies is not known")
    maps = seen.maps.astype(np.float64)
    cells = cells_inside(box, seen.box, (maps.shape[1], maps.shape[2]))
    area = float(cells.mean())
    inside = _mean(maps, cells)
    outside = _mean(maps, 1 - cells)
    positive = maps.clip(min=0)
    total = positive.sum(axis=(1, 2))
    share = np.divide(
        (positive * cells).sum(axis=(1, 2)), total, out=np.full(len(maps), np.nan), where=total > 0
    )
    most = [_highest(maps, cells >= 0.5), _highest(maps, cells < 0.5)]
    return [
        {
            "image": seen.image,
            "stage": seen.stage,
            "box": name,
            "channel": channel,
            "area": area,
            "inside": inside[channel],
            "outside": outside[channel],
            "share": share[channel],
            "lift": share[channel] / area,
            "max_inside": most[0][channel],
            "max_outside": most[1][channel],
        }
        for channel in range(len(maps))
    ]


def _covered(first: float, last: float, start: float, end: float, cells: int) -> NDArray[Any]:
    """Return which share of each cell, of so many from `start` to `end`, two edges enclose."""
    edges = np.linspace(start, end, cells + 1)
    inside = np.minimum(edges[1:], last) - np.maximum(edges[:-1], first)
    shares: NDArray[np.float64] = inside.clip(min=0) / (edges[1:] - edges[:-1])
    return shares


def _mean(maps: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    total = weights.sum()
    if not total > 0:
        return np.full(len(maps), np.nan)
    mean: NDArray[np.float64] = (maps * weights).sum(axis=(1, 2)) / total
    return mean


def _highest(maps: NDArray[np.float64], places: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not places.any():
        return np.full(len(maps), np.nan)
    highest: NDArray[np.float64] = maps[:, places].max(axis=1)
    return highest
