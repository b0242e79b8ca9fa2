"""Optimise icons: pictures that a layer answers as it did, on average, in the cells of an atlas."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.analysis.atlas.whitening import whitened
from errlens.atlas.icons.colours import Colours
from errlens.atlas.icons.kept import Icons, KeptIcons
from errlens.atlas.icons.objective import Wanted, around_centre, at_centre, objective
from errlens.atlas.icons.painting import Painter, painter_for
from errlens.atlas.icons.recipe import Recipe
from errlens.atlas.icons.threads import made_in_threads, workers_for
from errlens.atlas.icons.views import drawn_views
from errlens.errors import UnfitModel
from errlens.model.classifier import Classifier
from errlens.model.layers.places import SpatialLayer
from errlens.model.networks.user_code import user_code

TOGETHER: Final = 8  # icons; more are no faster on a CPU
_FEW, _MORE = 1, 5  # steps that are timed for an estimate

Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class IconMaker:
    """Makes icons of one layer of a network.

    Attributes:
        classifier: The network.
        layer: Its layer.
        moments: Second moments of the layer's activations, see `second_moments`.
        colours: That icons are painted in, see `read_colours`.
        recipe: How they are made.
        kept_in: A folder for what is made, as it comes, to go on from when broken off.
        batch_size: Icons made together.
        workers: Threads; as many as there are cores, if not given.
    """

    classifier: Classifier
    layer: SpatialLayer
    moments: NDArray[np.float64]
    colours: Colours
    recipe: Recipe = field(default_factory=Recipe)
    kept_in: Path | None = None
    batch_size: int = TOGETHER
    workers: int | None = None

    def make(self, means: NDArray[np.float32], *, advance: Advance = lambda _steps: None) -> Icons:
        """Make an icon of each cell. The same seed makes the same bytes, however many threads.

        Args:
            means: Mean activations of cells, shape (m, channels), m at least 1.
            advance: Told of steps done, `len(means) * recipe.steps` in all.

        Raises:
            UnfitModel: The user's own transform makes what is fed, there are no gradients, or what
                the layer puts out is not finite.
            UnfitLayer: The layer does not run.
            UserCodeFailed, OutOfMemory: The network raised something.
            OutOfReach: What is made cannot be kept.
        """
        with painter_for(self.classifier, self.layer, self.colours, self.recipe) as painter:
            batches = made_in_threads(
                partial(self._batch, painter, self._kept()),
                self._batches(means),
                workers=workers_for(self.classifier, self.workers),
                advance=advance,
            )
        return Icons(
            np.concatenate([icons.pixels for icons in batches]),
            np.concatenate([icons.encoded for icons in batches]),
        )

    def estimate(self, means: NDArray[np.float32]) -> float:
        """Return about how many seconds `make` will take, from a few steps with the first cells.

        Icons that were kept take none. What `make` raises, this does.
        """
        kept, batches = self._kept(), self._batches(means)
        left = [batch for batch in batches if kept.read(batch) is None]
        if not left:
            return 0.0
        workers = workers_for(self.classifier, self.workers)
        tried = np.concatenate(left[:workers])
        few, more = (self._seconds(tried, steps) for steps in (_FEW, _MORE))
        a_step = max(more - few, more / 2) / (_MORE - _FEW)  # the first may have been held up
        return a_step * self.recipe.steps * math.ceil(len(left) / workers)

    def _seconds(self, means: NDArray[np.float32], steps: int) -> float:
        """Return how long it takes to make icons in a few steps."""
        recipe = replace(self.recipe, steps=steps)
        start = time.monotonic()
        replace(self, recipe=recipe, kept_in=None).make(means)
        return time.monotonic() - start

    def _kept(self) -> KeptIcons:
        return KeptIcons.of(
            self.kept_in, self.classifier, self.layer.name, self.colours, self.recipe, self.moments
        )

    def _batches(self, means: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        cells = np.ascontiguousarray(means, np.float32)
        size = 1 if self.classifier.interface.one_at_a_time else self.batch_size
        return [cells[at : at + size] for at in range(0, len(cells), size)]

    def _batch(
        self, painter: Painter, kept: KeptIcons, cells: NDArray[np.float32], step: Advance
    ) -> Icons:
        """Make the icons of a few cells, or take those that were made already."""
        known = kept.read(cells)
        if known is not None:
            step(len(cells) * self.recipe.steps)
            return known
        directions = whitened(cells, self.moments, ridge=self.recipe.ridge)
        wanted = Wanted(torch.from_numpy(cells), torch.from_numpy(directions))
        icons = optimised(painter, wanted.to(painter.device), self.recipe, step=step)
        kept.write(cells, icons)
        return icons


def optimised(
    painter: Painter, wanted: Wanted, recipe: Recipe, *, step: Advance = lambda _steps: None
) -> Icons:
    """Return pictures that a layer answers as it is wanted; see `IconMaker.make`."""
    n = len(wanted.means)
    weights = painter.start(n, recipe).requires_grad_()
    optimiser = torch.optim.Adam([weights], lr=recipe.rate)
    for view in drawn_views(recipe):
        with torch.enable_grad():
            maps = painter.answers(painter.pixels(weights), view)
            value = objective(around_centre(maps, reach=recipe.reach), wanted, power=recipe.power)
            _check(value)
            with user_code("the backward of the model", images=n):
                (weights.grad,) = torch.autograd.grad(-value.sum(), weights)
        optimiser.step()
        step(n)
    with torch.no_grad():
        pixels = painter.rounded(painter.pixels(weights))
        encoded = at_centre(painter.answers(pixels))
    return Icons(painter.shown(pixels), encoded.float().cpu().numpy())


def _check(value: torch.Tensor) -> None:
    if not value.isfinite().all():
        raise UnfitModel("what the layer puts out for an icon is not finite")
    if not value.requires_grad:
        raise UnfitModel(
            "icons follow gradients, and what the layer puts out has none: the network runs under "
            "no_grad or inference_mode, detaches or computes outside of torch",
            hint="--icons patches needs none",
        )
