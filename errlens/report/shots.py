"""The images of a page: which there are, what is said of each, and their pictures."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.finding import Finding
from errlens.analysis.selection.picking import Selectable
from errlens.data.photos.images import Unread
from errlens.predictions.table import Predictions
from errlens.report.images.drawn import on_any_page
from errlens.report.images.facts import ImageFacts, size_on_page
from errlens.report.images.heatmaps import HeatMap, heatmaps_by_row
from errlens.report.images.listing import list_images
from errlens.report.images.pictures import FULL, NOT_ASKED, Pictures, size_of
from errlens.report.images.room import Room
from errlens.report.parts import Part
from errlens.report.thumbnails import FIGURE, SIDE, ThumbnailCache, Wanted
from errlens.run.disk import inside
from errlens.run.folder import RunFolder

Progress = Callable[[int], None]

_SMALL: Final = 6_000  # bytes of a page that a thumbnail usually takes, with what is said of it
_SMALLEST: Final = 1_500  # the same of a plain one
_AT_ONCE: Final = 512  # images


@dataclass
class Shots:
    """Collects the rows that a page shows, the most important first, then makes their pictures.

    `images` has the columns of `analysis.mistakes.ranking`, `status` and `content_hash`.
    """

    run: RunFolder
    images: Predictions
    among: Selectable
    root: Path
    explained: Part
    room: Room = field(default_factory=Room)
    _wanted: dict[int, None] = field(default_factory=dict)
    _further: dict[int, None] = field(default_factory=dict)
    _last: Iterable[int] = ()
    _heatmaps_wanted: dict[str, None] = field(default_factory=dict)
    _figures: dict[str, Path] = field(default_factory=dict)
    _known: dict[int, dict[str, Any]] = field(default_factory=dict)

    def want(self, rows: Iterable[int]) -> list[int]:
        """Ask for thumbnails of rows that a section shows."""
        wanted = [int(row) for row in rows]
        self._wanted.update(dict.fromkeys(wanted))
        return wanted

    def also(self, rows: Iterable[int], *, last: Iterable[int] = ()) -> None:
        """Ask for pictures of further rows by worth, for those who look through them.

        Right images near to all of these come next, and `last` at the end.
        """
        self._further.update(dict.fromkeys(map(int, islice(rows, self._most))))
        self._last = last

    def heatmaps(self, rows: Iterable[int], *, most: int, of_each: int = 1) -> list[dict[str, Any]]:
        """Ask for pictures that `errlens explain` made of some rows, and return what they are.

        Each is a dict of `row`, `method` and `file`; `of_each` row there are so many, by method.
        """
        found = [shown for row in rows for shown in self._heatmaps.get(int(row), ())[:of_each]]
        self._heatmaps_wanted.update((shown.file, None) for shown in found[:most])
        return [
            {"row": shown.row, "method": shown.method, "file": shown.file} for shown in found[:most]
        ]

    def figure(self, path: Path) -> str:
        """Ask for a picture that another command drew in the run, and return its name on the page.

        That is where it lies below the run: no picture of RUN/explain is called so.
        """
        name = path.relative_to(self.run.path).as_posix()
        self._figures[name] = path
        return name

    @property
    def figures(self) -> Mapping[str, Path]:
        """The pictures that were asked for as `figure`, by their names."""
        return self._figures

    def is_explained(self, row: int) -> bool:
        """Tell whether there is a picture of a row's heat maps."""
        return row in self._heatmaps

    @property
    def explained_files(self) -> set[str]:
        """The pictures in RUN/explain that show heat maps, as the index there names them."""
        return {shown.file for of_row in self._heatmaps.values() for shown in of_row}

    @cached_property
    def about(self) -> ImageFacts:
        """What there is to say of single images."""
        return ImageFacts(self.run, self.images, self.among, self.root, self._heatmaps)

    def listing(self, worth: NDArray[np.int64], findings: Sequence[Finding]) -> dict[str, Any]:
        """Return what the page knows of rows, pictured or not; `worth` has the worst first."""
        budget = self.room.for_listing
        return list_images(self.images, worth, self.about.properties, findings, budget=budget)

    def facts(self, pictures: Pictures | None = None) -> dict[str, dict[str, Any]]:
        """Return what there is to say of each row that a section shows or that has a picture."""
        rows = dict.fromkeys([*self._wanted, *(pictures.rows if pictures else ())])
        self._learn(rows)
        return {str(row): self._known[row] for row in rows}

    def path_of(self, name: str) -> str:
        """Return the path of an image by the name of its picture; that of heat maps is its own."""
        row = name.removesuffix("@")
        return str(self.images.table["path"][int(row)]) if row.isdecimal() else name

    @cached_property
    def rows(self) -> list[int]:
        """The rows that are to have a picture, by worth, as far as there could be room for them."""
        first = [*islice(dict.fromkeys([*self._wanted, *self._further]), self._most)]
        near = chain.from_iterable(self.about.nearest.of(first).values())
        return [*islice(dict.fromkeys(chain(first, near, self._last)), self._most)]

    def pictures(self, budget: int, *, progress: Progress) -> Pictures:
        """Make the pictures as long as they fit into a budget of bytes.

        Figures have an eighth of the room, then heat maps a quarter of what is left, those first
        that a section shows; then come the photos by worth, as thumbnails, the first of them also
        large.

        Raises:
            OutsideRun: A figure or heat map is a link, or has a name, that leads out of its folder.
        """
        made = Pictures(budget)
        cache = ThumbnailCache(self.run.thumbnails_folder, upright=self.about.turns)
        self._add_figures(made, cache, progress)
        self._add_heatmaps(made, cache, progress)
        self._add_photos(made, cache, progress)
        self._say_why(made)
        return made

    def __len__(self) -> int:
        return len(self.rows) + len(self._heatmaps_wanted) + len(self._figures)

    def _add_figures(self, made: Pictures, cache: ThumbnailCache, progress: Progress) -> None:
        """Add figures in the order in which sections show them.

        One that is gone is nothing that another folder of images would bring back.
        """
        least_left = made.left - made.left // 8
        places = [inside(path, self.run.path) for path in self._figures.values()]
        drawn = on_any_page(
            places, cache.pictures(places, widest=FIGURE), widest=FIGURE, on_paper=True
        )
        for name, picture in zip(self._figures, drawn, strict=True):
            progress(1)
            if isinstance(picture, Unread):
                made.leave_out(name, picture.reason)
            elif made.left - size_of(name, picture) >= least_left:
                made.add(name, picture)
            else:
                made.leave_out(name, FULL)

    def _add_heatmaps(self, made: Pictures, cache: ThumbnailCache, progress: Progress) -> None:
        """Add the heat maps of images that have a picture, those first that a section shows."""
        of_rows = [shown for row in self.rows for shown in self._heatmaps.get(row, ())]
        places = {shown.file: self._place(shown) for shown in of_rows}
        wanted = [file for file in self._heatmaps_wanted if file in places]
        files = [*dict.fromkeys([*wanted, *places])]
        least_left = made.left - made.left // 4
        drawn = on_any_page(
            (places[file] for file in files), cache.pictures(places[file] for file in files)
        )
        for file, picture in zip(files, drawn, strict=True):
            if isinstance(picture, bytes) and made.left - size_of(file, picture) < least_left:
                break
            made.add(file, picture)
            progress(int(file in self._heatmaps_wanted))

    def _add_photos(self, made: Pictures, cache: ThumbnailCache, progress: Progress) -> None:
        """Add photos by worth until the page is full."""
        made.for_large = self._for_large(made.left)
        wanted = (
            Wanted(self.about.file(row), large=made.for_large > 0 and self._is_large(row))
            for row in self.rows
        )
        for at, shown in enumerate(cache.photos(wanted)):
            row = self.rows[at]
            made.add_photo(row, shown, besides=self._besides(at))
            progress(1)
            if made.is_full and row not in self._wanted:
                break

    def _say_why(self, made: Pictures) -> None:
        """Say why there are no pictures of what could have some, or was not asked for."""
        if len(self.rows) == self.room.images and not made.is_full:
            made.otherwise = NOT_ASKED
        asked = {*self.rows}
        rows = [str(row) for row in self._wanted if made.is_full and row in asked]
        for name in (*rows, *self._heatmaps_wanted):
            if name not in made.uris and name not in made.absent:
                made.leave_out(name, made.otherwise)

    def _besides(self, at: int) -> int:
        """Return how many bytes a page grows by the facts of an image, by its place in `rows`."""
        if self.rows[at] in self._wanted:
            return 0
        if self.rows[at] not in self._known:
            self._learn(self.rows[at : at + _AT_ONCE])
        return size_on_page(self._known[self.rows[at]])

    def _for_large(self, left: int) -> int:
        """Return how much of the room is for large pictures.

        It is what thumbnails leave, or a fifth where they are many; but those that a section shows
        come first, and all others where that was asked for.
        """
        spare = left - _SMALL * len(self.rows)
        if self.room.all_first:
            return max(0, spare)
        return max(0, min(max(spare, left // 5), left - _SMALL * len(self._wanted)))

    def _is_large(self, row: int) -> bool:
        """Tell whether a photo may be larger than its thumbnail."""
        sides = [self.images.table[name][row].as_py() for name in ("width", "height")]
        return None in sides or max(sides) > SIDE

    @property
    def _most(self) -> int:
        could_fit = self.room.size // _SMALLEST
        return could_fit if self.room.images is None else min(self.room.images, could_fit)

    def _place(self, shown: HeatMap) -> Path:
        folder = self.run.results_folder("explain")
        return inside(folder / shown.file, folder)

    @cached_property
    def _heatmaps(self) -> Mapping[int, Sequence[HeatMap]]:
        index = self.explained.tables.get("index")
        return {} if index is None else heatmaps_by_row(index)

    def _learn(self, rows: Iterable[int]) -> None:
        new = [row for row in rows if row not in self._known]
        self._known |= {int(row): facts for row, facts in self.about.of(new).items()}
