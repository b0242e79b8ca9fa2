"""The files that one command left in RUN/network, read with care: any of them may be damaged."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import pandas as pd
from pydantic import BaseModel

from errlens.documents import MOST_BYTES, parse_json, read_text
from errlens.errors import NoResults
from errlens.report.sections.network.told import Picture
from errlens.report.shots import Shots
from errlens.run.csv_tables import Columns
from errlens.run.disk import inside
from errlens.run.made_from import MADE_FROM, record_of
from errlens.run.results import read_table

_Document = TypeVar("_Document", bound=BaseModel)
_NO_ROW: Final = -1


@dataclass(frozen=True)
class Results:
    """A folder that one command fills.

    `main` is a file there that it always writes; `command` makes all of it again. Pictures are
    asked for from `shots`.
    """

    folder: Path
    main: str
    command: str
    shots: Shots

    @property
    def are_there(self) -> bool:
        """Whether the command was run; what it left may be damaged."""
        return any((self.folder / name).exists() for name in (MADE_FROM, self.main))

    @cached_property
    def files(self) -> list[str]:
        """The names of the files that were written, in that order."""
        names = record_of(self.folder).get("files")
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []

    def table(self, name: str, columns: Columns, *, known: Collection[str] = ()) -> pd.DataFrame:
        """Read a table; images that it names are those of the run.

        Args:
            name: Its file.
            columns: Those that are needed.
            known: Those of them without missing cells.

        Raises:
            NoResults: It is not there, was made of other predictions, is damaged, or too large to
                be such a table.
        """
        self._check_size(name)
        run = self.shots.run
        table = read_table(
            self.folder, name, columns, run_hash=run.info.run_hash, command=self.command
        )
        rows = table["row"] if "row" in columns else pd.Series([], dtype="int64")
        is_whole = bool(table[[*known]].notna().all(axis=None))
        if not (is_whole and rows.between(0, run.info.n_images - 1).all()):
            raise self.damaged(name)
        return table

    def document(self, name: str, kind: type[_Document]) -> _Document:
        """Read a file of JSON, of which only what `kind` declares is needed.

        Raises:
            NoResults: As above.
        """
        self._check_size(name)
        try:
            return kind.model_validate(parse_json(read_text(self._place(name))))
        except ValueError as error:
            raise self.damaged(name) from error

    def picture(self, name: str, caption: str, *, alt: str, stays: bool = False) -> Picture:
        """Ask for a picture; where it turns out that it cannot be shown, the page says why."""
        return Picture(self.shots.figure(self.folder / name), caption, alt, stays)

    def has(self, name: str) -> bool:
        """Tell whether a file was written, and is not too large to be read."""
        place = self._place(name)
        return name in self.files and not (place.is_file() and place.stat().st_size > MOST_BYTES)

    def damaged(self, name: str) -> NoResults:
        """Return the failure that a file is not what it should be."""
        return NoResults(f"{str(self.folder / name)!r} is damaged", command=self.command)

    def row_of(self, sample_id: str) -> int | None:
        """Return the row of an image of the run by its name, None where it has none of that."""
        names = self.shots.images.table["sample_id"]
        row = names.index(sample_id).as_py()
        return None if row == _NO_ROW else int(row)

    def _place(self, name: str) -> Path:
        return inside(self.folder / name, self.folder)

    def _check_size(self, name: str) -> None:
        place = self._place(name)
        if place.is_file() and place.stat().st_size > MOST_BYTES:
            raise NoResults(
                f"{str(place)!r} has more than {MOST_BYTES // 2**20} MiB", command=self.command
            )
