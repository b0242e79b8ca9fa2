"""Images of a run, read and given to a network batch by batch, in threads."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.data.photos.images import quiet_pillow
from errlens.model.asking.hiding import AskedImage, load_some_asked
from errlens.model.asking.threads import asking_threads
from errlens.model.classifier import Classifier, stack
from errlens.run.places import MAX_FILE_MB

Answer = TypeVar("Answer")


class Batch(NamedTuple):
    """Images as a network gets them, shape (n, channels, height, width), and their places."""

    at: NDArray[np.intp]
    images: Tensor


def over_images(
    classifier: Classifier,
    images: Sequence[AskedImage],
    work: Callable[[Tensor], Answer],
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    max_mb: int = MAX_FILE_MB,
    step: Callable[[int], object] = lambda _images: None,
) -> Iterator[tuple[NDArray[np.intp], Answer]]:
    """Yield what `work` makes of a few images at a time, with their places among all, in order.

    Images that are gone, cannot be read, or are not those that were predicted are left out.

    Args:
        classifier: Whose preparation and device they are for; a network that keeps tensors, or
            takes one image at a time, is given them so.
        images: Where they lie.
        work: Is given a batch, in one of several threads.
        batch_size: Images at a time, if not as many as suit the network.
        workers: Threads, if not one for each core.
        max_mb: Megabytes of a file above which it is not read.
        step: Told of images done.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    size = 1 if classifier.interface.one_at_a_time else batch_size or classifier.good_batch_size
    jobs = (
        np.arange(start, min(start + size, len(images))) for start in range(0, len(images), size)
    )

    def answer(places: NDArray[np.intp]) -> tuple[NDArray[np.intp], Answer | None, int]:
        batch = read_batch(classifier, images, places, max_mb=max_mb)
        with torch.no_grad():
            return batch.at, work(batch.images) if len(batch.at) else None, len(places)

    with quiet_pillow(), asking_threads(classifier, workers) as in_threads:
        for at, made, n in in_threads(answer, jobs):
            if made is not None:
                yield at, made
            step(n)


def read_batch(
    classifier: Classifier,
    images: Sequence[AskedImage],
    places: NDArray[np.intp],
    *,
    max_mb: int = MAX_FILE_MB,
) -> Batch:
    """Read some images; those that cannot be read, or are others now, are left out."""
    inputs = load_some_asked(classifier.preparation, images, places.tolist(), max_mb=max_mb)
    at = np.array(inputs.read, np.intp)
    if not inputs.values:
        return Batch(at, torch.zeros(0))
    return Batch(at, stack(inputs.values, classifier.preparation, classifier.device))
