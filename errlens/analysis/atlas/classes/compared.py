"""Two classes side by side: which points speak for the one, which for the other, which for both.

As the comparison of classes in S. Carter et al., "Activation Atlas", Distill (2019): across, what a
point adds to the one more than to the other; down, what it shows besides.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.atlas.layout import Layout, chosen_method, lengths_of, to_unit_square
from errlens.analysis.embedding.principal import principal_components
from errlens.analysis.embedding.tsne import tsne
from errlens.choices import MapMethod

PERPLEXITY: Final = 50.0
_DIMENSIONS: Final = 50  # that t-SNE is given
_SAME: Final = 1e-6  # of a direction of length 1
_LIMIT: Final = 99  # percentile of the difference that lies at the edge


class PairCells(NamedTuple):
    """What the cells of a map of two classes A and B come to, one value a cell.

    Attributes:
        difference: What a point adds to A more than to B, in the mean.
        adds_a, adds_b: What a point adds to either.
        n_errors: Images with a point in the cell that are of the one class and taken for the other.
    """

    difference: NDArray[np.float64]
    adds_a: NDArray[np.float64]
    adds_b: NDArray[np.float64]
    n_errors: NDArray[np.int64]


def scaled_difference(
    attributions: NDArray[np.floating], pair: tuple[int, int]
) -> NDArray[np.float64]:
    """Return what points add to A more than to B, from -1 to 1.

    It is told by its 99th percentile, and what lies beyond that is 1, or -1.

    >>> scaled_difference(np.array([[0.3, 0.1], [0.0, 0.1]]), (0, 1)).round(2).tolist()
    [1.0, -0.5]
    """
    a, b = (attributions[:, of_class].astype(np.float64) for of_class in pair)
    difference = a - b
    limit = float(np.percentile(np.abs(difference), _LIMIT))
    scaled: NDArray[np.float64] = np.clip(difference / (limit or 1.0), -1, 1)
    return scaled


def shared_part(
    activations: NDArray[np.floating], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return directions of activations without what goes with the difference, shape (n, channels).

    It is the same if the sign of the difference changes.
    """
    unit = activations / lengths_of(activations)[:, None]
    unit = unit - unit.mean(axis=0)
    apart = across - across.mean()
    total = float(apart @ apart)
    shared: NDArray[np.float64] = unit - np.outer(apart, apart @ unit) / (total or 1.0)
    return shared


def pair_layout(
    activations: NDArray[np.floating],
    attributions: NDArray[np.floating],
    pair: tuple[int, int],
    *,
    method: MapMethod | None = None,
    advance: Callable[[int], None] = lambda _step: None,
) -> Layout:
    """Return where points lie: A to the right, B to the left, and those that are alike level.

    Args:
        activations: Shape (n, channels).
        attributions: Shape (n, classes).
        pair: A and B.
        method: t-SNE or principal components, as of `laid_out`.
        advance: Is told of each step of t-SNE.

    Raises:
        UnfitOption: t-SNE was asked for and cannot be had.
        InputError: Activations are not finite.
    """
    chosen, remarks = chosen_method(method, len(activations))
    across = scaled_difference(attributions, pair)
    shared = shared_part(activations, across)
    spread = principal_components(shared, most=min(_DIMENSIONS, *shared.shape)).coordinates
    down = spread[:, 0]
    if float(np.abs(down).max(initial=0.0)) <= _SAME:
        down = np.zeros(len(shared))
        remarks = (*remarks, "beside the difference the points are all alike: the map is one line")
    elif chosen == "tsne":
        down = tsne(spread, dimensions=1, perplexity=PERPLEXITY, advance=advance)[:, 0]
    places = to_unit_square(np.stack([across, down], axis=1))
    places[:, 0] = (1 + across) / 2  # the middle speaks for both alike
    return Layout(places, chosen, remarks)


def pair_cells(
    means: NDArray[np.floating],
    pair: tuple[int, int],
    cell: NDArray[np.integer],
    points: pd.DataFrame,
) -> PairCells:
    """Return what cells come to.

    Args:
        means: Mean attributions, shape (cells, classes).
        pair: A and B.
        cell: Of each point, -1 where it is in none.
        points: `row`, `label` and `pred` of each point.
    """
    adds_a, adds_b = (means[:, of_class].astype(np.float64) for of_class in pair)
    wrong = points["label"].isin(pair) & points["pred"].isin(pair)
    wrong &= points["label"] != points["pred"]
    of_errors = points.assign(cell=cell)[wrong & (cell >= 0)].drop_duplicates(["cell", "row"])
    n_errors = np.bincount(of_errors["cell"], minlength=len(means)).astype(np.int64)
    return PairCells(adds_a - adds_b, adds_a, adds_b, n_errors)


def strongest_cells(cells: PairCells, *, most: int = 3) -> dict[str, Sequence[int]]:
    """Return the cells that speak the most for A, for B and for both; ties by cell.

    A cell speaks for both by what it adds to that of the two to which it adds less.

    >>> adds = [np.array([0.5, 0.0, 0.4]), np.array([0.0, 0.5, 0.4])]
    >>> strongest_cells(PairCells(adds[0] - adds[1], *adds, np.zeros(3, np.int64)), most=1)
    {'a': [0], 'b': [1], 'both': [2]}
    """
    kinds = {
        "a": cells.difference,
        "b": -cells.difference,
        "both": np.minimum(cells.adds_a, cells.adds_b),
    }
    return {
        kind: [at for at in np.argsort(-values, kind="stable")[:most].tolist() if values[at] > 0]
        for kind, values in kinds.items()
    }
