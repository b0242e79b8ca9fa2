"""Faithfulness of maps: does the probability depend on what they point at?

Deletion and insertion: V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for
Explanation of Black-box Models", BMVC 2018.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.judging.map_checks import shrunk

SHARES: Final = 16  # steps from none of the cells to all of them
RANDOM_ORDERS: Final = 4
BLUR: Final = 1 / 8  # deviation, as a share of the shorter side: no object is left

Grid = tuple[int, ...]  # rows and columns of cells


class Curves(NamedTuple):
    """The probability of a class as cells are deleted from its image, and as they are inserted.

    Three arrays of the same length: `shares` of the cells, from 0 to 1, and the probabilities.
    """

    shares: NDArray[np.float64]
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]

    def areas(self) -> tuple[float, float]:
        """Return the areas under deletion and insertion, by the trapezoid rule."""
        deletion, insertion = (np.trapezoid(curve, self.shares) for curve in self[1:])
        return float(deletion), float(insertion)


class Faithfulness(NamedTuple):
    """Mean probabilities of a class while its evidence is deleted, or inserted.

    A good map has a low `deletion` and a high `insertion`. The random ones are those of the same
    cells in random orders.
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float


@dataclass(frozen=True)
class FaithfulnessTest:
    """Deletion and insertion of one class of one image, for one map after the other.

    `image` has the shape (channels, height, width). Random orders are measured once for each grid
    of cells, however many maps have it.
    """

    model: ExplainedModel
    image: Tensor
    class_index: int
    settings: MethodSettings
    _random: dict[Grid, tuple[float, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of_map(self, values: NDArray[np.float32]) -> Faithfulness:
        """Delete and insert what a map of shape (h, w) points at, most important first.

        The network is given back as it was.
        """
        grid = shrunk(values).shape
        if grid not in self._random:
            self._random[grid] = self._random_areas(grid)
        return Faithfulness(*self.curves(values).areas(), *self._random[grid])

    def curves(self, values: NDArray[np.float32]) -> Curves:
        """Return what becomes of the probability in the order of a map of shape (h, w).

        Large maps have the cells that `shrunk` gives them, small ones their own. Of cells of the
        same value the upper, then the left one comes first.
        """
        cells = shrunk(values)
        return self._curves(np.argsort(-cells.ravel(), kind="stable"), cells.shape)

    def _random_areas(self, grid: Grid) -> tuple[float, float]:
        random = np.random.default_rng(self.settings.seed)
        orders = [random.permutation(int(np.prod(grid))) for _ in range(RANDOM_ORDERS)]
        areas = [self._curves(order, grid).areas() for order in orders]
        deletion, insertion = np.mean(areas, axis=0)
        return float(deletion), float(insertion)

    @torch.no_grad()
    def _curves(self, order: NDArray[np.intp], grid: Grid) -> Curves:
        cells = len(order)
        counts = np.linspace(0, cells, min(cells, SHARES) + 1).round().astype(int)
        places = np.argsort(order).reshape(grid)  # of each cell in the order
        pixels = torch.from_numpy(places[_cells_of_pixels(self.image.shape[1:], grid)])
        steps = torch.from_numpy(counts).reshape(-1, 1, 1)
        chosen = (pixels < steps).unsqueeze(1).to(self.image.device)
        deletion = self._probabilities(chosen, self._mean, self.image)
        insertion = self._probabilities(chosen, self.image, self._blurred)
        return Curves(counts / cells, deletion, insertion)

    def _probabilities(
        self, chosen: Tensor, inside: Tensor, outside: Tensor
    ) -> NDArray[np.float64]:
        """Return the probability of the class for images that are one thing where chosen.

        Args:
            chosen: Shape (steps, 1, height, width).
            inside: What is there, an image or a colour.
            outside: What is elsewhere.
        """
        probabilities = []
        with borrowed(self.model.module):
            for start in range(0, len(chosen), self.settings.batch_size):
                some = chosen[start : start + self.settings.batch_size]
                images = torch.where(some, inside, outside)
                logits = self.model.logits(images.contiguous(memory_format=torch.channels_last))
                probabilities.append(logits.cpu().double().softmax(dim=1)[:, self.class_index])
        return torch.cat(probabilities).numpy()

    @cached_property
    def _mean(self) -> Tensor:
        return self.image.mean(dim=(1, 2), keepdim=True)

    @cached_property
    def _blurred(self) -> Tensor:
        """The image blurred down and across, which is much faster than both at once."""
        least = min(self.image.shape[1:])
        sigma = max(1.0, BLUR * least)
        width = 2 * min(round(3 * sigma), least - 1) + 1
        down = gaussian_blur(self.image, [1, width], [sigma, sigma])
        blurred: Tensor = gaussian_blur(down, [width, 1], [sigma, sigma])
        return blurred


def _cells_of_pixels(size: Sequence[int], grid: Grid) -> tuple[NDArray[np.intp], ...]:
    """Return the row of cells of each row of pixels, and the column of each column, to index by.

    A map of the size of the image has just the cells that `shrunk` took its means over.
    """
    rows, columns = (
        (np.arange(1, side + 1) * cells - 1) // side for side, cells in zip(size, grid, strict=True)
    )
    return np.ix_(rows, columns)
