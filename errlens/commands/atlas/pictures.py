"""What the cells of a map show: patches of the photos that their points come from, and icons."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.atlas.collected import Collected
from errlens.analysis.atlas.mapped import AtlasMap
from errlens.analysis.atlas.nearest import SOURCES
from errlens.atlas.patches import patch_boxes, patches, resized
from errlens.commands.atlas.made_icons import MadeIcons, made_icons
from errlens.commands.atlas.marks import marked
from errlens.commands.atlas.options import MapOptions
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.network.units.crops import PixelBox
from errlens.network.units.patches import OUTSIDE
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

SOURCE_SIDE: Final = 64  # pixels of a source


class MapPictures(NamedTuple):
    """What m cells show.

    Attributes:
        boxes: Of each source, in the order of `AtlasMap.sources`.
        patches: The nearest source of each cell whose photo can be read, uint8 of shape
            (m, icon size, icon size, 3).
        sources: All of them, by rank, uint8 of shape (m, 9, 64, 64, 3); grey where there is none.
        absent: Why a photo cannot be shown, by its sample id.
        marks: Which cells are framed, by their numbers, and what is written beside each.
        icons: Those made by optimisation, where they are wanted.
    """

    boxes: Sequence[PixelBox]
    patches: NDArray[np.uint8]
    sources: NDArray[np.uint8]
    absent: Mapping[str, str]
    marks: Sequence[tuple[int, str]] = ()
    icons: MadeIcons | None = None

    @property
    def shown(self) -> bool:
        """Whether there is any patch."""
        return bool((self.sources != OUTSIDE).any())


def map_pictures(
    run: RunFolder,
    collected: Collected,
    drawn: AtlasMap,
    classifier: Classifier,
    options: MapOptions,
    screen: Screen,
) -> MapPictures:
    """Return what the cells of a map show: patches, and icons where they are wanted.

    Raises:
        UnfitOption: A cell that is to be marked is not there.
        UnfitModel, NoImages: There is no way to make icons.
    """
    marks = marked(drawn, options.mark)
    found = _patches(run, collected, drawn, classifier, options, screen)._replace(marks=marks)
    if options.icons == "patches":
        return found
    photos = _photos(run, options, collected.table["row"].unique().tolist())
    icons = made_icons(
        collected, drawn, list(photos.values()), classifier, options, screen,
        max_mb=run.info.max_file_mb,
    )  # fmt: skip
    return found._replace(icons=icons)


def _patches(
    run: RunFolder,
    collected: Collected,
    drawn: AtlasMap,
    classifier: Classifier,
    options: MapOptions,
    screen: Screen,
) -> MapPictures:
    """Return the patches of all sources of a map; each photo is decoded once."""
    of_layer = patch_boxes(classifier, collected.layer, collected.grid)
    sources = drawn.sources
    places = zip(sources["place_row"].tolist(), sources["place_column"].tolist(), strict=True)
    boxes = list(map(of_layer.of, places))
    at_row: dict[int, list[int]] = {}
    for at, row in enumerate(sources["row"].tolist()):
        at_row.setdefault(row, []).append(at)
    icon = options.icon_size
    found = MapPictures(
        boxes,
        np.full((len(drawn), icon, icon, 3), OUTSIDE, np.uint8),
        np.full((len(drawn), SOURCES, SOURCE_SIDE, SOURCE_SIDE, 3), OUTSIDE, np.uint8),
        absent := {},
    )
    nearest = np.full(len(drawn), SOURCES + 1)  # the rank of what shows the cell so far
    cells, ranks = sources["cell"].tolist(), sources["rank"].tolist()
    with screen.progress("cutting patches", total=len(at_row)) as advance:
        for row, cut_out in patches(
            classifier,
            _photos(run, options, list(at_row)),
            {row: [boxes[at] for at in of_photo] for row, of_photo in at_row.items()},
            advance=advance,
            workers=options.workers,
            max_mb=run.info.max_file_mb,
        ):
            if isinstance(cut_out, str):
                absent[str(sources["sample_id"].iloc[at_row[row][0]])] = cut_out
                continue
            for at, pixels in zip(at_row[row], cut_out, strict=True):
                cell, rank = cells[at], ranks[at]
                found.sources[cell, rank - 1] = resized(pixels, SOURCE_SIDE)
                if rank < nearest[cell]:
                    nearest[cell] = rank
                    found.patches[cell] = resized(pixels, icon)
    return found


def _photos(run: RunFolder, options: MapOptions, rows: Sequence[int]) -> dict[int, AskedImage]:
    """Return the photos of some rows of a run, wherever they lie now."""
    root = options.images_root(run)
    table = run.read_predictions(("path", "content_hash")).table.take(np.asarray(rows, np.int64))
    return {
        row: AskedImage(root / facts["path"], facts["content_hash"])
        for row, facts in zip(rows, table.to_pylist(), strict=True)
    }
