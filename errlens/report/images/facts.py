"""All that a page says of single images."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from errlens import formats
from errlens.analysis.selection.picking import Selectable
from errlens.data.photos.images import ImageFile, Unread, begin_image
from errlens.data.photos.oddities import Oddities
from errlens.data.photos.preprocess import Preprocessing
from errlens.escapes import cell, printable
from errlens.predictions.table import Predictions
from errlens.report.images.heatmaps import HeatMap
from errlens.report.images.near import Nearest
from errlens.report.images.properties import (
    ImageProperty,
    cut_off,
    image_properties,
    written,
)
from errlens.run.folder import RunFolder

TOP: Final = 5
_COLUMNS: Final = (
    "path", "status", "label_name", "pred_name", "confidence", "label_prob", "correct", "loss",
    "margin", "width", "height",
)  # fmt: skip
_WHOLE: Final = (0.0, 0.0, 1.0, 1.0)
_HAIR: Final = 5e-5  # of a side of a photo: less than is seen


class ImageFacts:
    """What there is to say of the images of a run, for as many rows at a time as are asked for.

    `images` has the columns of `analysis.mistakes.ranking`, `status` and `content_hash`; `heatmaps`
    are those of each row.
    """

    def __init__(
        self,
        run: RunFolder,
        images: Predictions,
        among: Selectable,
        root: Path,
        heatmaps: Mapping[int, Sequence[HeatMap]],
    ) -> None:
        self._run = run
        self._images = images
        self._root = root
        self._heatmaps = heatmaps
        self.nearest = Nearest(run, among)

    def of(self, rows: Iterable[int], *, brief: bool = False) -> dict[str, dict[str, Any]]:
        """Return what the page says of rows, as plain values, by row.

        What takes longest is left out where that is `brief`: top, near and fed.

        path, status, label_name, pred_name, confidence, label_prob, loss, margin: as they are
        written, None where not known. correct: true, false or None. top: [class, probability as it
        is written, probability] of the likeliest classes. measured: [title, value as it is
        written]. near: rows of right images that look like it; near_all: whether these are all
        right ones of its classes. heatmaps: {picture, caption}.
        fed: left, top, right and bottom of the part of the photo that the network was fed, as
        shares of its sides; None where that is all of it, or not known. file: where the photo lies.
        """
        wanted = [*dict.fromkeys(int(row) for row in rows)]
        table = self._images.table.select(_COLUMNS).take(np.array(wanted, np.int64)).to_pylist()
        near = {} if brief else self.nearest.of(wanted)
        top = {} if brief else self._top(wanted)
        return {
            str(row): {
                **_written(known),
                "top": top.get(row) or _only(known),
                "measured": written(self.properties, row),
                "near": near.get(row, []),
                "near_all": row in near and self.nearest.are_all(row),
                "heatmaps": [
                    {"picture": shown.file, "caption": printable(shown.caption)}
                    for shown in self._heatmaps.get(row, ())
                ],
                "fed": None if brief else self._fed(row, known),
                "file": cell(str(self._root / known["path"])),
            }
            for row, known in zip(wanted, table, strict=True)
        }

    def file(self, row: int) -> ImageFile:
        """Return the photo of a row."""
        path, content_hash = (
            self._images.table[name][row].as_py() for name in ("path", "content_hash")
        )
        return ImageFile(self._root / path, content_hash, self._run.info.max_file_mb)

    @cached_property
    def properties(self) -> Sequence[ImageProperty]:
        """What is known of the images besides their predictions."""
        used = self._preprocessing
        # Whether a photo lay on its side is not known without a look at it, and makes no difference
        # to how much a square leaves of it.
        if used and not (self.turns or not self._any_turned or len({*used.img_size}) == 1):
            used = None
        return [*image_properties(self._run, self._images), *cut_off(self._images, used)]

    @cached_property
    def turns(self) -> bool:
        """Whether the network was fed photos upright, as their EXIF says.

        Those of whom nobody knows how they were fed are shown upright, as a person sees them.
        """
        return bool(self._run.info.settings.preprocessing.get("exif", True))

    def _top(self, rows: Sequence[int]) -> dict[int, list[tuple[str, str, float]]]:
        """Return the likeliest classes of each row, as far as the run knows them."""
        columns = ("topk_index", "topk_prob")
        found = {}
        for row, known in zip(rows, self._run.read_rows(rows, columns), strict=True):
            both = zip(known["topk_index"] or (), known["topk_prob"] or (), strict=True)
            found[row] = [_likely(self._images.classes[index], prob) for index, prob in both][:TOP]
        return found

    def _fed(self, row: int, known: Mapping[str, Any]) -> list[float] | None:
        """Return which part of the photo was fed."""
        size = self._size_as_fed(row, known)
        if self._preprocessing is None or size is None:
            return None
        width, height = size
        try:
            box = self._preprocessing.source_box(width, height)
        except ValueError:  # so thin that it was not fed at all
            return None
        shares = [
            min(1.0, max(0.0, edge / side))
            for edge, side in zip(box, (width, height, width, height), strict=True)
        ]
        is_all = all(abs(own - end) < _HAIR for own, end in zip(shares, _WHOLE, strict=True))
        return None if is_all else [round(share, 4) for share in shares]

    def _size_as_fed(self, row: int, known: Mapping[str, Any]) -> tuple[int, int] | None:
        """Return width and height of the pixels that were fed, None where they are not known.

        The run knows those after EXIF orientation; a network that was fed a photo lying on its side
        saw it as the file has it.
        """
        if known["width"] is None:
            return None
        if self.turns or not self._any_turned:
            return known["width"], known["height"]
        encoded = self.file(row).read()
        image = encoded if isinstance(encoded, Unread) else begin_image(encoded)
        return None if isinstance(image, Unread) else image.size

    @cached_property
    def _preprocessing(self) -> Preprocessing | None:
        """How the images were fed; None where that is not known, or was the user's own code."""
        settings = self._run.info.settings.preprocessing
        if self._run.info.imported or "transform" in settings or not settings:
            return None
        return Preprocessing.from_dict(settings)

    @cached_property
    def _any_turned(self) -> bool:
        return Oddities.from_dict(self._run.info.photos).turned.n > 0


def size_on_page(facts: Mapping[str, Any]) -> int:
    """Return about how many bytes of a page the facts of an image take, rather more than less."""
    text = json.dumps(facts)
    return len(text) + sum(5 * text.count(letter) for letter in "<>&'") + 12


def _written(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the predictions as the page writes them."""
    names = {name: known[name] for name in ("path", "status", "label_name", "pred_name")}
    return {
        **{name: value and printable(value) for name, value in names.items()},
        **{name: _if_known(formats.probability, known[name]) for name in _PROBABILITIES},
        "correct": known["correct"],
        "loss": _if_known(formats.number, known["loss"]),
        "margin": _if_known(formats.signed, known["margin"]),
    }


_PROBABILITIES: Final = ("confidence", "label_prob")


def _if_known(write: Any, value: float | None) -> str | None:
    return None if value is None else str(write(value))


def _only(known: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """Return the one class that is known to be likely, of predictions made elsewhere."""
    if known["pred_name"] is None or known["confidence"] is None:
        return []
    return [_likely(known["pred_name"], known["confidence"])]


def _likely(name: str, probability: float) -> tuple[str, str, float]:
    return printable(name), formats.probability(probability), float(f"{probability:.6g}")
