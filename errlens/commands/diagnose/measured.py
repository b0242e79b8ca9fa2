"""properties.parquet: what was measured of the images of a run, also by a call that was stopped."""

from contextlib import suppress
from typing import Final

import pandas as pd

from errlens.analysis.findings.reading import KIND
from errlens.data.properties.table import PROPERTY_COLUMNS, as_frame, as_table
from errlens.run.disk import atomically, inside
from errlens.run.folder import RunFolder
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
