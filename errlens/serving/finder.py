"""Finds and sorts the images of a run by views; of a million in a few hundredths of a second."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.escapes import printable
from errlens.predictions.table import Predictions
from errlens.serving.views import SIDES, View

COLUMNS: Final = (
    "path", "label", "label_name", "pred", "correct", "confidence", "label_prob", "margin", "loss",
)  # fmt: skip
NUMBERS: Final = ("loss", "confidence", "margin", "label_prob")
_KEPT: Final = 12  # orders and views that are remembered: five megabytes each, of a million images

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]


class Verdicts(NamedTuple):
    """How rows are marked; the version is another one after each change."""

    version: int
    by_row: Mapping[int, str]


class Finder:
    """The images of a run, held in memory column by column.

    Args:
        images: With `COLUMNS`.
        measured: Further numbers to sort by: of each name the values of all rows, shape (n,).
        findings: The rows of each finding, by rank.
        verdicts: Says, when asked, which rows are marked how.
    """

    def __init__(
        self,
        images: Predictions,
        *,
        measured: Mapping[str, Callable[[], NDArray[np.float64]]],
        findings: Mapping[int, Sequence[int]],
        verdicts: Callable[[], "Verdicts"],
    ) -> None:
        table = images.table
        self.n = len(images)
        self._table = table
        self._label, self._pred = (
            table[name].fill_null(-1).to_numpy().astype(np.int32) for name in ("label", "pred")
        )
        self._correct = pc.fill_null(table["correct"].cast(pa.int8()), -1).to_numpy()
        self._confidence = table["confidence"].to_numpy()
        self._names = images.classes.names
        self._shown = [printable(name) for name in self._names]
        self._measured = measured
        self._findings = findings
        self._verdicts = verdicts
        self._orders = _Remembered()
        self._found = _Remembered()
        self._lock = Lock()

    @property
    def sorts(self) -> list[str]:
        """What there is to sort by, as far as it is known of any image."""
        known = [name for name in NUMBERS if self._table[name].null_count < self.n]
        return [*known, "path", *self._measured]

    def find(self, view: View) -> Rows:
        """Return the rows of a view in its order; what is not known of an image comes last.

        Raises:
            KeyError: There is no such property to sort by.
        """
        with self._lock:  # what two ask at the same time is worked out once
            marked = self._verdicts().version if view.marked else None
            return self._found.get((view, marked), lambda: self._find(view))

    def _find(self, view: View) -> Rows:
        order = self._orders.get((view.sort, view.down), lambda: self._order(view.sort, view.down))
        masks = list(self._masks(view))
        return order[np.logical_and.reduce(masks)[order]] if masks else order

    def _masks(self, view: View) -> Iterator[Mask]:
        """Yield which images each of the filters lets through."""
        if view.true:
            yield self._of_classes(view.true, self._label) | self._with_unknown_label(view.true)
        if view.pred:
            yield self._of_classes(view.pred, self._pred)
        if view.side:
            yield self._correct == SIDES[view.side]
        if (view.lowest, view.highest) != (None, None):
            yield self._in_range(view)
        if view.finding is not None:
            yield self._mask(self._findings.get(view.finding, ()))
        if view.marked:
            said = self._verdicts().by_row
            yield self._mask([row for row, verdict in said.items() if verdict == view.marked])
        if view.text:
            yield self._with_text(view.text.lower())

    def _in_range(self, view: View) -> Mask:
        """Tell which images have such a confidence; where it is not known, it is in no range."""
        low = -np.inf if view.lowest is None else view.lowest
        high = np.inf if view.highest is None else view.highest
        return np.asarray((self._confidence >= low) & (self._confidence <= high))

    def _mask(self, rows: Sequence[int]) -> Mask:
        mask = np.zeros(self.n, bool)
        mask[np.fromiter(rows, np.int64, len(rows))] = True
        return mask

    def _of_classes(self, wanted: Sequence[str], column: NDArray[np.int32]) -> Mask:
        """Tell which images have one of some classes, called as they are shown or as they are."""
        called = {*wanted}
        both = zip(self._names, self._shown, strict=True)
        chosen = [name in called or shown in called for name, shown in both]
        return np.asarray(np.array([*chosen, False])[column])  # -1, the last, is no class

    def _with_unknown_label(self, wanted: Sequence[str]) -> Mask:
        """Tell which images have one of some labels that the model lacks."""
        mask, (rows, names) = np.zeros(self.n, bool), self._unknown_labels
        mask[rows[np.isin(names, list(wanted))]] = True
        return mask

    @cached_property
    def _unknown_labels(self) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
        """The rows whose labels the model lacks, and these labels as they are shown."""
        table = self._table
        unknown = pc.and_(pc.is_null(table["label"]), pc.is_valid(table["label_name"]))
        rows = np.flatnonzero(unknown.to_numpy())
        names = table["label_name"].cast(pa.string()).take(rows).to_pylist()
        return rows, np.array([printable(name) for name in names], np.str_)

    def _with_text(self, text: str) -> Mask:
        """Tell which images have a text in their path, their label or what was predicted."""
        named = [shown for shown in self._shown if text in shown.lower()]
        mask = pc.match_substring(self._lower_paths, text).to_numpy()
        mask = mask | self._of_classes(named, self._label) | self._of_classes(named, self._pred)
        labels = [name for name in {*self._unknown_labels[1].tolist()} if text in name.lower()]
        return np.asarray(mask | self._with_unknown_label(labels))

    @cached_property
    def _lower_paths(self) -> pa.ChunkedArray:
        return pc.utf8_lower(self._table["path"])

    def _order(self, sort: str | None, down: bool) -> Rows:  # noqa: FBT001
        """Return all rows in an order; ties, and what is not known, in the order of the rows."""
        if sort is None:
            return np.arange(self.n, dtype=np.int32)
        if sort == "path":
            direction = "descending" if down else "ascending"
            order = pc.sort_indices(self._table.select(["path"]), sort_keys=[("path", direction)])
            return np.asarray(order.to_numpy().astype(np.int32))
        values = self._values(sort)
        return np.argsort(-values if down else values, kind="stable").astype(np.int32)

    def _values(self, sort: str) -> NDArray[np.float64]:
        """Return the numbers to sort by, nan where one is not known."""
        if sort in self._measured:
            return self._measured[sort]()
        if sort not in NUMBERS:
            raise KeyError(sort)
        return np.asarray(self._table[sort].to_numpy(), np.float64)


class _Remembered:
    """The last few results of something that takes a while."""

    def __init__(self, most: int = _KEPT) -> None:
        self._most = most
        self._kept: OrderedDict[object, Rows] = OrderedDict()

    def get(self, key: object, make: Callable[[], Rows]) -> Rows:
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return self._kept[key]
