"""The tables and arrays of a map: what the page needs of them, and whether they can be so."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

_FARTHEST: Final = 1_000  # cells to one side
# What the page needs to know of the tables.
CELLS: Final[Columns] = {
    "cell": WHOLE, "cell_row": WHOLE, "cell_column": WHOLE, "n_points": WHOLE, "n_images": WHOLE,
    "top_class": TEXT, "top_attribution": NUMBER,
}  # fmt: skip
SOURCES: Final[Columns] = {
    "cell": WHOLE, "rank": WHOLE, "row": WHOLE, "sample_id": TEXT, "place_row": WHOLE,
    "place_column": WHOLE, "similarity": NUMBER,
}  # fmt: skip
SUSPECTS: Final[Columns] = {
    "rank": WHOLE, "cell": WHOLE, "other_class": TEXT, "attribution": NUMBER, "share": NUMBER,
    "n_points": WHOLE, "n_images": WHOLE, "n_sources_other": WHOLE, "background_share": NUMBER,
    "row": WHOLE,
}  # fmt: skip


def are_cells(cells: pd.DataFrame, names: Sequence[str]) -> bool:
    """Tell whether these are cells, each at its own place, named after known classes."""
    places = cells[["cell_row", "cell_column"]]
    return bool(
        len(cells)
        and (cells["cell"] == np.arange(len(cells))).all()
        and ((places >= 0) & (places < _FARTHEST)).all(axis=None)
        and not places.duplicated().any()
        and set(cells["top_class"]) <= set(names)
        and cells["top_attribution"].notna().all()
        and (cells["n_points"] > 0).all()
    )


def are_of(cells: pd.DataFrame, arrays: Mapping[str, NDArray[Any]], *, classes: int) -> bool:
    """Tell whether the arrays are of these cells."""
    if len(arrays) < 2:
        return False
    activation, attribution = arrays["activation"], arrays["attribution"]
    return bool(
        activation.ndim == 2
        and len(activation) == len(cells)
        and attribution.shape == (len(cells), classes)
        and all(array.dtype == np.float32 for array in arrays.values())
        and all(np.isfinite(array).all() for array in arrays.values())
    )


def are_sources(sources: pd.DataFrame, n_cells: int, n_images: int) -> bool:
    """Tell whether these are sources of such cells, in such images."""
    return bool(
        sources["cell"].between(0, n_cells - 1).all()
        and sources["row"].between(0, n_images - 1).all()
        and (sources["rank"] >= 1).all()
        and not sources[["cell", "rank"]].duplicated().any()
        and sources[["sample_id", "similarity"]].notna().all(axis=None)
    )


def are_suspects(suspects: pd.DataFrame, n_cells: int, names: Sequence[str]) -> bool:
    """Tell whether these are suspects among such cells, of known classes."""
    known = [*set(SUSPECTS) - {"background_share"}]
    return bool(
        suspects["cell"].between(0, n_cells - 1).all()
        and set(suspects["other_class"]) <= set(names)
        and suspects[known].notna().all(axis=None)
    )
