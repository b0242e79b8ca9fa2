"""The images of a page: which there are, what is said of each, and their pictures."""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from errlens.data.photos.images import ImageFile, Unread
from errlens.escapes import printable
from errlens.formats import probability
from errlens.predictions.table import MISSING, Predictions
from errlens.report.parts import Part, records
from errlens.report.thumbnails import ThumbnailCache
from errlens.run.csv_tables import TEXT, WHOLE
from errlens.run.disk import inside
from errlens.run.folder import RunFolder

Progress = Callable[[int], None]

# What a page needs to know of the pictures in explain/index.csv.
PICTURE_COLUMNS: Final = {"row": WHOLE, "method": TEXT, "file": TEXT, "status": TEXT}


@dataclass
class Shots:
    """Collects the rows that a page shows, the most important first, then makes their pictures.

    `images` has the columns row, path, status, content_hash, label_name, pred_name, confidence,
    label_prob and correct.
    """

    run: RunFolder
    images: Predictions
    root: Path
    explained: Part
    _wanted: dict[int, None] = field(default_factory=dict)
    _heatmaps_wanted: dict[str, Path] = field(default_factory=dict)

    def want(self, rows: Iterable[int]) -> list[int]:
        """Ask for thumbnails of rows."""
        wanted = [int(row) for row in rows]
        self._wanted.update(dict.fromkeys(wanted))
        return wanted

    def heatmaps(self, rows: Iterable[int], *, most: int, of_each: int = 1) -> list[dict[str, Any]]:
        """Ask for pictures that `errlens explain` made of some rows, and return what they are.

        Each is a dict of `row`, `method` and `file`; `of_each` row there are so many, by method.

        Raises:
            OutsideRun: A picture is a link, or has a name, that leads out of RUN/explain.
        """
        pictures: list[dict[str, Any]] = []
        for row in rows:
            for picture in self._explained_rows.get(int(row), ())[:of_each]:
                if len(pictures) < most:
                    pictures.append(picture)
                    folder = self.run.results_folder("explain")
                    self._heatmaps_wanted[picture["file"]] = inside(
                        folder / picture["file"], folder
                    )
        return pictures

    def is_explained(self, row: int) -> bool:
        """Tell whether there is a picture of a row's heat maps."""
        return row in self._explained_rows

    def facts(self) -> dict[str, dict[str, Any]]:
        """Return what there is to say of each row asked for, by row."""
        rows = np.fromiter(self._wanted, np.int64, len(self._wanted))
        names = [
            "row", "path", "status", "label_name", "pred_name", "confidence", "label_prob",
            "correct",
        ]  # fmt: skip
        taken = self.images.table.select(names).take(rows).to_pylist()
        return {
            str(row.pop("row")): {key: _written(value) for key, value in row.items()}
            for row in taken
        }

    def pictures(self, budget: int, *, progress: Progress) -> "Pictures":
        """Make the pictures, heat maps first, as long as they fit into a budget of bytes."""
        cache, made = ThumbnailCache(self.run.thumbnails_folder), Pictures(budget)
        wanted = self._heatmaps_wanted
        for name, picture in zip(wanted, cache.pictures(wanted.values()), strict=True):
            made.add(name, picture)
            progress(1)
        rows = list(self._wanted)
        for row, picture in zip(rows, cache.thumbnails(map(self._file, rows)), strict=True):
            made.add(str(row), picture)
            progress(1)
        return made

    def __len__(self) -> int:
        return len(self._wanted) + len(self._heatmaps_wanted)

    def _file(self, row: int) -> ImageFile:
        path, content_hash = (
            self.images.table[name][row].as_py() for name in ("path", "content_hash")
        )
        return ImageFile(self.root / path, content_hash, self.run.info.max_file_mb)

    @cached_property
    def _explained_rows(self) -> Mapping[int, Sequence[dict[str, Any]]]:
        """The pictures of each row, in the order of the index; panels share one."""
        index = self.explained.tables.get("index")
        if index is None:
            return {}
        good = index[(index["status"] == "ok") & index["file"].notna()].drop_duplicates("file")
        pictures: dict[int, list[dict[str, Any]]] = {}
        for picture in records(good[["row", "method", "file"]]):
            row = int(picture["row"])
            pictures.setdefault(row, []).append({**picture, "row": row})
        return pictures


class Pictures:
    """Pictures as data URIs by name, and why others are not there.

    `missing` are those of the others whose file is not where it was.
    """

    def __init__(self, budget: int) -> None:
        self.uris: dict[str, str] = {}
        self.absent: dict[str, str] = {}
        self.missing: list[str] = []
        self._left = budget

    def add(self, name: str, picture: bytes | Unread) -> None:
        """Take a picture if there is one, and room for it."""
        if isinstance(picture, Unread):
            self.absent[name] = picture.reason
            if picture.status == MISSING:
                self.missing.append(name)
            return
        uri = f"data:image/webp;base64,{base64.b64encode(picture).decode()}"
        room = len(uri) + len(name) + 8
        if room > self._left:
            self.absent[name] = "left out: the page is full"
            return
        self._left -= room
        self.uris[name] = uri


def _written(value: Any) -> Any:
    """Return what the page says of a value."""
    if isinstance(value, float):
        return probability(value)
    return printable(value) if isinstance(value, str) else value
