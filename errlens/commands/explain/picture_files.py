"""Where the pictures and maps of explanations are written: one by one, and sheets of several."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from errlens.attribution.cases import Case, Explanation
from errlens.commands.explain import pictures
from errlens.commands.explain.earlier_calls import Key
from errlens.commands.explain.job import Job
from errlens.commands.explain.pictures import Tile
from errlens.errors import PictureTooLarge
from errlens.formats import count, counted
from errlens.maps import Attribution
from errlens.run.file_names import distinct_names, file_name
from errlens.run.results import ResultsWriter

ABOUT: Final = ("row", "sample_id", "label_name", "pred_name")

SHEET_TILES: Final = 24  # of a sheet, at most
UNIT: Final = "_unit"  # of all maps of a file, beside them
UNLABELLED: Final = "unlabelled"
PHOTOS: Final = "photos"  # that belong to no run, on their sheet


class Files(NamedTuple):
    """The picture of an image's maps by one method, and the maps themselves; each if written.

    `why_none` is the reason why the picture could not be drawn.
    """

    picture: str | None = None
    maps: str | None = None
    why_none: str | None = None


class PictureFiles:
    """Writes the pictures of images as they are explained, and sheets of those that go together.

    Images of a run go together if they have the same label and were taken for the same class;
    photos without a run, if one and the same score of all of them was asked for.

    `sheets` has the name of the sheet that each image is meant for, by row and method.
    """

    def __init__(self, results: ResultsWriter, job: Job) -> None:
        self._results = results
        self._looks = job.how.looks
        self._how = job.how
        self._of_photos = job.of_photos
        self._saved = job.saved
        self._folder = _folder_names(job)
        self._expected = Counter(self._group(case) for case in job.cases)
        self._tiles: dict[tuple[str, str], list[Tile]] = defaultdict(list)
        self.sheets: dict[Key, str] = {}

    def name(self, case: Case) -> str:
        """Return how the names of all pictures of an image begin."""
        stem = file_name(PurePosixPath(case.facts["path"]).stem)
        name = f"{case.facts['row']}_{stem}"
        return name if self._of_photos else f"{self._group(case)}/{name}"

    def tell(self, left: Mapping[str, float]) -> None:
        """Tell by method how much of its maps is left of a randomised network, for the headings."""
        self._looks = replace(self._looks, left=left)

    def add(self, explanation: Explanation) -> dict[str, Files]:
        """Write the pictures of one image, and its maps; return the files of each method."""
        group, name, row = (
            self._group(explanation.case),
            self.name(explanation.case),
            explanation.case.facts["row"],
        )
        self.sheets |= {(row, method): _sheet(group, method) for method in explanation.maps}
        if explanation.image is None:
            return dict.fromkeys(explanation.maps, Files())
        if self._how.compare:
            file = f"{name}_compare.png"
            why_none = self._drawn(partial(self._compare, explanation, file))
            return {
                method: self._files(explanation, method, file, why_none)
                for method in explanation.maps
            }
        return {method: self._add(explanation, method) for method in explanation.maps}

    def _add(self, explanation: Explanation, method: str) -> Files:
        """Write the picture and the maps of a method."""
        file = f"{self.name(explanation.case)}_{method}.png"
        why_none = self._drawn(partial(self._write, explanation, method, file))
        if not (self._how.overlay_only or why_none):
            self._collect(explanation, method)
        return self._files(explanation, method, file, why_none)

    def _files(
        self, explanation: Explanation, method: str, file: str, why_none: str | None
    ) -> Files:
        """Return what was written of a method, after its maps if they are wanted."""
        if why_none:
            return Files(why_none=why_none)
        return Files(file, self._save(explanation, method, self.name(explanation.case)))

    def _drawn(self, draw: Callable[[], None]) -> str | None:
        """Draw something; return the reason why that is not possible, or None."""
        try:
            draw()
        except PictureTooLarge as error:
            return str(error)
        except MemoryError:
            return "too large for the memory that is left"
        return None

    def _compare(self, explanation: Explanation, file: str) -> None:
        self.figure(file, pictures.comparison_figure(explanation, self._looks))

    def figure(self, name: str, figure: Figure | None) -> None:
        """Write a picture, if there is anything to be seen."""
        if figure is not None:
            self._results.png(name, figure)

    def finish(self) -> None:
        """Write the sheets that can be drawn."""
        for (group, method), tiles in self._tiles.items():
            if len(tiles) > 1:
                self._drawn(partial(self._write_sheet, group, method, tiles))

    def _write_sheet(self, group: str, method: str, tiles: list[Tile]) -> None:
        title = self._sheet_title(group, len(tiles))
        self._results.png(_sheet(group, method), pictures.sheet_figure(tiles, title, self._looks))

    def _write(self, explanation: Explanation, method: str, file: str) -> None:
        if self._how.overlay_only:
            pixels = pictures.overlay_pixels(explanation, method, self._looks)
            if pixels is not None:
                self._results.pixels(file, pixels)
        else:
            self.figure(file, pictures.method_figure(explanation, method, self._looks))

    def _save(self, explanation: Explanation, method: str, name: str) -> str | None:
        """Write the maps of a method in raw units, if asked for or if they were written before."""
        maps = [shown for shown in explanation.of_both(method) if isinstance(shown, Attribution)]
        asked = self._how.save_maps or (explanation.case.facts["row"], method) in self._saved
        if not (maps and asked):
            return None
        file = f"maps/{PurePosixPath(name).name}_{method}.npz"
        unit = {UNIT: np.array(maps[0].unit)}
        self._results.npz(file, {shown.target.name: shown.values for shown in maps} | unit)
        return file

    def _collect(self, explanation: Explanation, method: str) -> None:
        group = self._group(explanation.case)
        shown = self._tiles[group, method]
        together = self._expected[group] > 1 and len(shown) < SHEET_TILES
        if self._of_photos:
            together = together and len(explanation.case.targets) == 1
        if together and (tile := pictures.sheet_tile(explanation, method, self._looks)):
            shown.append(tile)

    def _group(self, case: Case) -> str:
        if self._of_photos:
            return PHOTOS
        return "__".join(self._folder[name] for name in _ends(case))

    def _sheet_title(self, group: str, shown: int) -> str:
        of_all = self._expected[group]
        number = f"{count(shown)} of " * (shown < of_all) + counted(of_all, "image")
        return number if group == PHOTOS else f"{group.replace('__', ' → ')}: {number}"


def _folder_names(job: Job) -> dict[str, str]:
    """Return the names that folders have for classes: the same whatever is explained."""
    known = dict.fromkeys(job.wanted.classes.names)
    names = [*known, *sorted({name for case in job.cases for name in _ends(case)} - known.keys())]
    return dict(zip(names, distinct_names(names), strict=True))


def _ends(case: Case) -> tuple[str, ...]:
    """Return the names that the folder of a picture has; a photo is not predicted yet."""
    facts = case.facts
    return (
        ()
        if facts["pred_name"] is None
        else (facts["label_name"] or UNLABELLED, facts["pred_name"])
    )


def is_sheet(file: str) -> bool:
    """Tell whether a picture is a sheet of several images; the names of others begin with a row."""
    return PurePosixPath(file).name.startswith("sheet_")


def _sheet(group: str, method: str) -> str:
    """Return the name of a sheet."""
    return f"sheet_{method}.png" if group == PHOTOS else f"{group}/sheet_{method}.png"
