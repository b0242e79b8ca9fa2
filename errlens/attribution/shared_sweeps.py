"""Sweeps over an image that two ask for, such as occlusion and who looks at the winners."""

from collections import deque
from typing import Final

import torch
from torch import Tensor

from errlens.attribution.explained_model import ExplainedModel, MethodSettings
from errlens.attribution.masks import Sweep, sweep
from errlens.model.layers.places import SpatialLayer

MOST_BYTES: Final = 64 * 2**20  # of all sweeps kept; one of 100 masks and 1000 classes has 1 MB


class KeptSweeps:
    """The last sweeps over images, each kept for the one who asks next."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: deque[tuple[Tensor, MethodSettings, Sweep]] = deque()

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(_size(image, swept) for image, _, swept in self._kept)

    def keep(self, image: Tensor, settings: MethodSettings, swept: Sweep) -> None:
        """Keep a sweep over an image of shape (channels, height, width), and let the oldest go."""
        self._kept.append((image, settings, swept))
        while self.size > self._most_bytes:
            self._kept.popleft()

    def take(self, image: Tensor, settings: MethodSettings) -> Sweep | None:
        """Return the sweep over an image, if it is kept, and keep it no longer."""
        for at, (swept_over, by, swept) in enumerate(self._kept):
            if by == settings and torch.equal(swept_over, image):
                del self._kept[at]
                return swept
        return None


def shared_sweep(
    model: ExplainedModel,
    image: Tensor,
    settings: MethodSettings,
    *,
    layer: SpatialLayer | None = None,
) -> Sweep:
    """Return what `masks.sweep` does, of networks that keep sweeps made once for two who ask.

    Theirs always have the channels of the spatial layer added up.

    Raises:
        UnfitOption: Mask or stride do not fit the image.
        UnfitLayer, NoSpatialLayer: The network keeps sweeps and has no such layer.
    """
    kept = model.kept_sweeps
    if kept is None:
        return sweep(model, image, settings, layer=layer)
    swept = kept.take(image, settings)
    if swept is None:
        swept = sweep(model, image, settings, layer=model.spatial_layer)
        kept.keep(image, settings, swept)
    return swept


def _size(image: Tensor, swept: Sweep) -> int:
    sums = 0 if swept.channel_sums is None else swept.channel_sums.nbytes
    return image.nbytes + swept.logits.nbytes + swept.boxes.nbytes + sums
