"""How many errors chance puts into a cell of the matrix, by the errors of comparable classes."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.statistics.significance import benjamini_hochberg, beta_binomial_tail
from errlens.classes.names import NO_CLASS

LEAST_SET: Final = 3  # classes that can be compared with one another


class Chance(NamedTuple):
    """What is expected of cells: `errors` of the row fall on it as BetaBin(errors, alpha, beta)."""

    errors: NDArray[np.float64]
    alpha: NDArray[np.float64]
    beta: NDArray[np.float64]

    def tail(self, least: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the probability of at least so many errors in the cell."""
        return beta_binomial_tail(least, self.errors, self.alpha, self.beta)

    def lift(self, count: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how many times as many errors there are as expected."""
        return count * (self.alpha + self.beta) / (self.errors * self.alpha)


class ComparisonSet:
    """The comparison sets of a matrix, and what chance says of a cell within its set.

    A superclass is a set if it has at least three classes; all classes together are the set of the
    pairs that do not share such a superclass.
    """

    def __init__(self, matrix: ConfusionMatrix) -> None:
        k = len(matrix.classes)
        parents = matrix.parents
        sizes = np.bincount(parents[parents != NO_CLASS], minlength=1)
        large = (parents != NO_CLASS) & (sizes[parents] >= LEAST_SET)
        self._set_of_class = np.where(large, parents, NO_CLASS)
        self._errors = matrix.errors
        cells = matrix.errors.tocoo()
        inside = self.set_of(cells.row, cells.col) != NO_CLASS
        within = csr_array(
            (cells.data[inside], (cells.row[inside], cells.col[inside])), shape=cells.shape
        )
        self._all = _Sums(matrix.errors, np.zeros(k, np.int64))
        self._kin = _Sums(within, self._set_of_class + 1)
        members = np.bincount(self._set_of_class[large]) if large.any() else np.zeros(0, int)
        self._tests_within = int((members * (members - 1) // 2).sum())
        self._tests_across = k * (k - 1) // 2 - self._tests_within

    def set_of(self, a: NDArray[np.integer], b: NDArray[np.integer]) -> NDArray[np.int64]:
        """Return the superclass that is each pair's set, `NO_CLASS` where all classes are."""
        mine = self._set_of_class[a]
        return np.where(mine == self._set_of_class[b], mine, NO_CLASS)

    def chance(
        self, row: NDArray[np.integer], column: NDArray[np.integer], count: NDArray[np.int64]
    ) -> Chance:
        """Return what errors of other rows say of cells that hold `count` errors."""
        alone = self.set_of(row, column) == NO_CLASS
        return Chance(
            *(
                np.where(alone, everywhere, within)
                for everywhere, within in zip(
                    self._all.chance(row, column, count),
                    self._kin.chance(row, column, count),
                    strict=True,
                )
            )
        )

    def q_values(
        self, p_value: NDArray[np.float64], a: NDArray[np.integer], b: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Return the false discovery rate of each pair: within superclasses, and of the others.

        Not superclass by superclass: of twenty, one would report something by chance.
        """
        q_value = np.ones(len(p_value))
        within = self.set_of(a, b) != NO_CLASS
        for chosen, tests in ((within, self._tests_within), (~within, self._tests_across)):
            q_value[chosen] = benjamini_hochberg(p_value[chosen], tests=tests)
        return q_value


class _Sums:
    """Sums of errors over rows, columns and sets of classes; `set_of_class` has shape (k,)."""

    def __init__(self, errors: csr_array, set_of_class: NDArray[np.int64]) -> None:
        self._row = np.asarray(errors.sum(axis=1), np.int64).ravel()
        self._column = np.asarray(errors.sum(axis=0), np.int64).ravel()
        self._total = np.bincount(set_of_class, weights=self._row)[set_of_class]
        self._size = np.bincount(set_of_class)[set_of_class]

    def chance(
        self, i: NDArray[np.integer], j: NDArray[np.integer], count: NDArray[np.int64]
    ) -> Chance:
        """Return the null of the cells (i, j): the column sums without row i, each plus one."""
        alpha = self._column[j] - count + 1
        elsewhere = self._total[i] - self._column[i] - self._column[j]
        beta = elsewhere - (self._row[i] - count) + self._size[i] - 2
        return Chance(self._row[i].astype(float), alpha.astype(float), beta.astype(float))
