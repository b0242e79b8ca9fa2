"""One pass over images at a checkpoint: where channels fire, what layers hold, what is predicted.

Of each image only the highest activation and the mean of a channel are kept.
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
from errlens.network.units.layers import UnitLayer
from errlens.network.units.maxima import Maxima, maxima_of_maps
from errlens.network.units.top_places import TopPlaces
from errlens.network.units.watching import watched_units


class Work(NamedTuple):
    """By how many threads images are read and run, how many at a time, and up to which size."""

    batch_size: int
    workers: int | None
    threads: int
    max_mb: int


class Passed(NamedTuple):
    """What n images that could be read do; `unread` says of the others why not, by their numbers.

    `logits` have shape (n, classes); `strongest` has the strongest image of each channel and
    `means` its mean over all places, shape (n, channels), both by layer.
    """

    read: NDArray[np.intp]
    unread: dict[int, str]
    logits: NDArray[np.float32]
    strongest: dict[str, TopPlaces]
    means: dict[str, NDArray[np.float32]]


class _OfBatch(NamedTuple):
    read: list[int]
    unread: dict[int, str]
    logits: NDArray[np.float32]
    maxima: dict[str, Maxima]
    means: dict[str, NDArray[np.float32]]


def pass_over(
    classifier: Classifier,
    layers: Sequence[UnitLayer],
    images: Sequence[AskedImage],
    work: Work,
    *,
    advance: Callable[[int], object],
) -> Passed:
    """Run images through a network and keep what is needed of all channels of some layers.

    The network and the number of torch's threads are left as they were.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    chunks = (
        range(start, min(start + work.batch_size, len(images)))
        for start in range(0, len(images), work.batch_size)
    )
    strongest = {layer.name: TopPlaces(layer.channels, 1) for layer in layers}
    parts: list[_OfBatch] = []
    with (
        quiet_pillow(),
        classifier.ready() as outputs,
        _kept(classifier.network.module, layers) as kept,
        asking_threads(classifier, work.workers, threads=work.threads) as in_threads,
    ):
        job = partial(_of_batch, classifier, outputs, kept, images, work.max_mb)
        for part in in_threads(job, chunks):
            for name, maxima in part.maxima.items():
                strongest[name].add(np.array(part.read, np.intp), maxima)
            parts.append(part._replace(maxima={}))
            advance(len(part.read) + len(part.unread))
    return Passed(
        np.array([number for part in parts for number in part.read], np.intp),
        {number: reason for part in parts for number, reason in part.unread.items()},
        np.concatenate([part.logits for part in parts]),
        strongest,
        {
            layer.name: np.concatenate(
                [part.means[layer.name] for part in parts if layer.name in part.means]
                or [np.zeros((0, layer.channels), np.float32)]
            )
            for layer in layers
        },
    )


def _of_batch(
    classifier: Classifier,
    outputs: Callable[[Sequence[Any]], Outputs],
    kept: threading.local,
    images: Sequence[AskedImage],
    max_mb: int,
    chunk: range,
) -> _OfBatch:
    """Read, decode and run a few images, in one thread."""
    inputs = load_some_asked(classifier.preparation, images, chunk, max_mb=max_mb)
    kept.maxima, kept.means = {}, {}
    logits = outputs(inputs.values).logits
    return _OfBatch(inputs.read, inputs.unread, logits, kept.maxima, kept.means)


@contextmanager
def _kept(module: nn.Module, layers: Sequence[UnitLayer]) -> Iterator[threading.local]:
    """Keep maxima and means of what layers last put out, for each thread its own.

    Where an activation has an upper limit, maxima are those before it, as `UnitLayer` says.
    """
    kept = threading.local()

    def keep_maxima(name: str, maps: Tensor) -> None:
        kept.maxima[name] = maxima_of_maps(maps)

    def keep_means(name: str, maps: Tensor) -> None:
        kept.means[name] = maps.flatten(2).mean(dim=2, dtype=torch.float32).cpu().numpy()

    with (
        watched_units(module, _by_name(layers), keep_maxima),
        watched_units(module, _by_name([each._replace(limit=None) for each in layers]), keep_means),
    ):
        yield kept


def _by_name(layers: Sequence[UnitLayer]) -> Mapping[str, UnitLayer]:
    return {layer.name: layer for layer in layers}
