"""properties.parquet: what was measured of the images of a run, also by a call that was stopped."""

from contextlib import suppress
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

from errlens.analysis.findings.reading import KIND
from errlens.data.properties.table import PROPERTIES, PROPERTY_COLUMNS, as_frame, as_table
from errlens.run.disk import atomically, inside
from errlens.run.folder import RunFolder
from errlens.run.made_from import record_of
from errlens.run.tables import read_columns, write_parquet

FILE: Final = "properties.parquet"


def read_measured(run: RunFolder) -> pd.DataFrame | None:
    """Return what earlier calls measured; None where there is nothing, or it is damaged."""
    folder = run.results_folder(KIND)
    with suppress(ValueError, OSError):
        return as_frame(read_columns(inside(folder / FILE, folder), PROPERTY_COLUMNS.names))
    return None


def keep_measured(run: RunFolder, table: pd.DataFrame) -> None:
    """Write what was measured so far, for a call that goes on.

    Raises:
        OutOfReach: Nothing can be written there.
    """
    folder = run.results_folder(KIND)
    folder.mkdir(exist_ok=True)
    with atomically(folder / FILE, folder=run.path) as temporary:
        write_parquet(temporary, as_table(table))


def read_properties(run: RunFolder) -> pd.DataFrame | None:
    """Return what a call that came to its end measured of the images of this run.

    Returns:
        The columns of `PROPERTIES`, by row of the run; images it did not look at are not there.
        None where it was not run, or looked at other predictions, or its file is damaged.
    """
    folder = run.results_folder(KIND)
    if record_of(folder).get("run_hash") != run.info.run_hash:
        return None
    try:
        table = read_columns(inside(folder / FILE, folder), ["row", *PROPERTIES])
        rows = table["row"].cast(pa.int64()).to_numpy()
        measured = as_frame(table.select([*PROPERTIES]))
    except (ValueError, OSError, TypeError):  # an interrupted call writes no rows
        return None
    of_this_run = (rows >= 0) & (rows < run.info.n_images)
    if not of_this_run.all() or len(np.unique(rows)) < len(rows):
        return None
    return measured.set_index(pd.Index(rows, name="row"))
