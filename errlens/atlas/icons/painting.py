"""From weights of frequencies to pixels, and from pixels to what a layer makes of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.atlas.icons.colours import Colours, no_colours
from errlens.atlas.icons.fourier import Spectrum
from errlens.atlas.icons.layer_maps import Maps, maps_of
from errlens.atlas.icons.recipe import Recipe
from errlens.atlas.icons.views import View, viewed
from errlens.attribution.explained_model import borrowed
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UserCodeFailed
from errlens.model.classifier import Classifier
from errlens.model.layers.places import SpatialLayer

_WHITE: Final = 255


@dataclass(frozen=True)
class Painter:
    """Paints pictures of one size, and shows them to a network.

    Pixels are as a network is fed them, before mean and deviation: between 0 and 1.
    """

    maps: Maps
    spectrum: Spectrum
    colours: Colours
    preprocessing: Preprocessing
    device: torch.device

    def start(self, n: int, recipe: Recipe) -> Tensor:
        """Return the weights of n pictures of noise, the same of all.

        So neighbouring icons differ by what their cells are, and not by where they came from.
        """
        noise = self.spectrum.noise(len(self.colours.middle), seed=recipe.seed)
        return (recipe.contrast * noise).to(self.device).repeat(n, 1, 1, 1, 1)

    def pixels(self, weights: Tensor) -> Tensor:
        """Return the pixels of pictures, shape (n, channels, height, width)."""
        return self.colours.painted(self.spectrum.pictures(weights))

    def answers(self, pixels: Tensor, view: View | None = None) -> Tensor:
        """Return the maps of pictures, as a view shows them, on the middle colour of photos."""
        if view is not None:
            middle = _by_channel(self.colours.middle, pixels)
            pixels = viewed(pixels - middle, view) + middle
        used = self.preprocessing
        mean, deviation = (
            _by_channel(np.array(setting), pixels) for setting in (used.mean, used.std)
        )
        return self.maps((pixels - mean) / deviation)

    def rounded(self, pixels: Tensor) -> Tensor:
        """Return pixels as a file of a picture keeps them."""
        return (pixels * _WHITE).round() / _WHITE

    def shown(self, pixels: Tensor) -> NDArray[np.uint8]:
        """Return pictures to look at: shape (n, height, width, 3), red first."""
        whole = pixels.mul(_WHITE).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        if whole.shape[3] == 1:
            return np.repeat(whole, 3, axis=3)
        return np.ascontiguousarray(whole[..., ::-1]) if self.preprocessing.bgr else whole


@contextmanager
def painter_for(
    classifier: Classifier, layer: SpatialLayer, colours: Colours, recipe: Recipe
) -> Iterator[Painter]:
    """Borrow a network to make icons of one of its layers.

    Raises:
        UnfitModel: The user's own transform makes what is fed: no icon can be shown as a picture.
        UnfitLayer: The layer does not run.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    used = classifier.preparation
    if not isinstance(used, Preprocessing):
        raise no_colours()
    module, device = classifier.network.module, classifier.device
    example = torch.zeros(1, len(used.mean), *used.img_size, device=device)
    with borrowed(module), maps_of(module, layer, example) as maps:
        size = _size(maps, layer, example, recipe.size)
        spectrum = Spectrum(size, decay=recipe.decay, device=device)
        yield Painter(maps, spectrum, colours, used, device)


def _size(maps: Maps, layer: SpatialLayer, example: Tensor, wanted: int) -> tuple[int, int]:
    """Return height and width of icons: `wanted` at most, where the network takes such inputs.

    Transformers, and whatever else has inputs of one size, get that.
    """
    height, width = example.shape[2:]
    smaller = min(wanted, height), min(wanted, width)
    if layer.layout == "tokens":
        return height, width
    try:
        with torch.no_grad():
            maps(example[:, :, : smaller[0], : smaller[1]])
    except UserCodeFailed:
        return height, width
    return smaller


def _by_channel(values: NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).reshape(1, -1, 1, 1)
