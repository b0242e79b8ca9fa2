"""What goes on the tiles of a gallery: which files, and what is written below them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np

from errlens.analysis.mistakes.image_page import Likeness
from errlens.analysis.selection.notes import Note
from errlens.analysis.selection.parsing import Term
from errlens.classes.names import ClassNames
from errlens.data.photos.images import ImageFile
from errlens.data.training import training_samples
from errlens.figures.gallery import Correctness, Line, Tile
from errlens.formats import number, probability
from errlens.galleries.choice import Gallery, Section
from errlens.predictions.table import Predictions
from errlens.run.places import MAX_FILE_MB

TRAINING_SHOWN: Final = 4  # images of a class

_CORRECTNESS: Final[dict[bool | None, Correctness]] = {True: "right", False: "wrong", None: "other"}


class Shot(NamedTuple):
    """A tile before its files are read; `beside` are training images to be shown next to it."""

    file: ImageFile
    tile: Tile
    beside: tuple[ImageFile | None, ...] = ()


@dataclass(frozen=True)
class TileMaker:
    """Makes the tiles of one run's galleries.

    `images` has the columns row, path, status, content_hash, label, pred and what is written on a
    tile. `training` holds images of each class that has any.
    """

    images: Predictions
    root: Path
    training: Mapping[int, Sequence[ImageFile]] = field(default_factory=dict)
    notes: Sequence[Note] = ()
    max_mb: int = MAX_FILE_MB

    def section(self, section: Section) -> list[Shot]:
        """Return the images of a section, then training images of its class."""
        return [*map(self._shot, self._read(section.rows)), *self._training(section.trained)]

    def sequence(self, gallery: Gallery, alike: Sequence[Likeness] = ()) -> list[Shot]:
        """Return images in their order, then those alike.

        Beside each of the former stands a training image of its true and, if that is another one,
        of its predicted class.
        """
        rows = gallery.sections[0].rows
        shots = [self._with_training(image) for image in self._read(rows)]
        near = self._read([likeness.row for likeness in alike])
        for image, likeness in zip(near, alike, strict=True):
            shot, similarity = self._shot(image), f"similarity {number(likeness.similarity)}"
            lines = (*shot.tile.lines, Line("", similarity, dim=True))
            shots.append(shot._replace(tile=shot.tile._replace(lines=lines)))
        return shots

    def remarks(self, gallery: Gallery) -> list[str]:
        """Return a person's remarks on a pair or a group; those on a row stand on its tile."""
        if gallery.about is None or gallery.about.kind == "row":
            return []
        return self._remarks(gallery.about)

    def _remarks(self, about: Term) -> list[str]:
        return [line for note in self.notes if note.is_about(about) for line in note.lines]

    def _read(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        table = self.images.table.take(np.asarray(rows, np.int64))
        return cast(list[dict[str, Any]], table.to_pylist())

    def _shot(self, image: Mapping[str, Any]) -> Shot:
        file = ImageFile(self.root / image["path"], image["content_hash"], self.max_mb)
        remarks = self._remarks(Term("row", number=image["row"]))
        return Shot(file, _described(image, remark="\n".join(remarks)))

    def _with_training(self, image: Mapping[str, Any]) -> Shot:
        shot = self._shot(image)
        if not self.training:
            return shot
        ends = dict.fromkeys((image["label"], image["pred"]))  # one class where it is right
        known = (self.training.get(index) for index in ends)
        return shot._replace(beside=tuple(files[0] if files else None for files in known))

    def _training(self, class_index: int | None) -> list[Shot]:
        if class_index is None:
            return []
        lines = (Line(self.images.classes[class_index]), Line("", "training", dim=True))
        return [
            Shot(file, Tile((), (*lines, Line(file.path.name, dim=True))))
            for file in self.training.get(class_index, ())
        ]


def training_images(data: Path, classes: ClassNames) -> dict[int, list[ImageFile]]:
    """Return a few training images of each class, spread over its files in order.

    Args:
        data: Class folders or a manifest.
        classes: Labels that are none of these are left out.

    Raises:
        MissingInput: There is no such folder or file.
        UnfitOption: It has no image of any class.
    """
    training = training_samples(data, classes)
    by_class: dict[int, list[ImageFile]] = defaultdict(list)
    for path, index in zip(training.frame["path"], training.frame["class_index"], strict=True):
        by_class[int(index)].append(ImageFile(training.root / path))
    return {index: _spread(files) for index, files in by_class.items()}


def _spread(files: list[ImageFile]) -> list[ImageFile]:
    places = np.linspace(0, len(files) - 1, min(len(files), TRAINING_SHOWN)).round().astype(int)
    return [files[place] for place in places]


def _described(image: Mapping[str, Any], *, remark: str) -> Tile:
    """Return the tile of a row: its true name, what it was taken for, and the row."""
    row = f"row {image['row']}"
    confidence, true = after_name(image["confidence"]), after_name(image["label_prob"])
    if image["pred_name"] is None:
        outcome = Line("", image["status"])
    elif image["correct"]:
        outcome = Line("", f"✓ right{confidence}")
    else:
        outcome = Line(f"→ {image['pred_name']}", confidence)
        row += f" · p(true){true}" * bool(true)
    lines = (Line(image["label_name"] or "no label"), outcome, Line("", row, dim=True))
    return Tile((), lines, _CORRECTNESS[image["correct"]], remark)


def after_name(value: float | None) -> str:
    """Write a probability as it follows a name; nothing where it is not known.

    >>> after_name(0.93), after_name(None)
    (' 0.930', '')
    """
    return "" if value is None or np.isnan(value) else f" {probability(value)}"
