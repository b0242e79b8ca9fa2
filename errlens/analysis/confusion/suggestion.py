"""Other names for the outputs of a model, and which of them the predictions make sure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from errlens.analysis.confusion.label_space import LEAST_PER_CLASS, Cycle
from errlens.analysis.statistics.significance import sign_test
from errlens.classes.files import OPEN_MARK
from errlens.classes.names import ClassNames

ALPHA: Final = 0.05


class Suggestion(NamedTuple):
    """A name for each output, whether it is sure, and whether a person must decide it.

    Open are names that are not sure, but for those given that nothing speaks against.
    """

    names: tuple[str, ...]
    is_sure: NDArray[np.bool_]
    is_open: NDArray[np.bool_]

    @property
    def lines(self) -> list[str]:
        """The names as a class file has them; `read_classes` refuses those that are open."""
        return [
            OPEN_MARK + name if is_open else name
            for name, is_open in zip(self.names, self.is_open.tolist(), strict=True)
        ]


def suggest_names(
    label: NDArray[np.integer],
    pred: NDArray[np.integer],
    names: ClassNames,
    cycles: Sequence[Cycle],
) -> Suggestion:
    """Give the outputs of each cycle the names of the labels that are taken for them.

    Where more of the classes that have images change their name than keep it, none is taken on
    trust: then names given are open too unless they are sure.

    Args:
        label: Class index of each image, shape (n,).
        pred: Predicted output of each image, shape (n,).
        names: The names in use.
        cycles: What `exchanged_labels` finds.
    """
    label_of = np.arange(len(names))  # of each output
    for cycle in cycles:
        for given, output in cycle.pairs():
            label_of[output] = given
    is_sure = sure_names(label, pred, label_of)
    is_kept = label_of == np.arange(len(names))
    has_images = np.bincount(label, minlength=len(names)) >= LEAST_PER_CLASS
    trusted = is_kept & (np.sum(has_images & ~is_kept) <= np.sum(has_images & is_kept))
    return Suggestion(
        tuple(names[index] for index in label_of.tolist()), is_sure, ~is_sure & ~trusted
    )


def sure_names(
    label: NDArray[np.integer], pred: NDArray[np.integer], label_of: NDArray[np.integer]
) -> NDArray[np.bool_]:
    """Tell of which outputs the name is sure: no exchange with another explains the predictions.

    Of an output and any other, the images that agree with both names are held against those that
    would if the two were exchanged: a one-sided sign test with p < 0.05. A label of fewer than
    five images is never sure.

    Args:
        label: Class index of each image, shape (n,).
        pred: Predicted output of each image, shape (n,).
        label_of: The label that each output is called by, each once, shape (classes,).

    >>> label, pred = np.repeat([0, 1, 2], [9, 9, 2]), np.repeat([1, 0, 2], [9, 9, 2])
    >>> sure_names(label, pred, np.array([1, 0, 2]))
    array([ True,  True, False])
    """
    k = len(label_of)
    if k == 1:
        return np.bincount(label, minlength=1) >= LEAST_PER_CLASS
    output_of = np.argsort(label_of)
    cells = coo_array((np.ones(len(label), np.int64), (output_of[label], pred)), (k, k)).tocsr()
    agreeing = cells.diagonal()
    both_ways = (cells + cells.T).tocoo()  # what an exchange would explain
    row, column, exchanged = both_ways.row, both_ways.col, both_ways.data
    off = row != column
    row, column, exchanged = row[off], column[off], exchanged[off]
    p_value = sign_test(agreeing + _least_other(agreeing), np.zeros(k, np.int64))
    np.maximum.at(p_value, row, sign_test(agreeing[row] + agreeing[column], exchanged))
    images = np.bincount(label, minlength=k)[label_of]
    return np.asarray((p_value < ALPHA) & (images >= LEAST_PER_CLASS) & (agreeing > 0))


def _least_other(values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Return of each value the smallest of the others."""
    first, second = np.partition(values, 1)[:2]
    least = np.full(len(values), first)
    least[values.argmin()] = second
    return least
