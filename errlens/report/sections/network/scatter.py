"""A map of the images of a run that the page draws itself: a point an image, in few bytes."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.escapes import printable
from errlens.formats import count, counted

MOST: Final = 20_000  # points
POINT: Final = 24  # bytes of the page that a point takes
FARTHEST: Final = 4_095  # places are whole numbers from 0 to this
SEED: Final = 0  # decides which images are drawn where they are too many
_ROOM: Final = 0.04  # of the width, around all images
_WRONG: Final = 0


class Scatter(NamedTuple):
    """Images on a map, by row.

    `x` goes to the right and `y` down, from 0 to `FARTHEST`. `colour` says for each which of
    `names` it is of, -1 for none; `side` is 1 of right images, 0 of errors, -1 of those that are
    not judged; `group` is the number of one of `groups`, from 1 on, 0 for none. `left_out` says
    which images are not on it.
    """

    rows: Sequence[int]
    x: Sequence[int]
    y: Sequence[int]
    colour: Sequence[int]
    side: Sequence[int]
    group: Sequence[int]
    names: Sequence[str]
    groups: Sequence[str]
    left_out: str = ""

    def as_tree(self) -> dict[str, Any]:
        """Return it as the script of the page has it; rows that are counted from 0 on are None."""
        is_counted = [*self.rows] == [*range(len(self.rows))]
        tree = {**self._asdict(), "rows": None if is_counted else self.rows}
        del tree["left_out"]
        return tree


def scatter_of(table: pd.DataFrame, groups: Sequence[Sequence[str]], *, most: int) -> Scatter:
    """Return the points of a map.

    Args:
        table: `row`, `x`, `y` (finite), `right`, `colour` and `group` of at least one image.
        groups: The classes of each group.
        most: Points, at least one. Where images are more, errors come first, and of others as
            many are drawn at random as there is room for.
    """
    side = np.asarray(table["right"].astype("float64").fillna(-1), np.int64)
    shown = _shown(side, most)
    names = sorted(table["colour"].dropna().unique())
    numbers = {name: number for number, name in enumerate(names)}
    across, up = (_whole(table[name].to_numpy(np.float64)) for name in ("x", "y"))
    points = pd.DataFrame(
        {
            "row": table["row"],
            "x": across,
            "y": FARTHEST - up,
            "colour": table["colour"].map(numbers).astype("float64").fillna(-1).astype("int64"),
            "side": side,
            "group": table["group"].fillna(0).astype("int64"),
        }
    )[shown]
    columns = {name: values.tolist() for name, values in points.items()}
    return Scatter(
        columns["row"], columns["x"], columns["y"], columns["colour"], columns["side"],
        columns["group"], [printable(name) for name in names],
        [printable(" ~ ".join(members)) for members in groups], _left_out(side, shown),
    )  # fmt: skip


def _shown(side: NDArray[np.int64], most: int) -> NDArray[np.bool_]:
    """Tell which images are drawn: errors, and of the others as many as there is room for."""
    shown = np.zeros(len(side), bool)
    chance = np.random.default_rng(SEED)
    for kind in (side == _WRONG, side != _WRONG):
        images = np.flatnonzero(kind)
        room = most - int(shown.sum())
        shown[chance.choice(images, room, replace=False) if len(images) > room else images] = True
    return shown


def _left_out(side: NDArray[np.int64], shown: NDArray[np.bool_]) -> str:
    if shown.all():
        return ""
    wrong = side == _WRONG
    n_wrong, n_others = int((shown & wrong).sum()), int((shown & ~wrong).sum())
    all_wrong, all_others = int(wrong.sum()), int((~wrong).sum())
    errors = f"all {counted(all_wrong, 'error')}"
    if n_wrong < all_wrong:
        errors = f"{count(n_wrong)} of {counted(all_wrong, 'error')}"
    return (
        f"Of {count(len(side))} images this map shows {errors} and {count(n_others)} of "
        f"{counted(all_others, 'other image')}, drawn at random (seed {SEED})."
    )


def _whole(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return places from 0 to `FARTHEST`, with some room at both ends.

    >>> _whole(np.array([-1.0, 0.0, 1.0])).tolist(), _whole(np.array([5.0])).tolist()
    ([152, 2048, 3943], [2048])
    """
    low, high = float(places.min()), float(places.max())
    room = _ROOM * (high - low) or 1.0
    shares = (places - low + room) / (high - low + 2 * room)
    return np.round(FARTHEST * shares).astype(np.int64)
