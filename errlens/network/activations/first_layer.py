"""Filters of the first layer: the image each would like best, its colour and its edge.

Only there does a filter look at pixels, so that it can be shown as an image.
"""

from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from errlens.data.photos.preprocess import Preprocessing
from errlens.model.layers.places import SpatialLayer
from errlens.model.layers.runs import Run, run_layers
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE

FILTER_COLUMNS: Final = {
    "channel": WHOLE,
    "norm": NUMBER,
    "colour": TEXT,
    "colour_share": NUMBER,
    "red": NUMBER,
    "green": NUMBER,
    "blue": NUMBER,
    "edge": TEXT,
    "edge_share": NUMBER,
    "edge_angle": NUMBER,
}

NORMS: Final = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm, nn.InstanceNorm2d)
_LEAST_SHARE: Final = 0.2  # of a filter's energy that its colour, or its edge, must hold to be told
_GREY: Final = 0.8  # of a colour's energy that white, or black, holds where it has no hue
_DEAD: Final = 1e-3  # of the largest norm: what is weaker prefers nothing
# Where on the circle of hues each ends, in degrees; beyond the last there is red again.
_HUES: Final = {
    "red": 15, "orange": 45, "yellow": 75, "green": 160, "cyan": 200, "blue": 260, "purple": 320,
    "pink": 345,
}  # fmt: skip
_SIDES: Final = (
    "right", "lower right", "below", "lower left", "left", "upper left", "above", "upper right",
)  # fmt: skip


class Filter(NamedTuple):
    """What a filter prefers.

    `colour` is the direction in red, green and blue, each from -1 to 1, in which an even surface
    makes it fire, and `colour_share` how much of its energy that is. An edge has one colour on the
    side that `edge_angle` says, in degrees from the right, clockwise, and its opposite on the other
    side; `edge_share` is the energy of all that is odd about the middle of the filter.
    """

    norm: float
    colour: tuple[float, float, float]
    colour_share: float
    edge_colour: tuple[float, float, float]
    edge_angle: float
    edge_share: float

    @property
    def colour_words(self) -> str:
        """Its colour by name; nothing where it has none."""
        return colour_name(self.colour) if self.colour_share >= _LEAST_SHARE else ""

    @property
    def edge_words(self) -> str:
        """Which colour on which side makes it fire; nothing where it is no edge."""
        if self.edge_share < _LEAST_SHARE:
            return ""
        side = round(self.edge_angle / 45) % 8
        opposite = [-part for part in self.edge_colour]
        here, there = (colour_name(colour) for colour in (self.edge_colour, opposite))
        return f"{here} {_SIDES[side]}, {there} {_SIDES[(side + 4) % 8]}"


def first_filters(
    module: nn.Module, size: tuple[int, int, int], layer: SpatialLayer
) -> NDArray[np.float64] | None:
    """Return the filters whose responses a layer puts out; None of a layer that is not the first.

    The layer is the first convolution, or a normalization or an activation of it. What a
    normalization does to the sign and the size of a filter is in it.

    Args:
        module: The network; it is run once on zeros and left as it was.
        size: (channels, height, width) of its inputs.
        layer: The layer.

    Returns:
        Shape (channels, 3, height, width), or with 1 in place of 3 for a network of grey images.
    """
    run = run_layers(module, size)
    first = next((at for at, call in enumerate(run.calls) if _sees_pixels(call.layer, size)), None)
    last = run.last(layer.name)
    if first is None or last is None or last < first:
        return None
    conv = run.calls[first].layer
    if not _only_changes_sizes(run, first, last):
        return None
    assert isinstance(conv, nn.Conv2d)  # noqa: S101 - for the type checker
    weight = conv.weight.detach().double().cpu()
    for call in run.calls[first + 1 : last + 1]:
        weight = weight * factor_of(call.layer, len(weight))
    filters: NDArray[np.float64] = weight.numpy()
    return filters


def of_photos(filters: NDArray[np.float64], preparation: Any) -> NDArray[np.float64]:
    """Return filters of pixels as fed, as filters of pixels of the photo, red first.

    Args:
        filters: Shape (channels, 3, height, width), or with 1 in place of 3.
        preparation: How photos become inputs: what each channel is divided by, and whether blue is
            first. Of a transform of the user's own neither is known.
    """
    if isinstance(preparation, Preprocessing):
        filters = filters / np.asarray(preparation.std, float).reshape(1, -1, 1, 1)
    return filters[:, ::-1] if getattr(preparation, "bgr", False) else filters


def preferred(weights: NDArray[np.floating]) -> Filter:
    """Return what a filter of shape (channels, height, width) prefers, red first.

    An even surface of colour c gives the sum of the weights of each channel times c: the gradient
    with respect to c is the colour preferred. What is odd about the middle, (w(x) - w(-x)) / 2,
    responds to edges: the strongest pair of a colour and a direction in its first moments, by their
    singular value decomposition, says which.
    """
    filter_ = np.asarray(weights, float)
    filter_ = np.repeat(filter_, 3, axis=0) if len(filter_) == 1 else filter_
    energy = float(np.square(filter_).sum())
    if not energy > 0:
        return Filter(0.0, (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0), 0.0, 0.0)
    sums = filter_.sum(axis=(1, 2))
    even_surface = float(np.square(sums).sum()) / filter_[0].size
    odd = (filter_ - filter_[:, ::-1, ::-1]) / 2
    high, wide = odd.shape[1:]
    y, x = np.mgrid[:high, :wide] - np.array([(high - 1) / 2, (wide - 1) / 2])[:, None, None]
    moments = np.stack([(odd * x).sum(axis=(1, 2)), (odd * y).sum(axis=(1, 2))], axis=1)
    colours, _, sides = np.linalg.svd(moments)
    colour, side = colours[:, 0], sides[0]
    if colour.sum() < 0:  # told from its light side
        colour, side = -colour, -side
    angle = float(np.degrees(np.arctan2(side[1], side[0]))) % 360
    return Filter(
        energy**0.5,
        _normed(sums),
        even_surface / energy,
        _normed(colour),
        angle,
        float(np.square(odd).sum()) / energy,
    )


def filter_table(filters: NDArray[np.float64]) -> pd.DataFrame:
    """Return what each filter, shape (channels, 3, height, width), prefers."""
    found = [preferred(weights) for weights in filters]
    most = max(kernel.norm for kernel in found)
    alive = [kernel.norm > _DEAD * most for kernel in found]
    return pd.DataFrame(
        {
            "channel": np.arange(len(found)),
            "norm": [kernel.norm for kernel in found],
            "colour": [
                (lives and kernel.colour_words) or None
                for lives, kernel in zip(alive, found, strict=True)
            ],
            "colour_share": [kernel.colour_share for kernel in found],
            **{
                name: [kernel.colour[at] for kernel in found]
                for at, name in enumerate(("red", "green", "blue"))
            },
            "edge": [
                (lives and kernel.edge_words) or None
                for lives, kernel in zip(alive, found, strict=True)
            ],
            "edge_share": [kernel.edge_share for kernel in found],
            "edge_angle": [kernel.edge_angle for kernel in found],
        }
    )[[*FILTER_COLUMNS]]


def colour_name(colour: tuple[float, ...] | list[float]) -> str:
    """Return the name of a direction in red, green and blue.

    >>> colour_name((1, 1, 1)), colour_name((-1, -0.9, -1)), colour_name((1, 0.1, -1))
    ('light', 'dark', 'orange')
    """
    rgb = np.asarray(colour, float)
    if rgb.sum() ** 2 / 3 >= _GREY * np.square(rgb).sum():
        return "light" if rgb.sum() > 0 else "dark"
    red, green, blue = rgb
    hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)) % 360
    return next((name for name, end in _HUES.items() if hue < end), "red")


def _normed(colour: NDArray[np.floating]) -> tuple[float, float, float]:
    most = float(np.abs(colour).max())
    red, green, blue = (float(part) / most if most else 0.0 for part in colour)
    return red, green, blue


def _sees_pixels(layer: nn.Module, size: tuple[int, int, int]) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.groups == 1 and layer.in_channels == size[0]


def _only_changes_sizes(run: Run, first: int, last: int) -> bool:
    """Tell whether what lies between two calls leaves channels and places where they are."""
    shape = run.calls[first].shape
    return all(
        call.shape == shape and (any(call.layer.children()) or not _mixes(call.layer))
        for call in run.calls[first + 1 : last + 1]
    )


def _mixes(layer: nn.Module) -> bool:
    has_weights = any(True for _ in layer.parameters(recurse=False))
    pools = "Pool" in type(layer).__name__
    return pools or (has_weights and not isinstance(layer, (*NORMS, nn.PReLU)))


def factor_of(layer: nn.Module, channels: int) -> torch.Tensor:
    """Return what a normalization multiplies channels by, as far as that is fixed."""
    factor = torch.ones(channels, 1, 1, 1, dtype=torch.double)
    if not isinstance(layer, NORMS) or layer.weight is None or len(layer.weight) != channels:
        return factor
    factor = layer.weight.detach().double().cpu().reshape(-1, 1, 1, 1)
    if isinstance(layer, nn.BatchNorm2d) and layer.running_var is not None:
        spread = (layer.running_var.double().cpu() + layer.eps).sqrt()
        factor = factor / spread.reshape(-1, 1, 1, 1)
    return factor
