"""The suspects that `errlens atlas paste` tests: a patch in a file, or what a class atlas names."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from PIL import Image

from errlens.analysis.atlas.collected import KIND, collected_layers, layer_folder, read_collected
from errlens.atlas.pasting.patches import cut, read_patch
from errlens.atlas.pasting.pictures import picture_of
from errlens.commands.atlas.classes import class_file
from errlens.commands.atlas.paste.options import AUTO, PatchOptions
from errlens.data.photos.images import Unread
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import NoImages, NoResults, UnfitOption
from errlens.escapes import shell_line
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns
from errlens.run.folder import RunFolder
from errlens.run.results import read_table

SUSPECTS: Final = "suspects.csv"
_COLUMNS: Final[Columns] = {
    "rank": WHOLE, "cell": WHOLE, "other_class": TEXT, "row": WHOLE, "left": NUMBER, "top": NUMBER,
    "right": NUMBER, "bottom": NUMBER,
}  # fmt: skip


class Source(NamedTuple):
    """Where a suspect lies: a file, or a box (left, top, right, bottom) in an image of the run."""

    file: Path | None = None
    layer: str | None = None
    cell: int | None = None
    row: int | None = None
    box: tuple[float, float, float, float] | None = None

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        return self.file.name if self.file else f"row {self.row}, cell {self.cell}"


def sources_of(options: PatchOptions, run: RunFolder, to: int) -> list[Source]:
    """Return where the suspects lie that are to be tested, the most suspicious first.

    Raises:
        UnfitOption: Options contradict one another.
        NoResults: No class atlas names any.
    """
    if options.patch != AUTO:
        for name in ("layer", "suspects"):
            if getattr(options, name) != getattr(PatchOptions, name):
                raise UnfitOption(f"--{name} is for --patch auto")
        return [Source(Path(options.patch))]
    layer = _layer(options, run, to)
    identity = read_collected(run, layer).identity
    folder = layer_folder(run, layer) / _folder_of(run, to)
    command = _class_command(run, to, layer)
    table = read_table(folder, SUSPECTS, _COLUMNS, run_hash=identity, command=command)
    if not len(table):
        raise UnfitOption(
            f"{str(folder / SUSPECTS)!r} names no suspect: every cell of the class speaks for it "
            "most",
            hint="--patch FILE tests a patch of your own",
        )
    if not are_patches(table, run.info.n_images):
        raise NoResults(f"{str(folder / SUSPECTS)!r} is damaged", command=command)
    return [
        Source(
            layer=layer,
            cell=int(cell["cell"]),
            row=int(cell["row"]),
            box=(cell["left"], cell["top"], cell["right"], cell["bottom"]),
        )
        for cell in table.head(options.suspects).to_dict("records")
    ]


def are_patches(suspects: pd.DataFrame, n_images: int) -> bool:
    """Tell whether each suspect is a box of some size in an image that there is."""
    left, top, right, bottom = (suspects[side] for side in ("left", "top", "right", "bottom"))
    return bool(
        suspects["row"].between(0, n_images - 1).all()
        and np.isfinite(suspects[["left", "top", "right", "bottom"]]).all(axis=None)
        and ((left < right) & (top < bottom)).all()
    )


def image_of(
    source: Source,
    images: Mapping[int, AskedImage],
    classifier: Classifier,
    *,
    max_mb: int,
) -> Image.Image:
    """Return the pixels of a suspect, RGBA.

    Args:
        source: Where it lies.
        images: The images of the run by their rows.
        classifier: Tells what is fed.
        max_mb: Megabytes of a file above which it is not read.

    Raises:
        UnfitOption: What is fed is not known, and so the box is not.
        NoImages: The image cannot be read.
    """
    if source.file is not None:
        return read_patch(source.file, max_mb=max_mb)
    used = classifier.preparation
    if not isinstance(used, Preprocessing):
        raise UnfitOption(
            "--patch auto: what a transform of your own feeds is not known, and so no patch can be "
            "cut out of it",
            hint="--patch FILE is pasted into the photos before the transform",
        )
    assert source.row is not None and source.box is not None  # noqa: S101, PT018 - one or the other
    picture = picture_of(used, images[source.row], max_mb=max_mb)
    if isinstance(picture, Unread):
        raise NoImages(
            f"the photo of the suspect cannot be read: {str(images[source.row].path)!r}: "
            f"{picture.reason}",
            hint="--data-root DIR says where the images of a run lie now",
        )
    return cut(picture, source.box)


def _layer(options: PatchOptions, run: RunFolder, to: int) -> str:
    """Return the layer asked for, else the last that has suspects of the class."""
    if options.layer is not None:
        return options.layer
    layers = collected_layers(run)
    of_class = [
        layer
        for layer in layers
        if (layer_folder(run, layer) / _folder_of(run, to) / SUSPECTS).is_file()
    ]
    if not of_class:
        name = run.info.classes[to]
        where = run.results_folder(KIND)
        raise NoResults(
            f"{str(where)!r} has no suspects of {name}",
            command=_class_command(run, to, layers[-1] if layers else None),
        )
    return of_class[-1]


def _folder_of(run: RunFolder, to: int) -> str:
    return f"class-{class_file(run.info.classes.names, to)}"


def _class_command(run: RunFolder, to: int, layer: str | None) -> str:
    words: Sequence[Any] = ["errlens", "atlas", "class", run.path, run.info.classes[to]]
    return shell_line([*words, *(["--layer", layer] if layer else [])])
