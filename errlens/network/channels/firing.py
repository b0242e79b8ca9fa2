"""How strongly the channels of a layer fire on images, and where."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.analysis.channels.firing import Firing
from errlens.attribution.explained_model import borrowed
from errlens.model.asking.hiding import AskedImage, predicted
from errlens.model.classifier import Classifier
from errlens.model.layers.hooks import watched
from errlens.model.layers.places import SpatialLayer
from errlens.network.channels.asked_images import over_images
from errlens.run.places import MAX_FILE_MB


class FiredOn(NamedTuple):
    """How a layer fires on those images that could be read.

    `at` are their places among those given, `pred` what is predicted of them now, both shape (n,).
    """

    at: NDArray[np.intp]
    pred: NDArray[np.int32]
    firing: Firing


class _OfBatch(NamedTuple):
    pred: NDArray[np.int32]
    largest: NDArray[np.float32]
    mean: NDArray[np.float32]
    place: NDArray[np.int32]
    lowest: float


def read_firing(
    classifier: Classifier,
    layer: SpatialLayer,
    images: Sequence[AskedImage],
    *,
    step: Callable[[int], object] = lambda _images: None,
    workers: int | None = None,
    max_mb: int = MAX_FILE_MB,
) -> FiredOn:
    """Run images through a network and note how each channel of a layer fires.

    The network is left as it was. A layer that runs several times counts as it runs last.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    places, batches = [np.zeros(0, np.intp)], []
    with borrowed(classifier.network.module), _maps_of(classifier, layer) as maps_of:

        def work(batch: Tensor) -> _OfBatch:
            pred, maps = maps_of(batch)
            flat = maps.flatten(2)
            largest, place = flat.max(dim=2)
            return _OfBatch(
                pred,
                largest.float().cpu().numpy(),
                flat.float().mean(dim=2).cpu().numpy(),
                place.cpu().numpy().astype(np.int32),
                float(flat.min()),
            )

        for at, of_batch in over_images(
            classifier, images, work, workers=workers, max_mb=max_mb, step=step
        ):
            places.append(at)
            batches.append(of_batch)
    if not batches:
        none = np.zeros((0, 0), np.float32)
        empty = Firing(layer.name, layer.grid, none, none, none.astype(np.int32), 0.0)
        return FiredOn(places[0], np.zeros(0, np.int32), empty)
    firing = Firing(
        layer.name,
        layer.grid,
        np.concatenate([batch.largest for batch in batches]),
        np.concatenate([batch.mean for batch in batches]),
        np.concatenate([batch.place for batch in batches]),
        min(batch.lowest for batch in batches),
    )
    return FiredOn(
        np.concatenate(places), np.concatenate([batch.pred for batch in batches]), firing
    )


def channel_maps(
    classifier: Classifier, layer: SpatialLayer, batch: Tensor, channels: Sequence[int]
) -> NDArray[np.float32]:
    """Return where some channels fire on a batch of images, shape (n, c, rows, columns).

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    module = classifier.network.module
    with borrowed(module), _maps_of(classifier, layer) as maps_of, torch.no_grad():
        _, maps = maps_of(batch)
        return maps[:, list(channels)].float().cpu().numpy()


@contextmanager
def _maps_of(
    classifier: Classifier, layer: SpatialLayer
) -> Iterator[Callable[[Tensor], tuple[NDArray[np.int32], Tensor]]]:
    """Give a function from a batch to what is predicted of it and the maps of a layer."""
    kept = threading.local()

    def keep(_name: str, _layer: nn.Module, _inputs: tuple[Any, ...], output: Tensor) -> None:
        kept.output = output.clone()  # layers that follow may work in place

    def maps_of(batch: Tensor) -> tuple[NDArray[np.int32], Tensor]:
        pred = predicted(classifier, batch)
        return pred, layer.as_maps(kept.output)

    with watched(classifier.network.module, [layer.name], keep):
        yield maps_of
