"""The map that fires most in an image, and what its strongest units see in this and other ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.attribution.explained_model import MethodSettings
from errlens.attribution.masks import grid
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.network.units.layers import UnitLayer, check_channels
from errlens.network.units.maxima import channel_maxima
from errlens.network.units.patches import Patch, field_of, patches_of
from errlens.network.units.scores import Unit
from errlens.network.units.top_images import Wanted, top_images

_NOT_FINITE: Final = "the layer puts out values that are not finite"


class StrongestUnits(NamedTuple):
    """The strongest unit of each image by its number, and why others have none."""

    units: dict[int, Unit]
    unread: dict[int, str]


class OwnProjection(NamedTuple):
    """What a unit sees in its image.

    `hidden` is the share of the energy of its projection under the square at each position, shape
    (rows, columns); None without a projection, or where that is zero everywhere.
    """

    patch: Patch
    hidden: NDArray[np.float32] | None


def strongest_units(
    classifier: Classifier,
    layer: UnitLayer,
    images: Sequence[AskedImage],
    *,
    channel: int | None,
    advance: Callable[[int], object] = lambda _images: None,
    **how: Any,
) -> StrongestUnits:
    """Find the unit with the highest activation in each image, of one channel or of all.

    Where an activation has an upper limit, what it is given decides, as among the images of a
    channel.

    Args:
        classifier: The network.
        layer: The layer of the units.
        images: Files.
        channel: None for the one that fires most in the image.
        advance: Is told of images done.
        how: What `channel_maxima` takes besides.

    Raises:
        UnfitOption: The layer has no such channel.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    channels = None if channel is None else check_channels(layer, [channel])
    found = StrongestUnits({}, {})
    for batch in channel_maxima(classifier, {layer.name: (layer, channels)}, images, **how):
        advance(len(batch.read) + len(batch.unread))
        found.unread.update(batch.unread)
        if not len(batch.read):
            continue
        values, places = batch.by_layer[layer.name]
        for number, of_image, where in zip(batch.read.tolist(), values, places, strict=True):
            if not np.isfinite(of_image).all():
                found.unread[number] = _NOT_FINITE
                continue
            at = int(of_image.argmax())
            strongest = at if channels is None else int(channels[at])
            found.units[number] = Unit(layer.name, strongest, int(where[at]))
    return found


def units_elsewhere(
    classifier: Classifier,
    layer: UnitLayer,
    channels: Sequence[int],
    images: Sequence[AskedImage],
    *,
    top: int,
    **how: Any,
) -> dict[int, list[tuple[int, Unit]]]:
    """Return where channels fire most: of each the numbers of `top` images with the unit there.

    Args:
        classifier: The network.
        layer: The layer of the channels.
        channels: Each once.
        images: Those of a run, each once.
        top: How many images of a channel.
        how: What `top_images` takes besides.

    Raises:
        NoImages: None of the images can be read.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    found = top_images(classifier, [layer], Wanted(named=channels), images, top=top, **how)
    elsewhere: dict[int, list[tuple[int, Unit]]] = {channel: [] for channel in channels}
    (of_layer,) = found.layers
    for at, rank, unit in of_layer.units():
        elsewhere[unit.channel].append((int(of_layer.images[at, rank]), unit))
    return elsewhere


def own_projections(
    classifier: Classifier,
    layer: UnitLayer,
    units: Mapping[int, Unit],
    images: Sequence[AskedImage],
    settings: MethodSettings,
    **how: Any,
) -> Iterator[tuple[int, OwnProjection]]:
    """Yield images, by their numbers, with what their unit sees and how much the square hides.

    Args:
        classifier: The network.
        layer: The layer of the units.
        units: One of each image, by the number of the image.
        images: Files.
        settings: Their `mask` and `stride` say where the square lies.
        how: What `patches_of` takes besides.

    Raises:
        UnfitOption: Square or stride do not fit the input.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    asked = {number: [unit] for number, unit in units.items()}
    field = field_of(classifier, [layer])
    for number, patches in patches_of(
        classifier, [layer], asked, images, field_of=field, keep_values=True, **how
    ):
        for patch in patches:
            hidden = None if patch.values is None else _hidden(patch.values, settings)
            yield number, OwnProjection(patch._replace(values=None), hidden)


def _hidden(values: NDArray[np.float32], settings: MethodSettings) -> NDArray[np.float32] | None:
    """Return the share of a projection's energy, the sum of squares, under each square."""
    energy = np.square(values, dtype=np.float64).sum(axis=0)
    total = energy.sum()
    if not 0 < total < np.inf:
        return None
    return hidden_energy(energy / total, grid(energy.shape, settings))


def hidden_energy(energy: NDArray[np.floating], boxes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the share of an energy, shape (height, width), that lies in each box.

    Args:
        energy: At least 0; adds up to 1.
        boxes: Shape (rows, columns, 4): top, left, bottom, right.

    >>> hidden_energy(np.eye(4) / 4, np.array([[[0, 0, 2, 2], [0, 2, 2, 4]]]))
    array([[0.5, 0. ]], dtype=float32)
    """
    sums = np.pad(energy, ((1, 0), (1, 0))).cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    top, left, bottom, right = np.moveaxis(boxes, 2, 0)
    inside = sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    shares: NDArray[np.float32] = inside.clip(0, 1).astype(np.float32)
    return shares
