"""Receptive fields: which pixels a unit of a layer depends on, exactly and for every architecture.

What is found is the box of the gradient of a unit in the network with all weights positive (Araujo
et al., Computing Receptive Fields of Convolutional Neural Networks, Distill 2019), also where it is
larger than the image: the network is then asked about larger ones.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.attribution.explained_model import borrowed
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer, spatial_layers
from errlens.network.reach import Reach, reach
from errlens.network.reach_rules import UnknownStep

_MOST_TIMES: Final = 8  # an image is made larger
_MOST_SIDE: Final = 2048  # pixels; float32 holds far more exactly, but memory does not

Pair = tuple[int, int]  # of rows, and of columns


class ReceptiveField(NamedTuple):
    """What the units of a layer see, in pixels of the input.

    The unit at a row and a column sees `size` pixels from `offset + stride * (row, column)` on,
    which may be less than 0. Where `whole`, each sees all of the image, whatever its size; where
    not `regular`, units differ, and `size` is that of the largest.
    """

    size: Pair
    stride: Pair
    offset: Pair
    whole: bool = False
    regular: bool = True

    def box(self, row: int, column: int) -> tuple[int, int, int, int]:
        """Return (top, left, bottom, right) of what a unit sees, unclipped; the ends are outside.

        >>> ReceptiveField((7, 7), (2, 2), (-3, -3)).box(1, 2)
        (-1, 1, 6, 8)
        """
        top = self.offset[0] + self.stride[0] * row
        left = self.offset[1] + self.stride[1] * column
        return top, left, top + self.size[0], left + self.size[1]


class Seen(NamedTuple):
    """The receptive fields of layers by name, and what kept others from being known, or None."""

    fields: Mapping[str, ReceptiveField]
    why_none: str | None


def receptive_fields(
    module: nn.Module,
    size: tuple[int, int, int],
    maps: Mapping[str, SpatialLayer] | None = None,
) -> Seen:
    """Return what the units of all layers see, from a run or two in which nothing is multiplied.

    Args:
        module: The network; it is left as it was.
        size: (channels, height, width) of its inputs.
        maps: All layers with maps of places, by name; None looks for them.
    """
    channels, height, width = size
    fields: dict[str, ReceptiveField] = {}
    why_none, times = None, 1
    left = dict(spatial_layers(module, size) if maps is None else maps)
    while left and times <= _MOST_TIMES and times * max(height, width) <= _MOST_SIDE:
        larger = (channels, times * height, times * width)
        boxes, stopped = _boxes(module, larger, left, at_all_sizes=times > 1)
        if times == 1:
            why_none = stopped
        found = {name: _field(box, larger) for name, box in boxes.items()}
        # Of what is whole, the numbers are those of the size that the network is made for.
        fields |= {name: field for name, field in found.items() if times == 1 or not field.whole}
        before = len(left)
        left = {
            name: layer
            for name, layer in left.items()
            if name in fields and fields[name].whole and name in boxes
        }
        if times > 1 and len(left) == before:  # what is left sees all of an image of any size
            break
        times *= 2
    return Seen(fields, why_none)


class _Boxes(NamedTuple):
    """The first and last row, and column, that units see; integers of shape (rows, columns)."""

    top: NDArray[np.int64]
    bottom: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]


def _boxes(
    module: nn.Module,
    size: tuple[int, int, int],
    layers: Mapping[str, SpatialLayer],
    *,
    at_all_sizes: bool,
) -> tuple[dict[str, _Boxes], str | None]:
    """Return what units see in an image, by layer, and what stopped the run early, if anything."""
    boxes: dict[str, _Boxes] = {}
    stopped = None
    with borrowed(module), reach() as mode:

        def keep(name: str, _layer: nn.Module, _inputs: object, output: Any) -> None:
            values = mode.of(output) if isinstance(output, Tensor) else None
            if values is not None and (box := _box(values, layers[name])) is not None:
                boxes[name] = box

        with watched(module, layers, keep):
            try:
                module(_ruler(mode, size))
            except UnknownStep as step:
                stopped = f"the network computes {step}"
            except Exception as error:  # noqa: BLE001 - the code is anybody's, the sizes unusual
                stopped = f"the network fails on images without colours: {type(error).__name__}"
    return boxes, stopped if not at_all_sizes else None


def _ruler(mode: Reach, size: tuple[int, int, int]) -> Tensor:
    """Return four images whose values are rows and columns, counted from either end."""
    channels, height, width = size
    rows = torch.arange(height, dtype=torch.float32).reshape(-1, 1).expand(height, width)
    columns = torch.arange(width, dtype=torch.float32).expand(height, width)
    ruler = torch.stack([-rows, rows, -columns, columns])
    return mode.watch(ruler.reshape(4, 1, height, width).expand(4, channels, height, width))


def _box(values: Tensor, layer: SpatialLayer) -> _Boxes | None:
    """Return what units see, from the values of a layer; None if some see nothing at all."""
    if values.dim() != (3 if layer.layout == "tokens" else 4) or len(values) != 4:
        return None
    if layer.layout == "tokens":
        rows, columns = layer.grid
        if values.shape[1] < layer.prefix + rows * columns:
            return None
    maps = layer.as_maps(values)
    ends = (maps[:, :1] if maps.stride(1) == 0 else maps).amax(dim=1)
    if not torch.isfinite(ends).all():
        return None
    top, bottom, left, right = (each.numpy().astype(np.int64) for each in ends)
    return _Boxes(-top, bottom, -left, right)


def _field(boxes: _Boxes, size: tuple[int, int, int]) -> ReceptiveField:
    """Tell what boxes have in common; those cut off by the border of the image tell one side."""
    _, height, width = size
    vertical = _along(boxes.top.min(axis=1), boxes.bottom.max(axis=1), height)
    horizontal = _along(boxes.left.min(axis=0), boxes.right.max(axis=0), width)
    sizes, strides, offsets = zip(
        *((axis.size, axis.stride, axis.offset) for axis in (vertical, horizontal)), strict=True
    )
    return ReceptiveField(
        sizes,
        strides,
        offsets,
        whole=vertical.cut_off or horizontal.cut_off,
        regular=vertical.regular and horizontal.regular,
    )


class _Axis(NamedTuple):
    size: int
    stride: int
    offset: int
    cut_off: bool = False
    regular: bool = True


def _along(first: NDArray[np.int64], last: NDArray[np.int64], side: int) -> _Axis:
    """Describe what units see along an axis: the first and the last pixel of each of them."""
    n = len(first)
    # The border need not be that of the image: a stride may leave out its last pixels.
    starts, ends = np.flatnonzero(first > first.min()), np.flatnonzero(last < last.max())
    steps = {*np.diff(first[starts]).tolist(), *np.diff(last[ends]).tolist()}
    if not len(starts) and not len(ends) and n > 1:
        return _Axis(side, max(1, side // n), 0, cut_off=True)
    if len(steps) > 1 or 0 in steps:
        cut_off = not (len(starts) and len(ends))
        return _Axis(int((last - first).max()) + 1, max(1, side // n), 0, cut_off, regular=False)
    stride = steps.pop() if steps else max(1, round(side / n))
    if not len(starts) or not len(ends):
        return _Axis(side, stride, 0, cut_off=True)
    offset = int(first[starts[0]] - stride * starts[0])
    end = int(last[ends[0]] - stride * ends[0])
    return _Axis(end - offset + 1, stride, offset)
