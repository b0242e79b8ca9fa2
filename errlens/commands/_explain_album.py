"""Explanations become pictures and rows of the index."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from errlens.analysis.evidence import evidence_share
from errlens.analysis.map_checks import map_flags, shrunk
from errlens.commands import _explain_figures as figures
from errlens.file_names import distinct_names, file_name
from errlens.formats import count, counted
from errlens.maps import Attribution, NoMap

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from errlens.attribution._cases import Case, Explanation
    from errlens.attribution._trials import Trial
    from errlens.commands._explain_figures import Looks, Tile
    from errlens.commands._explain_options import ExplainOptions
    from errlens.data.outlines import Regions
    from errlens.results import ResultsWriter

OK: Final = "ok"
FAILED: Final = "failed"
ABOUT: Final = ("row", "sample_id", "label_name", "pred_name")

SHEET_TILES: Final = 24  # of a sheet, at most
PHOTOS: Final = "photos"  # that belong to no run, on their sheet


class Album:
    """Writes the pictures of images as they are explained, and sheets of those that go together.

    Images of a run go together if they have the same label and were taken for the same class;
    photos without a run, if one and the same score of all of them was asked for.
    """

    def __init__(
        self,
        results: "ResultsWriter",
        looks: "Looks",
        cases: "Sequence[Case]",
        options: "ExplainOptions",
    ) -> None:
        self._results = results
        self._looks = looks
        self._options = options
        names = [] if options.of_photos else sorted({name for one in cases for name in _ends(one)})
        self._folder = dict(zip(names, distinct_names(names), strict=True))
        self._expected = Counter(self._group(one) for one in cases)
        self._tiles: dict[tuple[str, str], list[Tile]] = defaultdict(list)

    def name(self, case: "Case") -> str:
        """Return how the names of all pictures of an image begin."""
        stem = file_name(PurePosixPath(case.facts["path"]).stem)
        name = f"{case.facts['row']}_{stem}"
        return name if self._options.of_photos else f"{self._group(case)}/{name}"

    def add(self, found: "Explanation") -> dict[str, str]:
        """Write the pictures of one image, and its maps; return the picture of each method."""
        name = self.name(found.case)
        if found.image is None:
            return dict.fromkeys(found.maps, "")
        if self._options.save_maps:
            self._save(found, name)
        if self._options.compare:
            file = f"{name}_compare.png"
            self.figure(file, figures.comparison_figure(found, self._looks))
            return dict.fromkeys(found.maps, file)
        files = {method: f"{name}_{method}.png" for method in found.maps}
        for method, file in files.items():
            self._write(found, method, file)
            if not self._options.overlay_only:
                self._collect(found, method)
        return files

    def figure(self, name: str, figure: "Figure | None") -> None:
        """Write a picture, if there is anything to be seen."""
        if figure is not None:
            self._results.png(name, figure)

    def finish(self) -> None:
        """Write the sheets."""
        for (group, method), tiles in self._tiles.items():
            if len(tiles) > 1:
                self._results.png(
                    f"sheet_{method}.png" if group == PHOTOS else f"{group}/sheet_{method}.png",
                    figures.sheet_figure(tiles, self._sheet_title(group, len(tiles)), self._looks),
                )

    def _write(self, found: "Explanation", method: str, file: str) -> None:
        if self._options.overlay_only:
            pixels = figures.overlay_pixels(found, method, self._looks)
            if pixels is not None:
                self._results.pixels(file, pixels)
        else:
            self.figure(file, figures.method_figure(found, method, self._looks))

    def _save(self, found: "Explanation", name: str) -> None:
        """Write the maps of each method, in raw units."""
        for method in found.maps:
            maps = {
                one.target.name: one.values
                for one in found.of_both(method)
                if isinstance(one, Attribution)
            }
            if maps:
                self._results.npz(f"maps/{PurePosixPath(name).name}_{method}.npz", maps)

    def _collect(self, found: "Explanation", method: str) -> None:
        group = self._group(found.case)
        shown = self._tiles[group, method]
        together = self._expected[group] > 1 and len(shown) < SHEET_TILES
        if self._options.of_photos:
            together = together and len(found.case.targets) == 1
        if together and (tile := figures.sheet_tile(found, method, self._looks)):
            shown.append(tile)

    def _group(self, case: "Case") -> str:
        if self._options.of_photos:
            return PHOTOS
        return "__".join(self._folder[name] for name in _ends(case))

    def _sheet_title(self, group: str, shown: int) -> str:
        of_all = self._expected[group]
        number = f"{count(shown)} of " * (shown < of_all) + counted(of_all, "image")
        return number if group == PHOTOS else f"{group.replace('__', ' → ')}: {number}"


class IndexMaker:
    """Collects the rows of the index: what is known of every map."""

    def __init__(self, regions: "Mapping[int, Regions]") -> None:
        self._regions = regions
        self._rows: list[dict[str, Any]] = []
        self._small: list[NDArray[np.float32] | None] = []

    def add(
        self, found: "Explanation", files: Mapping[str, str], trials: "Mapping[str, Trial]"
    ) -> None:
        """Add the maps of an image; `files` and `trials` are by method."""
        facts = {name: found.case.facts[name] for name in ABOUT}
        regions = self._regions.get(found.case.facts["row"])
        for method, maps in found.maps.items():
            for place, one in enumerate(found.of_both(method)):
                row = {**facts, "method": method, **_of_map(one, files[method])}
                # Where the object is, is known of the image as the newer network is fed.
                if isinstance(one, Attribution) and regions and place < len(maps):
                    row["object_share"] = evidence_share(one.values, regions.object)
                    row["head_share"] = evidence_share(one.values, regions.head)
                if method in trials and one.target.name == "predicted":
                    row |= {f"{name}_auc": area for name, area in trials[method]._asdict().items()}
                self._rows.append(row)
                self._small.append(shrunk(one.values) if isinstance(one, Attribution) else None)

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows; maps that say nothing, or the same of all images, have a flag."""
        groups: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, row in enumerate(self._rows):
            if self._small[place] is not None:
                groups[row["method"], row["target"]].append(place)
        for places in groups.values():
            maps = [one for place in places if (one := self._small[place]) is not None]
            for place, flag in zip(places, map_flags(maps), strict=True):
                self._rows[place]["flag"] = flag or None
        return self._rows


def _of_map(one: Attribution | NoMap, file: str) -> dict[str, Any]:
    if isinstance(one, NoMap):
        return {"target": one.target.name, "status": FAILED, "error": one.reason}
    return {
        "target": one.target.name,
        "score": one.score,
        "baseline": one.baseline,
        "layer": one.layer,
        "file": file,
        "raw_min": float(one.values.min()),
        "raw_max": float(one.values.max()),
        "completeness_gap": one.completeness_gap,
        "status": OK,
    }


def _ends(case: "Case") -> tuple[str, str]:
    """Return the names that the folder of a picture has."""
    return case.facts["label_name"] or "unlabelled", case.facts["pred_name"]
