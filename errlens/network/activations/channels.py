"""Channels in numbers: how strongly each fires, and where."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.data.photos.preprocess import Box
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

CHANNEL_COLUMNS: Final = {
    "image": TEXT,
    "stage": TEXT,
    "channel": WHOLE,
    "rank": WHOLE,
    "value": NUMBER,
    "max": NUMBER,
    "min": NUMBER,
    "mean": NUMBER,
    "above_zero": NUMBER,
    "row": WHOLE,
    "column": WHOLE,
    "x": NUMBER,
    "y": NUMBER,
}


class Seen(NamedTuple):
    """What one image is to a layer: maps of shape (channels, rows, columns).

    `stage` is output, before or after. `box` is where in the photo the input lies, in pixels; None
    where a transform of the user's own does not say.
    """

    image: str
    stage: str
    maps: NDArray[np.float32]
    box: Box | None


def extremes(maps: NDArray[np.float32], *, signed: bool) -> NDArray[np.float32]:
    """Return the strongest value of each channel: the highest or, `signed`, the furthest from zero.

    Args:
        maps: Shape (channels, rows, columns).
        signed: Let values below zero count as much as those above.

    >>> extremes(np.float32([[[1, -3]], [[2, 0]]]), signed=True)
    array([-3.,  2.], dtype=float32)
    """
    flat = maps.reshape(len(maps), -1)
    best: NDArray[np.float32] = np.take_along_axis(
        flat, _places(flat, signed=signed)[:, None], axis=1
    )[:, 0]
    return best


def strongest(tensors: Sequence[NDArray[np.float32]], *, signed: bool) -> NDArray[np.int64]:
    """Return all channels, that with the strongest value in any tensor first; ties by number.

    Args:
        tensors: Of shape (channels, rows, columns), with the same channels.
        signed: Let values below zero count as much as those above.
    """
    values = np.max([_strength(extremes(maps, signed=signed), signed) for maps in tensors], axis=0)
    order: NDArray[np.int64] = np.argsort(-values, kind="stable")
    return order


def channel_table(seen: Sequence[Seen], *, signed: bool) -> pd.DataFrame:
    """Return a row for each channel of each image, its strongest value and where that is.

    `rank` counts from 1, the strongest first. `row` and `column` count the places of the map from
    0; `x` and `y` are the middle of that place in the photo, in pixels.
    """
    tables = [_table(one, signed=signed) for one in seen]
    return pd.concat(tables, ignore_index=True)[[*CHANNEL_COLUMNS]]


def _table(one: Seen, *, signed: bool) -> pd.DataFrame:
    channels, rows, columns = one.maps.shape
    flat = one.maps.reshape(channels, -1)
    at = _places(flat, signed=signed)
    row, column = np.divmod(at, columns)
    rank = np.empty(channels, np.int64)
    rank[strongest([one.maps], signed=signed)] = np.arange(1, channels + 1)
    left, top, right, bottom = one.box or (np.nan,) * 4
    return pd.DataFrame(
        {
            "image": one.image,
            "stage": one.stage,
            "channel": np.arange(channels),
            "rank": rank,
            "value": extremes(one.maps, signed=signed),
            "max": flat.max(axis=1),
            "min": flat.min(axis=1),
            "mean": flat.mean(axis=1, dtype=np.float64),
            "above_zero": (flat > 0).mean(axis=1),
            "row": row,
            "column": column,
            "x": left + (column + 0.5) / columns * (right - left),
            "y": top + (row + 0.5) / rows * (bottom - top),
        }
    )


def _places(flat: NDArray[np.float32], *, signed: bool) -> NDArray[np.int64]:
    """Return where in each channel, laid out in a row, the first of its strongest values is."""
    places: NDArray[np.int64] = _strength(flat, signed).argmax(axis=1)
    return places


def _strength(values: NDArray[np.float32], signed: bool) -> NDArray[np.float32]:  # noqa: FBT001
    return np.abs(values) if signed else values
