"""What calls before left in the folder, and how the results of this one are added to it.

What is explained anew takes the place of what there was of the same image by the same method, with
all its files. That is settled at the very end, with what other processes have added by then.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from errlens.commands.explain.tables import (
    COVER_COLUMNS,
    INDEX_COLUMNS,
    OK,
    SIMILARITY_COLUMNS,
    Tables,
    merged,
)
from errlens.errors import NoResults
from errlens.run.csv_tables import TEXT
from errlens.run.results import ResultsWriter, alone_in, read_table

INDEX: Final = "index.csv"
COVERS: Final = "covers.csv"
SIMILARITIES: Final = "randomisation.csv"
METHODS: Final = "methods.csv"
OF_A_MAP: Final = ("file", "maps_file")  # columns of the index that name files

Key = tuple[int, str]  # row and method


class EarlierCalls:
    """Brings the tables of one call together with those that are there, and says what goes."""

    def __init__(self, folder: Path, run_hash: str) -> None:
        self._folder = folder
        self._run_hash = run_hash
        self._rows = RowNumbers(folder)
        self._gone: set[str] = set()

    def before(self) -> pd.DataFrame | None:
        """Return the index of calls before; None if there is none of this model and these data."""
        return self._table(INDEX, INDEX_COLUMNS, key=("row", "method"))

    def rows_of(self, photos: Sequence[str]) -> dict[str, int]:
        """Return the row of each photo without a run: that of a call before, else a new one."""
        with alone_in(self._folder):
            before = self.before()
            ids = [] if before is None else zip(before["sample_id"], before["row"], strict=True)
            return self._rows.promise(photos, {name: int(row) for name, row in ids})

    def forget(self, photos: Sequence[str]) -> None:
        """Give back the rows of photos that came to nothing."""
        with alone_in(self._folder):
            self._rows.forget(photos)

    def add(self, results: ResultsWriter, tables: Tables, sheets: Mapping[Key, str]) -> None:
        """Write the tables, of this call and of those before.

        `sheets` has the sheet that an image is on, by row and method; whether written or not.
        """
        before = self.before()
        index = merged(before, tables.maps, by=("row", "method"))
        results.csv(INDEX, index)
        self._rows.forget({*tables.maps["sample_id"]})
        self._drop(before, index, OF_A_MAP)
        self._gone |= {sheets[key] for key in _keys(before) & sheets.keys()}
        if len(tables.covers):
            known = self._table(COVERS, COVER_COLUMNS, key=("row",))
            covers = merged(known, tables.covers, by=("row",))
            results.csv(COVERS, covers)
            self._drop(known, covers, ("file",))
        if len(tables.similarities):
            known = self._table(SIMILARITIES, SIMILARITY_COLUMNS, key=("method",))
            results.csv(SIMILARITIES, merged(known, tables.similarities, by=("method",)))
        if len(tables.methods):
            results.csv(METHODS, tables.methods)

    def keeps(self, name: str) -> bool:
        """Tell whether a file of calls before still shows what a table says."""
        return name not in self._gone and name != INDEX

    def _drop(self, before: pd.DataFrame | None, now: pd.DataFrame, columns: Sequence[str]) -> None:
        """Let go the files that a table named and names no more."""
        for column in columns if before is not None else ():
            assert before is not None  # noqa: S101 - for the type checker
            self._gone |= {*before[column].dropna()} - {*now[column].dropna()}

    def _table(
        self, name: str, columns: Mapping[str, str], *, key: Sequence[str]
    ) -> pd.DataFrame | None:
        """Return a table of calls before with all its columns, if they explained the same."""
        texts = {name: TEXT for name, dtype in columns.items() if dtype == "str"}
        try:
            table = read_table(
                self._folder,
                name,
                texts,
                run_hash=self._run_hash,
                command="errlens explain",
                required=key,
            )
            return table.reindex(columns=[*columns]).astype(dict(columns))
        except (NoResults, ValueError, TypeError):  # a damaged one is made anew
            return None


class RowNumbers:
    """The numbers of photos that belong to no run: each keeps its own, whoever explains what else.

    Several processes may add to a folder at the same time. What is promised and not in the index
    yet stands in a hidden file beside the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._place = folder.with_name(f".{folder.name}.rows.json")

    def promise(self, names: Sequence[str], known: Mapping[str, int]) -> dict[str, int]:
        """Return a number for each name: that which it has, else one that is free.

        Nobody else may do so at the same time.

        Args:
            names: The photos.
            known: The numbers in the index.
        """
        taken = {**self._promised(), **known}
        free = count(max(taken.values(), default=-1) + 1)
        rows = {name: taken[name] if name in taken else next(free) for name in names}
        self._write({name: row for name, row in (taken | rows).items() if name not in known})
        return rows

    def forget(self, names: Collection[str]) -> None:
        """Forget the promises for names whose numbers are in the index."""
        self._write({name: row for name, row in self._promised().items() if name not in names})

    def _promised(self) -> dict[str, int]:
        try:
            promised = json.loads(self._place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        pairs = promised.items() if isinstance(promised, dict) else ()
        return {name: row for name, row in pairs if isinstance(row, int)}

    def _write(self, promised: Mapping[str, int]) -> None:
        if promised:
            self._place.write_text(json.dumps(promised), encoding="utf-8")
        else:
            self._place.unlink(missing_ok=True)


class Known(NamedTuple):
    """What calls before made: the maps of which rows by which methods, and whether saved as npz."""

    explained: frozenset[Key]
    saved: frozenset[Key]


def known_maps(before: pd.DataFrame | None, *, options: str) -> Known:
    """Return what there is: explained with these options, and saved with whatever options."""
    if before is None:
        return Known(frozenset(), frozenset())
    same = before["options"].fillna("") == options
    ok = before["status"] == OK
    return Known(_keys(before[same & ok]), _keys(before[before["maps_file"].notna()]))


def _keys(table: pd.DataFrame | None) -> frozenset[Key]:
    if table is None:
        return frozenset()
    return frozenset(zip(table["row"].astype(int), table["method"], strict=True))
