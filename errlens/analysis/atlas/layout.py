"""Where points of an atlas lie on its map: near one another if their activations are.

As in the notebooks of S. Carter et al., "Activation Atlas", Distill (2019), but for t-SNE in the
place of UMAP: nearness is that of directions (cosine), what lies far outside is brought to the
edge, and the map has sides of length 1.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from errlens.analysis.atlas.streams import parts_of
from errlens.analysis.embedding.principal import principal_components
from errlens.analysis.embedding.tsne import EXTRA, LEAST_POINTS, is_installed, tsne
from errlens.choices import MapMethod
from errlens.errors import InputError, UnfitOption
from errlens.formats import count, counted

MOST_BY_TSNE: Final = 6_000  # points; of more, the others are put where the nearest of these are
_GUIDES: Final = 5  # of these, for each of the others
CLIPPED: Final = (1, 99)  # percentiles
MARGIN: Final = 0.1  # of what lies between them, to either side
_DIMENSIONS: Final = 50  # that t-SNE is given
_SAME: Final = 1e-6  # of a direction of length 1: those that differ by less are the same


class Layout(NamedTuple):
    """Where n points are: `places` of shape (n, 2), x to the right and y down, 0 to 1.

    `remarks` are sentences about what is otherwise than one would expect.
    """

    places: NDArray[np.float64]
    method: MapMethod
    remarks: tuple[str, ...] = ()


def laid_out(
    activations: NDArray[np.floating],
    *,
    method: MapMethod | None = None,
    advance: Callable[[int], None] = lambda _step: None,
) -> Layout:
    """Return where points lie on the map; always the same of the same points.

    Args:
        activations: Shape (n, channels); they may lie in a file, and a few are read at a time.
        method: t-SNE or principal components; without a choice t-SNE where it is installed and
            there are points enough for it.
        advance: Is told of each step of t-SNE, of `tsne.STEPS`.

    Raises:
        UnfitOption: t-SNE was asked for and cannot be had.
        InputError: All points are the same, or some are not finite.
    """
    n, width = activations.shape
    chosen, remarks = chosen_method(method, n)
    lengths = lengths_of(activations)
    most = min(_DIMENSIONS, n, width) if chosen == "tsne" else 2
    vectors = principal_components(activations, most=max(2, most), lengths=lengths).coordinates
    if n < 2 or float(np.abs(vectors).max(initial=0.0)) <= _SAME:
        alike = f"all {counted(n, 'point')} have the same activations" if n > 1 else "one point"
        raise InputError(
            f"{alike}: there is no map",
            hint="collect from more images, or from another layer",
        )
    places = vectors[:, :2]
    if chosen == "tsne":
        places = _by_tsne(vectors, advance)
        if not np.isfinite(places).all() or (np.ptp(places, axis=0) == 0).any():
            places, chosen = vectors[:, :2], "pca"
            remarks = (*remarks, "t-SNE found no map of these points: principal components drew it")
    if float(np.abs(places[:, 1]).max()) <= _SAME:
        remarks = (*remarks, "the activations differ in one direction alone: the map is one line")
    return Layout(to_unit_square(places), chosen, remarks)


def _by_tsne(vectors: NDArray[np.float64], advance: Callable[[int], None]) -> NDArray[np.float64]:
    """Return a map by t-SNE, of many points by those that are drawn first, evenly out of all.

    Each of the others is put in the middle, along each axis, of those of the first that it is
    nearest to: a map of all takes many times as long and shows no more.
    """
    n = len(vectors)
    if n <= MOST_BY_TSNE:
        return tsne(vectors, advance=advance)
    first = np.linspace(0, n - 1, MOST_BY_TSNE).astype(np.int64)
    others = np.setdiff1d(np.arange(n), first)
    places = np.empty((n, 2))
    places[first] = tsne(vectors[first], advance=advance)
    search = NearestNeighbors(n_neighbors=_GUIDES, algorithm="brute").fit(vectors[first])
    for part in parts_of(vectors, len(others)):
        guides = search.kneighbors(vectors[others[part]], return_distance=False)
        places[others[part]] = np.median(places[first][guides], axis=1)
    return places


def to_unit_square(places: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return places, shape (n, 2), within 0 to 1 along both axes.

    What lies beyond the 1st and 99th percentile by more than a tenth of what is between them is
    brought there. All that are the same along an axis are in its middle.

    >>> to_unit_square(np.array([[0.0, 5.0], [1.0, 5.0], [2.0, 5.0]])).tolist()
    [[0.0, 0.5], [0.5, 0.5], [1.0, 0.5]]
    """
    low, high = np.percentile(places, CLIPPED, axis=0)
    room = MARGIN * (high - low)
    # Where nearly all are the same, the percentiles leave nothing of the others.
    flat = high <= low
    low = np.where(flat, places.min(axis=0), low - room)
    high = np.where(flat, places.max(axis=0), high + room)
    clipped = np.clip(places.astype(np.float64), low, high)
    start, span = clipped.min(axis=0), np.ptp(clipped, axis=0)
    # Along a line rounding alone would spread what does not differ.
    known = span > _SAME * span.max(initial=0.0)
    return np.where(known, (clipped - start) / np.where(known, span, 1.0), 0.5)


def chosen_method(asked: MapMethod | None, n: int) -> tuple[MapMethod, tuple[str, ...]]:
    """Return how the map is drawn, and what there is to say about that."""
    why_not = None
    if not is_installed():
        why_not = f"t-SNE takes openTSNE, which is not installed ({EXTRA})"
    elif n < LEAST_POINTS:
        why_not = f"t-SNE takes {LEAST_POINTS} points or more, and there are {n}"
    if asked == "tsne" and why_not:
        raise UnfitOption(
            f"--layout tsne: {why_not}", hint="--layout pca takes principal components"
        )
    if asked is None and why_not:
        return "pca", (f"the map is of principal components: {why_not}",)
    return asked or "tsne", ()


def lengths_of(activations: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the length of each vector, 1 in place of 0.

    Raises:
        InputError: Some are not finite.
    """
    lengths = np.empty(len(activations))
    for part in parts_of(activations):
        rows = activations[part].astype(np.float64)
        lengths[part] = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    if n := int((~np.isfinite(lengths)).sum()):
        raise InputError(
            f"{counted(n, 'point')} of {count(len(lengths))} have activations that are not finite",
            hint="collect anew; where that does not help the network gives such numbers",
        )
    return np.where(lengths > 0, lengths, 1.0)
