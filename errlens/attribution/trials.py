"""Two trials of maps: does what they point at matter, and do they show what was learnt?

Deletion and insertion: V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for
Explanation of Black-box Models", BMVC 2018. Randomisation, cascading from the output down: J.
Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from math import ceil
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

from errlens.attribution.batch import Explained, explain_batch
from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.map_checks import shrunk
from errlens.maps import Attribution, Target

SHARES: Final = 16  # steps from none of the cells to all of them
RANDOM_ORDERS: Final = 4
BLUR: Final = 1 / 8  # deviation, as a share of the shorter side: no object is left
MOST_STAGES: Final = 6

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
        deletion, insertion = (np.trapezoid(one, self.shares) for one in self[1:])
        return float(deletion), float(insertion)


class Trial(NamedTuple):
    """Mean probabilities of a class while its evidence is deleted, or inserted.

    A good map has a low `deletion` and a high `insertion`. The random ones are those of the same
    cells in random orders.
    """

    deletion: float
    insertion: float
    random_deletion: float
    random_insertion: float


@dataclass(frozen=True)
class Trials:
    """Maps of one class of one image, tried one after the other.

    `image` has the shape (channels, height, width). Random orders are tried once for each grid of
    cells, however many maps have it.
    """

    subject: ExplainedModel
    image: Tensor
    class_index: int
    settings: MethodSettings
    _random: dict[Grid, tuple[float, float]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def try_map(self, values: NDArray[np.float32]) -> Trial:
        """Delete and insert what a map of shape (h, w) points at, most important first.

        The network is given back as it was.
        """
        grid = shrunk(values).shape
        if grid not in self._random:
            self._random[grid] = self._random_areas(grid)
        return Trial(*self.curves(values).areas(), *self._random[grid])

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
        deletion, insertion = np.mean([self._curves(one, grid).areas() for one in orders], axis=0)
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
        found = []
        with borrowed(self.subject.module):
            for start in range(0, len(chosen), self.settings.batch_size):
                some = chosen[start : start + self.settings.batch_size]
                images = torch.where(some, inside, outside)
                logits = self.subject.logits(images.contiguous(memory_format=torch.channels_last))
                found.append(logits.cpu().double().softmax(dim=1)[:, self.class_index])
        return torch.cat(found).numpy()

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


class Similarity(NamedTuple):
    """How much maps are still those of before when a network is random from the output to a layer.

    The mean of absolute rank correlations, 0 to 1; without a map to compare not a number. That of
    unrelated maps is not zero: with n independent values each it is about 0.8 / sqrt(n - 1), 0.2
    for a grid of 4 x 4, and more where neighbours resemble each other.
    """

    layer: str
    similarity: float


def randomised(
    name: str,
    subject: ExplainedModel,
    images: Tensor,
    class_indices: Sequence[int],
    settings: MethodSettings,
) -> list[Similarity]:
    """Randomise a copy of a network, from the output down, and compare its maps with the network's.

    Images without a map, or with one of a single value, are left out.

    Args:
        name: The method.
        subject: The network; it is left as it was.
        images: Inputs as the network takes them, shape (n, channels, height, width).
        class_indices: The class explained of each image, the one that was predicted.
        settings: Options of methods.

    Returns:
        One for each stage, at most six. After the last one nothing is left of what was learnt but
        the values of each tensor in another order, and the statistics of batch normalisations.

    Raises:
        UnfitMethod: The method cannot explain this network.
    """
    before = _maps(name, subject, images, class_indices, settings)
    copy = replace(subject, module=deepcopy(subject.module))
    random = torch.Generator().manual_seed(settings.seed)
    found = []
    for layer, weights in _stages(copy.module):
        for weight in weights:
            _shuffle(weight, random)
        after = _maps(name, copy, images, class_indices, settings)
        found.append(Similarity(layer, _similarity(before, after)))
    return found


def _maps(
    name: str,
    subject: ExplainedModel,
    images: Tensor,
    class_indices: Sequence[int],
    settings: MethodSettings,
) -> list[Explained]:
    targets = [[Target("predicted", one)] for one in class_indices]
    size = settings.batch_size
    batches = (slice(start, start + size) for start in range(0, len(images), size))
    return [
        one
        for some in batches
        for one in explain_batch(name, subject, images[some], targets[some], settings)
    ]


def _stages(module: nn.Module) -> Iterator[tuple[str, list[nn.Parameter]]]:
    """Yield parameters with the name of the layer of the last ones, from the output down.

    First the last layer, then the others in equal parts. Every parameter is in one: those that
    belong to the network itself, like the embeddings of positions, too.
    """
    named = reversed(list(module.named_parameters()))
    by_layer = groupby(named, key=lambda one: one[0].rpartition(".")[0])
    layers = [list(weights) for _, weights in by_layer]
    head, rest = layers[:1], layers[1:]
    size = max(1, ceil(len(rest) / (MOST_STAGES - 1)))
    parts = [rest[start : start + size] for start in range(0, len(rest), size)]
    for part in filter(None, [head, *parts]):
        last = part[-1][-1][0]
        weights = [weight for layer in part for _, weight in layer]
        yield last.rpartition(".")[0] or last, weights


@torch.no_grad()
def _shuffle(weight: Tensor, random: torch.Generator) -> None:
    """Put the values of a tensor in another order, if there is one: their scale stays."""
    values = weight.flatten()
    mixed = values[torch.randperm(len(values), generator=random).to(values.device)]
    if torch.equal(mixed, values):
        mixed = values.roll(1)  # changes all but equal values
    weight.copy_(mixed.reshape(weight.shape))


def _similarity(before: Sequence[Explained], after: Sequence[Explained]) -> float:
    """Return the mean absolute rank correlation of the maps that have one."""
    pairs = [
        (old.values, new.values)
        for (old,), (new,) in zip(before, after, strict=True)
        if isinstance(old, Attribution) and isinstance(new, Attribution)
    ]
    found = [
        abs(float(spearmanr(old, new, axis=None).statistic))
        for old, new in pairs
        if np.ptp(old) > 0 and np.ptp(new) > 0
    ]
    return float(np.mean(found)) if found else float("nan")
