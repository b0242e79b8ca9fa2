"""The images in which some channels of layers fire the most, found in one pass over all images."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.network.units.layers import Channels, UnitLayer, check_channels, drawn_channels
from errlens.network.units.maxima import channel_maxima
from errlens.network.units.scores import Unit
from errlens.network.units.top_places import NO_IMAGE, TopPlaces


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which channels of a layer: those that are `named`, so many drawn, or the strongest.

    Those `of_layer`, by its name, are of that layer alone.
    """

    of_layer: Mapping[str, Sequence[int]] = field(default_factory=dict)
    named: Sequence[int] = ()
    drawn: int = 0
    strongest: int = 0
    seed: int = 0

    def before(self, layer: UnitLayer) -> Channels | None:
        """Return the channels to look at, or None where all have to be looked at first.

        Raises:
            UnfitOption: The layer has no such channel.
        """
        if named := self.of_layer.get(layer.name, self.named):
            return check_channels(layer, named)
        return drawn_channels(layer, self.drawn, seed=self.seed) if self.drawn else None


class TopOfLayer(NamedTuple):
    """Where channels of a layer fire the most.

    `channels` are their numbers, shape (m,), `fires` in how many images each does, and `at_highest`
    in how many it has its highest value. `values`, `images`, `places` are those of `TopPlaces`,
    shape (m, top); values are what the layer puts out, also where its activation has an upper limit
    and images there are ranked by what it was given.
    """

    layer: UnitLayer
    channels: Channels
    fires: NDArray[np.int64]
    at_highest: NDArray[np.int64]
    values: NDArray[np.float32]
    images: NDArray[np.int64]
    places: NDArray[np.int32]

    def units(self) -> list[tuple[int, int, Unit]]:
        """Return the channel's position, the rank and the unit of all there is, ranks from 0."""
        found = np.argwhere(self.images != NO_IMAGE).tolist()
        return [
            (at, rank, Unit(self.layer.name, int(self.channels[at]), int(self.places[at, rank])))
            for at, rank in found
        ]


class Found(NamedTuple):
    """The layers, how many images were seen, and why others could not be, by their numbers."""

    layers: list[TopOfLayer]
    seen: int
    unread: dict[int, str]


def top_images(
    classifier: Classifier,
    layers: Sequence[UnitLayer],
    wanted: Wanted,
    images: Sequence[AskedImage],
    *,
    top: int,
    advance: Callable[[int], None] = lambda _step: None,
    **how: Any,
) -> Found:
    """Find the images in which channels fire the most.

    Args:
        classifier: The network.
        layers: All are looked at in one pass.
        wanted: Which of their channels.
        images: Those of a run.
        top: How many images of a channel.
        advance: Is told of images done.
        how: What `channel_maxima` takes besides.

    Raises:
        NoImages: None of them could be read.
        UnfitOption: A layer has no such channel.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    channels = {layer.name: wanted.before(layer) for layer in layers}
    asked = {layer.name: (layer, channels[layer.name]) for layer in layers}
    tops = {
        layer.name: TopPlaces(
            layer.channels if (chosen := channels[layer.name]) is None else len(chosen), top
        )
        for layer in layers
    }
    seen = 0
    unread: dict[int, str] = {}
    for batch in channel_maxima(classifier, asked, images, **how):
        unread |= batch.unread
        seen += len(batch.read)
        for name, maxima in batch.by_layer.items():
            tops[name].add(batch.read, maxima)
        advance(len(batch.read) + len(batch.unread))
    if not seen:
        number, reason = next(iter(unread.items()), (None, "the run has none"))
        first = "" if number is None else f"{str(images[number].path)!r}: "
        raise NoImages(
            f"none of {counted(len(images), 'image')} of the run can be read: {first}{reason}",
            hint="--data-root DIR says where they lie now",
        )
    module = classifier.network.module
    found = [
        _of_layer(layer, channels[layer.name], tops[layer.name], wanted, module) for layer in layers
    ]
    return Found(found, seen, unread)


def _of_layer(
    layer: UnitLayer,
    channels: Channels | None,
    top: TopPlaces,
    wanted: Wanted,
    module: nn.Module,
) -> TopOfLayer:
    if channels is None:
        channels = at = top.strongest(wanted.strongest)
    else:
        at = np.arange(len(channels))
    return TopOfLayer(
        layer=layer,
        channels=channels,
        fires=top.fires[at],
        at_highest=top.at_highest[at],
        values=put_out(layer, top.values[at], module),
        images=top.images[at],
        places=top.places[at],
    )


def put_out(
    layer: UnitLayer, values: NDArray[np.float32], module: nn.Module
) -> NDArray[np.float32]:
    """Return what a layer makes of values that were noted before an activation with a limit."""
    if layer.limit is None:
        return values
    with torch.no_grad():
        limited = module.get_submodule(layer.limit)(torch.from_numpy(values).clone())
    return np.where(np.isneginf(values), values, limited.numpy())
