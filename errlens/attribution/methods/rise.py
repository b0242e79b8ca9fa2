"""RISE: whether the score is higher where a place is seen than it is on average.

V. Petsiuk, A. Das, K. Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
Models", BMVC 2018, equation 6, with masks as in section 3.2: random grids of 7 x 7, half of them
shown, enlarged and shifted at random.

The paper's map is a mean of scores, so that its zero means nothing. Here the mean score over all
masks is taken off each before: a place is positive where seeing it raises the score, negative where
it lowers it.
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from errlens.attribution.card import Card
from errlens.attribution.explained_model import ExplainedModel, Maps, MethodSettings, Targets
from errlens.attribution.masks import fill, target_scores
from errlens.attribution.perturbations.mixtures import mixed_logits, that_vary
from errlens.maps import Target

SUMMARY: Final = "whether the score is higher where a place is seen; for any network, slow, signed"
CARD: Final = Card(
    means="How high the score is when a place is shown, in the mean over thousands of random "
    "masks; for any network.",
    lies="With few masks it is mostly noise; it says what to show, not what to hide, and "
    "rarely is sharper than its masks.",
    paper="V. Petsiuk, A. Das, K. Saenko, BMVC 2018, RISE.",
    unit="probability or logits, as the score",
)
SLOW: Final = True
ADDS_UP: Final = True

GRID: Final = 7
SHOWN: Final = 0.5


class RandomMasks:
    """Smooth masks of (height, width), which depend on the seed alone.

    Small grids and shifts are drawn at once, masks are made of them when they are asked for.
    """

    def __init__(self, size: Sequence[int], n: int, *, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        cells = [min(GRID, side) for side in size]
        self._size = size
        self._enlarging = [_enlarging(side, n) for side, n in zip(size, cells, strict=True)]
        self._grids = (torch.rand(n, cells[0] + 1, cells[1] + 1, generator=random) < SHOWN).float()
        self._shifts = [
            torch.randint(0, -(-side // n_cells), (n,), generator=random)
            for side, n_cells in zip(size, cells, strict=True)
        ]

    def made(self, some: slice) -> Tensor:
        """Return some of the masks, float32 from 0 to 1 of shape (n, height, width)."""
        rows, columns = (
            whole[shifts[some, None] + torch.arange(side)]
            for whole, shifts, side in zip(self._enlarging, self._shifts, self._size, strict=True)
        )
        return rows @ self._grids[some] @ columns.transpose(1, 2)


def unsupported(model: ExplainedModel) -> str | None:
    """Any network can be shown a part of an image."""
    del model
    return None


def explain(
    model: ExplainedModel,
    images: Tensor,
    targets: Targets,
    settings: MethodSettings,
) -> Maps:
    """Return how far the score is above its mean where a pixel is seen, in logits.

    Over masks M with scores f: the mean of (f - mean f) M, over the mean of M, which is a half. All
    targets of an image are read from the same masks. A score that does not vary has a map of zeros.
    """
    values, scores = [], []
    for image, of_image in zip(images, targets, strict=True):
        mean, score = _mean_seen(model, image, of_image, settings)
        values.append(mean)
        scores.append(score)
    return Maps(
        torch.stack(values).to(images.dtype),
        torch.stack(scores),
        baseline=settings.fill,
        unit=settings.score_unit,
    )


def _mean_seen(
    model: ExplainedModel, image: Tensor, targets: Sequence[Target], settings: MethodSettings
) -> tuple[Tensor, Tensor]:
    """Return the maps of an image, shape (t, height, width), and its scores, shape (t,)."""
    n, filled = settings.samples_of("rise"), fill(model, image, settings)
    masks = RandomMasks(image.shape[1:], n, seed=settings.seed)

    def scores_under(some: Tensor) -> Tensor:
        logits = mixed_logits(model, image, filled, some)
        return target_scores(logits, targets, probability=settings.probability)

    whole = scores_under(torch.ones(1, *image.shape[1:]))
    of_masks = []
    seen = torch.zeros(len(targets), *image.shape[1:], dtype=torch.float64)
    all_seen = torch.zeros(image.shape[1:], dtype=torch.float64)
    for start in range(0, n, settings.batch_size):
        some = masks.made(slice(start, start + settings.batch_size))
        scores = scores_under(some)
        of_masks.append(scores)
        above = (scores - whole).cpu().double()  # small numbers, which round less
        seen += torch.einsum("nt,nhw->thw", above, some.double())
        all_seen += some.double().sum(dim=0)
    scores = torch.cat(of_masks)
    mean = (scores - whole).cpu().double().mean(dim=0)
    values = (seen - mean[:, None, None] * all_seen) / (n * SHOWN)
    return values * that_vary(scores).cpu()[:, None, None], whole[0]


def _enlarging(side: int, cells: int) -> Tensor:
    """Return how a row of cells, and one more, is enlarged: shape (pixels, cells + 1)."""
    pixels = (cells + 1) * -(-side // cells)
    identity = torch.eye(cells + 1)[None]
    return functional.interpolate(identity, pixels, mode="linear", align_corners=False)[0].T
