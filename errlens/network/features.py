"""The features of images: what the last layer of a network is fed."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import Input, in_order, load_input
from errlens.data.photos.oddities import Oddities, count_oddities, total
from errlens.errors import UnfitModel
from errlens.model.classifier import Classifier, Outputs
from errlens.run.places import MAX_FILE_MB


class ImageFeatures(NamedTuple):
    """The features and outputs of those images that could be read.

    `read` tells which these are, of all; the arrays have a row for each of them, `content_hashes`
    the first 16 bytes of the sha256 of its file. `oddities` counts those among them that a network
    may see otherwise than people do.
    """

    read: NDArray[np.bool_]
    features: NDArray[np.float32]
    logits: NDArray[np.float32]
    content_hashes: list[bytes]
    oddities: Oddities


def read_features(
    classifier: Classifier,
    paths: Sequence[Path | None],
    *,
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
        batch_size: Images at a time.
        workers: Threads that decode and predict.
        threads: Threads of torch inside each of them.
        max_mb: Megabytes of a file above which it is not read.
        advance: Is told of each step forward.

    Raises:
        UnfitModel: No layer of the network is known to give the outputs.
    """
    if classifier.interface.head is None:
        raise UnfitModel(
            f"{classifier.network.name} has no linear layer that gives its outputs: there are no "
            "features to read"
        )
    chunks = (paths[start : start + batch_size] for start in range(0, len(paths), batch_size))
    begin = partial(torch.set_num_threads, threads)
    batches = []
    with quiet_pillow(), classifier.ready(with_features=True) as outputs:
        work = partial(_read, classifier, outputs, max_mb)
        for batch in in_order(work, chunks, workers=workers, begin=begin):
            advance(len(batch.read))
            batches.append(batch)
    return ImageFeatures(
        np.concatenate([batch.read for batch in batches]),
        np.concatenate([batch.features for batch in batches]),
        np.concatenate([batch.logits for batch in batches]),
        [each for batch in batches for each in batch.content_hashes],
        total(batch.oddities for batch in batches),
    )


def _read(
    classifier: Classifier,
    outputs: Callable[[Sequence[object]], Outputs],
    max_mb: int,
    paths: Sequence[Path | None],
) -> ImageFeatures:
    loaded = [path and load_input(path, classifier.preparation, max_mb=max_mb) for path in paths]
    inputs = [
        (str(path), image)
        for path, image in zip(paths, loaded, strict=True)
        if isinstance(image, Input)
    ]
    given = outputs([image.value for _, image in inputs])
    return ImageFeatures(
        np.array([isinstance(image, Input) for image in loaded]),
        given.features,
        given.logits,
        [image.content_hash for _, image in inputs],
        count_oddities((path, image.traits) for path, image in inputs),
    )
