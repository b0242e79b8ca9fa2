"""One pass over images: how strongly channels of many layers fire in each, and where.

Of each image only the highest activation of a channel is kept, so that what is held does not grow
with layers or images.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.data.photos.images import quiet_pillow
from errlens.model.asking.hiding import AskedImage, load_some_asked
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier, Outputs
from errlens.network.units.layers import Channels, UnitLayer
from errlens.network.units.watching import watched_units
from errlens.run.places import MAX_FILE_MB


class Maxima(NamedTuple):
    """The highest activation of each channel in n images, float32 of shape (n, channels).

    `places` are where that is, the first of several: row * columns + column, of the same shape.
    """

    values: NDArray[np.float32]
    places: NDArray[np.int32]


class MaximaOfBatch(NamedTuple):
    """What a few images do to the channels of layers, by the names of these.

    `read` are the positions of those images that could be read, among all that were given; `unread`
    says of the others why not.
    """

    read: NDArray[np.intp]
    by_layer: dict[str, Maxima]
    unread: dict[int, str]


def channel_maxima(
    classifier: Classifier,
    layers: Mapping[str, tuple[UnitLayer, Channels | None]],
    images: Sequence[AskedImage],
    *,
    batch_size: int,
    workers: int | None = None,
    threads: int = 1,
    max_mb: int = MAX_FILE_MB,
) -> Iterator[MaximaOfBatch]:
    """Yield how strongly channels fire in a few images at a time, in the order of the images.

    Args:
        classifier: The network.
        layers: Those to look at, by name, each with the channels wanted, in this order; None stands
            for all of them.
        images: Those of a run, with the hash of what was predicted.
        batch_size: Images at a time.
        workers: Threads that decode and predict, if not one for each core.
        threads: Threads of torch inside each of them.
        max_mb: Megabytes of a file above which it is not read.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    chunks = (
        range(start, min(start + batch_size, len(images)))
        for start in range(0, len(images), batch_size)
    )
    with (
        quiet_pillow(),
        classifier.ready() as outputs,
        _kept_maxima(classifier.network.module, layers) as kept,
        asking_threads(classifier, workers, threads=threads) as in_threads,
    ):
        yield from in_threads(
            partial(_maxima_of, classifier, outputs, kept, images, max_mb), chunks
        )


def _maxima_of(
    classifier: Classifier,
    outputs: Callable[[Sequence[Any]], Outputs],
    kept: threading.local,
    images: Sequence[AskedImage],
    max_mb: int,
    chunk: range,
) -> MaximaOfBatch:
    """Read, decode and run a few images, in one thread from file to maxima."""
    inputs = load_some_asked(classifier.preparation, images, chunk, max_mb=max_mb)
    kept.by_layer = {}
    if inputs.values:
        outputs(inputs.values)
    return MaximaOfBatch(np.array(inputs.read, np.intp), kept.by_layer, inputs.unread)


@contextmanager
def _kept_maxima(
    module: nn.Module, layers: Mapping[str, tuple[UnitLayer, Channels | None]]
) -> Iterator[threading.local]:
    """Keep the maxima of what layers last put out, for each thread its own."""
    kept = threading.local()

    def keep(name: str, maps: Tensor) -> None:
        kept.by_layer[name] = maxima_of_maps(maps, layers[name][1])

    with watched_units(module, {name: layer for name, (layer, _) in layers.items()}, keep):
        yield kept


def maxima_of_maps(maps: Tensor, channels: Channels | None = None) -> Maxima:
    """Return the maxima of maps of shape (n, channels, rows, columns), of some channels or all."""
    if channels is not None:
        maps = maps[:, torch.from_numpy(channels).to(maps.device)]
    values, places = maps.flatten(2).max(dim=2)
    return Maxima(values.float().cpu().numpy(), places.cpu().numpy().astype(np.int32))
