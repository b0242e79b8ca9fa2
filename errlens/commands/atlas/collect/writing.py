"""Writes the points of a layer as they come."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from errlens.analysis.atlas.collected import (
    ACTIVATIONS,
    ATTRIBUTIONS,
    POINT_SCHEMA,
    POINTS,
)
from errlens.atlas.points.collecting import PointsOfLayer
from errlens.classes.names import NO_CLASS
from errlens.commands.network.run_images import Facts
from errlens.run.arrays import GrowingArray, growing_array
from errlens.run.results import ResultsWriter

NOT_FINITE: Final = "values that are not finite"


class PointsWriter:
    """Appends points to the files of a layer, and holds no more of them than where they are."""

    def __init__(
        self, images: Sequence[Facts], activations: GrowingArray, attributions: GrowingArray
    ) -> None:
        self._images = images
        self._activations, self._attributions = activations, attributions
        self._at: list[NDArray[np.intp]] = []
        self._places: list[NDArray[np.int32]] = []
        self._top: list[NDArray[np.int32]] = []
        self._alive: NDArray[np.bool_] | None = None
        self.highest = 0.0  # of what any point adds to any class, or takes from it
        self.unread: dict[int, str] = {}

    def add(self, points: PointsOfLayer) -> None:
        """Append the points of a few images."""
        self.unread |= dict.fromkeys(points.not_finite, NOT_FINITE)
        if not len(points.at):
            return
        self._activations.append(points.activations)
        self._attributions.append(points.attributions)
        self._at.append(np.repeat(points.at, points.places.shape[1]))
        self._places.append(points.places.reshape(-1, 2))
        self._top.append(points.attributions.argmax(axis=1).astype(np.int32))
        alive = (points.activations != 0).any(axis=0)
        self._alive = alive if self._alive is None else self._alive | alive
        self.highest = max(self.highest, float(np.abs(points.attributions).max()))

    @property
    def n_images(self) -> int:
        """How many images have points."""
        return sum(len(np.unique(at)) for at in self._at)

    @property
    def n_points(self) -> int:
        """How many points there are."""
        return self._activations.n

    @property
    def dead(self) -> list[int]:
        """The channels that are zero in every point."""
        return [] if self._alive is None else np.flatnonzero(~self._alive).tolist()

    def table(self) -> pa.Table:
        """Return where the points are, and what is known of their images."""
        at = np.concatenate(self._at) if self._at else np.zeros(0, np.intp)
        places = np.concatenate(self._places) if self._places else np.zeros((0, 2), np.int32)
        top = np.concatenate(self._top) if self._top else np.zeros(0, np.int32)
        columns = {
            "point": np.arange(len(at)),
            "row": self._known("row", np.int64)[at],
            "sample_id": pa.array([facts["sample_id"] for facts in self._images]).take(at),
            "place_row": places[:, 0],
            "place_column": places[:, 1],
            "label": self._known("label", np.int32)[at],
            "pred": self._known("pred", np.int32)[at],
            "top_class": top,
        }
        return pa.table(columns).cast(POINT_SCHEMA)

    def _known(self, name: str, kind: type) -> NDArray[np.int64]:
        values = [NO_CLASS if facts[name] is None else facts[name] for facts in self._images]
        return np.array(values, kind)


@contextmanager
def written_points(
    results: ResultsWriter, images: Sequence[Facts], *, channels: int, classes: int
) -> Iterator[PointsWriter]:
    """Give what points are added to; their files are whole at the end of the block."""
    with (
        results.file(ACTIVATIONS) as activations_file,
        results.file(ATTRIBUTIONS) as attributions_file,
        growing_array(activations_file, channels) as activations,
        growing_array(attributions_file, classes) as attributions,
    ):
        writer = PointsWriter(images, activations, attributions)
        yield writer
    results.parquet(POINTS, writer.table())
