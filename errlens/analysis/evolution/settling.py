"""From which checkpoint on each layer is what it is at the last one."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.run.csv_tables import NUMBER, TEXT, TRUTH

WITHIN: Final = 0.05  # of its last: a likeness of 95 % at least

# settled.csv: one row for each layer and checkpoint.
SETTLED_COLUMNS: Final = {"layer": TEXT, "checkpoint": TEXT, "cka": NUMBER, "settled": TRUTH}


def settled_from(likeness: Sequence[float]) -> NDArray[np.bool_]:
    """Tell of each checkpoint whether a layer stays within 5 % of its last from there on.

    What is not a number is not known to be within.

    >>> settled_from([0.2, 0.96, 0.9, 0.97, 1.0]).tolist()
    [False, False, False, True, True]
    """
    within = np.asarray(likeness, float) >= 1 - WITHIN
    return np.logical_and.accumulate(within[::-1])[::-1]


def settled_table(
    likeness: Mapping[str, Sequence[float]], checkpoints: Sequence[str]
) -> pd.DataFrame:
    """Return settled.csv; `likeness` with the last checkpoint is by layer, then by checkpoint."""
    rows = [
        {"layer": layer, "checkpoint": name, "cka": value, "settled": bool(settled)}
        for layer, values in likeness.items()
        for name, value, settled in zip(checkpoints, values, settled_from(values), strict=True)
    ]
    return pd.DataFrame(rows, columns=list(SETTLED_COLUMNS))


def settling(settled: pd.DataFrame) -> dict[str, str | None]:
    """Return by layer from which checkpoint on it is settled; None for only at the last."""
    found: dict[str, str | None] = {}
    for layer, rows in settled.groupby("layer", sort=False):
        names: list[Any] = rows.loc[rows["settled"].astype(bool), "checkpoint"].tolist()
        found[str(layer)] = str(names[0]) if len(names) > 1 else None
    return found
