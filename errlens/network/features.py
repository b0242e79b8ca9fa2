"""The features of images: what the last layer of a network is fed."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import Input, in_order, load_input
from errlens.data.photos.oddities import Oddities, count_oddities, total
from errlens.errors import UnfitLayer, UnfitModel
from errlens.model.asking.threads import torch_threads_kept
from errlens.model.classifier import Classifier, Outputs
from errlens.model.layers.hooks import watched
from errlens.network.probing.layers import ProbedLayer
from errlens.run.places import MAX_FILE_MB


class ImageFeatures(NamedTuple):
    """The features and outputs of those images that could be read.

    `read` tells which these are, of all; the arrays have a row for each of them, `content_hashes`
    the first 16 bytes of the sha256 of its file. `oddities` counts those among them that a network
    may see otherwise than people do. `by_layer` are the means of the channels of layers that were
    asked for, by name, shape (n, channels).
    """

    read: NDArray[np.bool_]
    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    content_hashes: list[bytes]
    oddities: Oddities
    by_layer: Mapping[str, NDArray[np.float32]] = {}


def read_features(  # noqa: PLR0913 - one name for each thing that can be chosen
    classifier: Classifier,
    paths: Sequence[Path | None],
    *,
    layers: Sequence[ProbedLayer] = (),
    batch_size: int,
    workers: int,
    threads: int = 1,
    max_mb: int = MAX_FILE_MB,
    advance: Callable[[int], None] = lambda _step: None,
) -> ImageFeatures:
    """Run images through a network, in their order.

    Args:
        classifier: The network.
        paths: The images; None stands for one that cannot be read.
        layers: Whose means are wanted as well.
        batch_size: Images at a time.
        workers: Threads that decode and predict.
        threads: Threads of torch inside each of them.
        max_mb: Megabytes of a file above which it is not read.
        advance: Is told of each step forward.

    Raises:
        UnfitModel: No layer of the network is known to give the outputs, and no others are wanted.
        UnfitLayer: A layer put out no tensor this time.
    """
    if classifier.interface.head is None and not layers:
        raise UnfitModel(
            f"{classifier.network.name} has no linear layer that gives its outputs: there are no "
            "features to read"
        )
    chunks = (paths[start : start + batch_size] for start in range(0, len(paths), batch_size))
    begin = partial(torch.set_num_threads, threads)
    batches = []
    with (
        quiet_pillow(),
        torch_threads_kept(),
        _watched_means(classifier.network.module, layers) as means,
        classifier.ready(with_features=True) as outputs,
    ):
        work = partial(_read, classifier, outputs, means, max_mb)
        for batch in in_order(work, chunks, workers=workers, begin=begin):
            advance(len(batch.read))
            batches.append(batch)
    return ImageFeatures(
        np.concatenate([batch.read for batch in batches]),
        np.concatenate([batch.features for batch in batches]),
        np.concatenate([batch.logits for batch in batches]),
        [each for batch in batches for each in batch.content_hashes],
        total(batch.oddities for batch in batches),
        {
            layer.name: np.concatenate([batch.by_layer[layer.name] for batch in full])
            for layer in layers
            if (full := [batch for batch in batches if batch.by_layer])
        },
    )


def _read(
    classifier: Classifier,
    outputs: Callable[[Sequence[object]], Outputs],
    means: "_Means",
    max_mb: int,
    paths: Sequence[Path | None],
) -> ImageFeatures:
    loaded = [path and load_input(path, classifier.preparation, max_mb=max_mb) for path in paths]
    inputs = [
        (str(path), image)
        for path, image in zip(paths, loaded, strict=True)
        if isinstance(image, Input)
    ]
    means.clear()
    given = outputs([image.value for _, image in inputs])
    return ImageFeatures(
        np.array([isinstance(image, Input) for image in loaded]),
        given.features,
        given.logits,
        [image.content_hash for _, image in inputs],
        count_oddities((path, image.traits) for path, image in inputs),
        means.taken() if inputs else {},
    )


class _Means(threading.local):
    """What layers put out when they last ran, for each thread its own."""

    def __init__(self, layers: Sequence[ProbedLayer]) -> None:
        self._layers = {layer.name: layer for layer in layers}
        self._found: dict[str, NDArray[np.float32]] = {}

    def clear(self) -> None:
        """Forget the images before."""
        self._found.clear()

    def keep(self, name: str, _layer: nn.Module, _inputs: tuple[Any, ...], output: Any) -> None:
        """Take note of an output; what follows may change it in place."""
        if isinstance(output, Tensor):
            self._found[name] = self._layers[name].means(output).cpu().numpy().copy()

    def taken(self) -> dict[str, NDArray[np.float32]]:
        """Return what was noted, of all layers.

        Raises:
            UnfitLayer: Of one there is nothing.
        """
        for name in self._layers:
            if name not in self._found:
                raise UnfitLayer(f"layer {name!r} does not run, or puts out no tensor")
        return dict(self._found)


@contextmanager
def _watched_means(module: nn.Module, layers: Sequence[ProbedLayer]) -> Iterator[_Means]:
    """Take note of what layers put out, for the length of the block."""
    means = _Means(layers)
    with watched(module, [layer.name for layer in layers], means.keep):
        yield means
