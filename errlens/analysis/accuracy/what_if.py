"""What the metrics of a run would be with other classes or other labels, without inference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.accuracy.metrics import Mean, Proportion, class_rates, macro_f1, proportion
from errlens.analysis.accuracy.regrouping import Regrouping
from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.matrix import CellSums, ConfusionMatrix
from errlens.analysis.confusion.pairs import by_status, pair_table
from errlens.classes.names import NO_CLASS
from errlens.predictions.table import LABEL_UNKNOWN, OK, Predictions

# All that is read of the predictions; the logits come beside it where they were kept.
COLUMNS: Final = ("row", "status", "label", "pred", "topk_index", "topk_prob", "logits_row")

_CELLS: Final = 4_000_000  # numbers held at a time
_STORED: Final = 20  # about as many classes as are stored of an image
_ROUNDING: Final = 1e-6  # of float32 probabilities


@dataclass(frozen=True)
class Recount:
    """The confusion matrix of a run, as it is or with other classes and labels.

    `left_out` counts the images of dropped classes, `undecided` those whose class was dropped and
    of which it is not known what they would be taken for: neither is in the matrix. `unsummed`
    counts the images whose probabilities are not known: of these, merged classes have none to add.
    `relabelled` counts the labels that changed.
    """

    matrix: ConfusionMatrix
    left_out: int = 0
    undecided: int = 0
    unsummed: int = 0
    relabelled: int = 0

    @property
    def hits(self) -> int:
        """How many images are predicted right."""
        return self.matrix.total - self.matrix.n_errors

    @property
    def top1(self) -> Proportion | None:
        """The share of the images that is right."""
        return proportion(self.hits, self.matrix.total)

    @property
    def macro_f1(self) -> Mean | None:
        """The mean F1 of the classes that are a label or a prediction."""
        matrix = self.matrix
        rates = class_rates(matrix.counts.diagonal(), matrix.n, matrix.n_predicted)
        return macro_f1(rates["f1"], matrix.total)

    @property
    def metrics(self) -> dict[str, Any]:
        """The metrics that a matrix gives, as metrics.json has them."""
        return {
            "n": self.matrix.total,
            "top1": self.top1 and self.top1._asdict(),
            "macro_f1": self.macro_f1 and self.macro_f1._asdict(),
        }

    @property
    def bounds(self) -> tuple[float, float]:
        """The accuracy if all undecided images were wrong, and if all were right."""
        n = max(self.matrix.total + self.undecided, 1)
        return self.hits / n, (self.hits + self.undecided) / n

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """The pairs that are mutually confused, or likely so, best evidence first."""
        return by_status(pair_table(self.matrix)).real.reset_index(drop=True)

    @property
    def n_mutual(self) -> int | None:
        """How many of them are mutual; None where there are too few classes to tell."""
        if len(self.matrix.classes) < LEAST_SET:
            return None
        return len(by_status(self.pairs).mutual)


class ScoredPart(NamedTuple):
    """A part of the predictions, and the logits of its predicted images where they were kept."""

    predictions: Predictions
    logits: NDArray[np.floating] | None = None


def what_if(
    parts: Iterable[ScoredPart], regrouping: Regrouping, *, labels: Mapping[int, int] | None = None
) -> Recount:
    """Count predictions among other classes, with some labels mended.

    The probability of a merged class is the sum of those of its classes, and the most probable of
    the classes left is predicted: by the logits, which give every probability, else by the stored
    most probable classes. These settle an image if no class can have more, whatever the
    probabilities that were not stored; else the class that the prediction became part of is kept.
    So it is where no probability is known; and if that class was dropped, the image is undecided.
    A tie goes to the class that the run ranks first.

    Args:
        parts: Parts of the predictions, with `COLUMNS`.
        regrouping: The classes.
        labels: The class, among those of the run, of each row whose label changes.

    >>> from errlens.analysis.accuracy.regrouping import regroup
    >>> from errlens.classes.names import ClassNames
    >>> matrix = what_if([], regroup(ClassNames(("cat", "dog")))).matrix
    >>> matrix.total
    0
    """
    k = len(regrouping.classes)
    sums, unscored = CellSums(k), np.zeros(k, np.int64)
    left_out = undecided = unsummed = relabelled = 0
    for part in parts:
        label, changed = _labels_of(part.predictions.table, labels or {})
        group = np.where(label == NO_CLASS, NO_CLASS, regrouping.of_class[label])
        scored = _scored(part.predictions.table)
        counted = np.flatnonzero(scored & (group != NO_CLASS))
        pred, is_summed = _decide(part, counted, regrouping)
        decided = pred != NO_CLASS
        sums.add(group[counted][decided], pred[decided])
        unscored += np.bincount(group[~scored & (group != NO_CLASS)], minlength=k)
        left_out += int(np.count_nonzero(scored & (label != NO_CLASS) & (group == NO_CLASS)))
        undecided += int(np.count_nonzero(~decided))
        unsummed += int(np.count_nonzero(decided & ~is_summed))
        relabelled += changed
    matrix = ConfusionMatrix(sums.total(), regrouping.classes, regrouping.superclasses, unscored)
    return Recount(matrix, left_out, undecided, unsummed, relabelled)


def _labels_of(table: pa.Table, mended: Mapping[int, int]) -> tuple[NDArray[np.int64], int]:
    """Return the labels of a part, and how many changed."""
    label = table["label"].fill_null(NO_CLASS).to_numpy().astype(np.int64)
    new = np.array([mended.get(row, NO_CLASS) for row in table["row"].to_pylist()], np.int64)
    new = np.where(new == NO_CLASS, label, new)
    return new, int(np.count_nonzero(new != label))


def _scored(table: pa.Table) -> NDArray[np.bool_]:
    """Tell which images were predicted, those whose label is none of the classes among them.

    A mended label may be one.
    """
    status = pc.is_in(table["status"].cast(pa.string()), pa.array([OK, LABEL_UNKNOWN]))
    scored: NDArray[np.bool_] = pc.and_(status, table["pred"].is_valid()).to_numpy()
    return scored


# Predictions


class _Ranked(NamedTuple):
    """The stored most probable classes of n images, end to end; `at` is the image of each."""

    n: int
    at: NDArray[np.int64]
    class_index: NDArray[np.int64]
    prob: NDArray[np.float64]


def _decide(
    part: ScoredPart, rows: NDArray[np.int64], regrouping: Regrouping
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the new class of some rows of a part, and whether it is certain."""
    of_class = regrouping.of_class
    pred = of_class[part.predictions.table["pred"].fill_null(0).to_numpy()[rows]]
    # What was the most probable class stays so where others go, and nothing is added up.
    certain = (pred != NO_CLASS) & (regrouping.sizes.max() == 1)
    step = max(1, _CELLS // (_STORED if part.logits is None else len(of_class)))
    for start in range(0, len(rows), step):
        here = np.arange(start, min(start + step, len(rows)))[~certain[start : start + step]]
        best = _most_probable(part, rows[here], regrouping)
        known = best != NO_CLASS
        pred[here[known]] = best[known]
        certain[here] = known
    return pred, certain


def _most_probable(
    part: ScoredPart, rows: NDArray[np.int64], regrouping: Regrouping
) -> NDArray[np.int64]:
    """Return the new class of some rows as far as probabilities tell, else `NO_CLASS`."""
    table = part.predictions.table
    ranked = _ranked(table.take(pa.array(rows)))
    if part.logits is None:
        return _best_for_certain(ranked, regrouping)
    at = np.arange(len(rows))
    of_image = table["logits_row"].fill_null(0).to_numpy()[rows]
    shares = _shares(np.asarray(part.logits[of_image], np.float64), regrouping.of_class)
    best = shares.argmax(axis=1)
    first = _first_left(ranked, regrouping.of_class)
    tied = (first != NO_CLASS) & (shares[at, first] == shares[at, best])
    return np.where(tied, first, best)


def _ranked(table: pa.Table) -> _Ranked:
    index, prob = (table[name].combine_chunks() for name in ("topk_index", "topk_prob"))
    both = pc.and_(index.is_valid(), prob.is_valid())
    length = pc.if_else(both, pc.list_value_length(index), 0).to_numpy(zero_copy_only=False)
    index, prob = index.filter(both).flatten(), prob.filter(both).flatten()
    at = np.repeat(np.arange(len(table)), length.astype(np.int64))
    return _Ranked(
        len(table), at, index.to_numpy().astype(np.int64), prob.to_numpy().astype(np.float64)
    )


def _first_left(ranked: _Ranked, of_class: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the new class of the first one of each image's ranking that was not dropped."""
    group = of_class[ranked.class_index]
    left = group != NO_CLASS
    images, places = np.unique(ranked.at[left], return_index=True)
    first = np.full(ranked.n, NO_CLASS, np.int64)
    first[images] = group[left][places]
    return first


def _shares(logits: NDArray[np.float64], of_class: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probabilities of the new classes, but for a factor an image; all are known."""
    order = np.argsort(of_class, kind="stable")
    order = order[of_class[order] != NO_CLASS]
    _, starts = np.unique(of_class[order], return_index=True)
    left = logits[:, order]
    # Less the largest of what is left, not of what was dropped: that could leave only zeros.
    left = np.exp(left - left.max(axis=1, keepdims=True, initial=-np.inf))
    shares: NDArray[np.float64] = np.add.reduceat(left, starts, axis=1)
    return shares


def _best_for_certain(ranked: _Ranked, regrouping: Regrouping) -> NDArray[np.int64]:
    """Return the new class of each image that no other can exceed, else `NO_CLASS`.

    A class that was not stored has no more than the last one that was, and all of these together
    no more than is missing to one. The work is that of what was stored, not of all classes.
    """
    k = len(regrouping.classes)
    of_stored = regrouping.of_class[ranked.class_index]
    left = of_stored != NO_CLASS
    # What is stored of each new class of each image, by image; their number is at most top-k.
    cells, cell = np.unique(ranked.at[left] * k + of_stored[left], return_inverse=True)
    low = np.bincount(cell, ranked.prob[left], minlength=len(cells))
    stored = np.bincount(cell, minlength=len(cells))
    at, group = np.divmod(cells, k)
    last = np.ones(ranked.n)
    np.minimum.at(last, ranked.at, ranked.prob)
    missing = 1 + _ROUNDING - np.bincount(ranked.at, ranked.prob, minlength=ranked.n)
    missing = missing.clip(0)
    high = low + np.minimum(missing[at], (regrouping.sizes[group] - stored) * last[at])

    # The most probable one that is stored; of equals the one that the run ranks first.
    first = _first_left(ranked, regrouping.of_class)
    order = np.lexsort((group, group != first[at], -low, at))
    images, start = np.unique(at[order], return_index=True)
    chosen = order[start]
    best, most = np.full(ranked.n, NO_CLASS), np.zeros(ranked.n)
    best[images], most[images] = group[chosen], low[chosen]

    # The most that any other may have: of those stored, and the largest of those that are not.
    high[chosen] = 0
    others = np.zeros(ranked.n)
    np.maximum.at(others, at, high)
    unseen = _largest_unseen(cells, ranked.n, regrouping.sizes)
    others = np.maximum(others, np.minimum(missing, unseen * last))
    return np.where((best != NO_CLASS) & (most >= others), best, NO_CLASS)


def _largest_unseen(
    cells: NDArray[np.int64], n: int, sizes: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the size of the largest new class of which nothing is stored, of each of n images.

    `cells` are sorted, an image times the number of classes plus a class for each that is stored.
    """
    k = len(sizes)
    stored = np.bincount(cells // k, minlength=n)
    # As many classes as are stored, and one: one of these is not.
    largest = np.argsort(-sizes, kind="stable")[: 1 + int(stored.max(initial=0))]
    keys = np.arange(n)[:, None] * k + largest
    is_stored = np.isin(keys, cells)
    place = is_stored.argmin(axis=1)  # the first that is not
    all_stored = is_stored[np.arange(n), place]
    return np.where(all_stored, 0, sizes[largest[place]])
