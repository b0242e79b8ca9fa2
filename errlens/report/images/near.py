"""The right images that look most like an image: of the class it was taken for, and of its own."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.mistakes.neighbours import Features, nearest_of_each
from errlens.analysis.selection.picking import Selectable
from errlens.run.folder import RunFolder

OF_A_CLASS: Final = 3  # nearest images
_CANDIDATES: Final = 5_000  # of a class, its surest right ones; bounds the time


class Nearest:
    """Finds right images by their features, or the surest ones where the run kept none.

    What was found stays known.
    """

    def __init__(self, run: RunFolder, among: Selectable) -> None:
        self._run = run
        self._among = among
        self._known: dict[int, list[int]] = {}
        self._surest: dict[int, NDArray[np.int64]] = {}

    def of(self, rows: Iterable[int]) -> dict[int, list[int]]:
        """Return the rows nearest to each row: those of the predicted class, then of the true one.

        They are three of each; none of a class without right images but the row itself.
        """
        wanted = [int(row) for row in rows]
        new = np.array([row for row in wanted if row not in self._known], np.int64)
        found: dict[int, list[int]] = defaultdict(list)
        for ends in self._ends:
            for class_index in np.unique(ends[new]).tolist():
                if class_index >= 0:
                    queries = new[ends[new] == class_index]
                    for row, near in zip(queries, self._nearest(queries, class_index), strict=True):
                        found[int(row)] += near
        self._known |= {row: [*dict.fromkeys(found[row])] for row in new.tolist()}
        return {row: self._known[row] for row in wanted}

    def are_all(self, row: int) -> bool:
        """Whether what is near to a row is all there is: each right image of its two classes."""
        ends = {int(column[row]) for column in self._ends} - {-1}
        n_right = sum(len(self._among.surest_right(end)) for end in ends)
        is_right = self._ends[0][row] == self._ends[1][row] != -1
        return len(self._known[row]) == n_right - int(is_right)

    @property
    def by_features(self) -> bool:
        """Whether nearness is that of features; else the surest images are taken."""
        return "features" in self._run.info.keep

    @cached_property
    def _ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self._among.column("pred"), self._among.column("label")

    def _nearest(self, queries: NDArray[np.int64], class_index: int) -> Iterable[list[int]]:
        """Yield the right images of a class nearest to each query, itself left out."""
        candidates = self._right_ones(class_index)
        if not self.by_features:
            first = candidates[: OF_A_CLASS + 1].tolist()
            found: Sequence[list[int]] = [first] * len(queries)
        else:
            known = candidates[self._places[candidates] >= 0]
            asked = np.flatnonzero(self._places[queries] >= 0)
            near = nearest_of_each(
                self._features(queries[asked]),
                Features(known, self._features(known)),
                most=OF_A_CLASS + 1,
            )
            by_place = dict(zip(asked.tolist(), near, strict=True))
            found = [
                [neighbour.row for neighbour in by_place.get(place, ())]
                for place in range(len(queries))
            ]
        for row, near_row in zip(queries.tolist(), found, strict=True):
            yield [other for other in near_row if other != row][:OF_A_CLASS]

    def _right_ones(self, class_index: int) -> NDArray[np.int64]:
        """Return the surest right images of a class."""
        if class_index not in self._surest:
            self._surest[class_index] = self._among.surest_right(class_index)[:_CANDIDATES]
        return self._surest[class_index]

    @cached_property
    def _parts(self) -> list[NDArray[np.float16]]:
        return list(self._run.read_sidecars("features"))

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        """Where among the features of all parts each row has its own; -1 where it has none."""
        places, start = [], 0
        parts = self._run.read_parts(("row", "logits_row"))
        for part, features in zip(parts, self._parts, strict=True):
            own = part.table["logits_row"].fill_null(-1).to_numpy()
            places.append(np.where(own >= 0, own + start, -1))
            start += len(features)
        return np.concatenate(places).astype(np.int64)

    def _features(self, rows: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the features of rows that have some, shape (rows, d)."""
        starts = np.cumsum([0, *map(len, self._parts)])
        places = self._places[rows]
        of_part = np.searchsorted(starts, places, "right") - 1
        values = np.empty((len(rows), self._parts[0].shape[1]), np.float16)
        for part in np.unique(of_part).tolist():
            here = of_part == part
            values[here] = self._parts[part][places[here] - starts[part]]
        return values
