"""t-SNE: a map on which points lie near one another that are near in truth.

L. van der Maaten, G. Hinton, "Visualizing Data using t-SNE", JMLR 9 (2008), by openTSNE, with the
start from principal components and the learning rate of D. Kobak, P. Berens, "The art of using
t-SNE for single-cell transcriptomics", Nature Communications 10 (2019).
"""

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.embedding.distances import nearest_points
from errlens.analysis.embedding.principal import principal_components

EXTRA: Final = "pip install 'errlens[map]'"
LEAST_POINTS: Final = 10
PERPLEXITY: Final = 30.0  # about how many neighbours a point has
STEPS: Final = 750  # 250 of them exaggerated
_DIMENSIONS: Final = 50  # that neighbours are sought in
_TOLD: Final = 50  # steps between two reports of progress
_START: Final = 1e-4  # standard deviation of the first coordinate
_MANY: Final = 1000  # points, from which on forces are interpolated on a grid
# Width of the grid's intervals. At 1, as openTSNE has it, most of the time goes into the grid of a
# map that has grown; at 2 the figures of `trust` are the same.
_INTERVAL: Final = 2


def is_installed() -> bool:
    """Tell whether openTSNE is there; it is an extra."""
    return find_spec("openTSNE") is not None


def tsne(
    values: NDArray[np.floating],
    *,
    dimensions: int = 2,
    perplexity: float = PERPLEXITY,
    advance: Callable[[int], None] = lambda _step: None,
) -> NDArray[np.float64]:
    """Return a map of vectors, shape (n, dimensions): always the same one of the same vectors.

    Nothing is drawn at random: it starts from principal components, neighbours are exact, and one
    thread adds up all sums in one order.

    Args:
        values: At least `LEAST_POINTS`, shape (n, d), which are not all the same.
        dimensions: Of the map, 1 or 2.
        perplexity: About how many neighbours a point has; of few points fewer.
        advance: Is told of each step, of `STEPS`.
    """
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    vectors = principal_components(values, most=min(_DIMENSIONS, *values.shape)).coordinates
    perplexity = min(perplexity, (len(vectors) - 1) / 3)
    near = nearest_points(vectors, most=int(3 * perplexity))
    affinities = PerplexityBasedNN(
        perplexity=perplexity, knn_index=PrecomputedNeighbors(near.places, near.distances)
    )
    start = np.zeros((len(vectors), dimensions))
    start[:, : vectors.shape[1]] = vectors[:, :dimensions]
    start *= _START / np.std(start[:, 0])

    def told(*_step: Any) -> bool:
        advance(_TOLD)
        return False

    embedding = TSNEEmbedding(
        start, affinities, negative_gradient_method="fft" if len(vectors) > _MANY else "bh",
        ints_in_interval=_INTERVAL, n_jobs=1, random_state=0, callbacks=told,
        callbacks_every_iters=_TOLD,
    )  # fmt: skip
    for steps, exaggeration in ((250, 12), (STEPS - 250, 1)):
        embedding = embedding.optimize(
            steps, exaggeration=exaggeration, momentum=0.8, propagate_exception=True
        )
    return np.asarray(embedding, np.float64)
