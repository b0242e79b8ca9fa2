"""Ask a network about images with one place after the other hidden."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from errlens.analysis.findings.causes.places.grid import Place
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import Input, Preparation, load_input
from errlens.model.asking.threads import asking_threads
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.classifier import Classifier, stack
from errlens.predictions.table import MISSING
from errlens.run.places import MAX_FILE_MB

NOT_ASKED: Final = -1
_SQUARES: Final = 12  # along a side: how fine what hides is
_REACH: Final = 2.0  # squares: how far away lies what is taken to hide a place


class AskedImage(NamedTuple):
    """An image of a run: its file, its content as it was predicted (None where not known)."""

    path: Path
    content_hash: bytes | None


def ask_hidden(
    classifier: Classifier,
    images: Sequence[AskedImage],
    places: Sequence[Sequence[Place]],
    *,
    step: Callable[[int], object] = lambda _images: None,
    workers: int | None = None,
    max_mb: int = MAX_FILE_MB,
    time: TimeLeft = NO_LIMIT,
) -> NDArray[np.int32]:
    """Return what is predicted of each image as it is, then with each of its places hidden.

    What hides a place is made of what lies around it, so that nothing of it is left, and no edge is
    drawn either.

    Args:
        classifier: What is asked.
        images: Shape (n,).
        places: Of each image, the same number p.
        step: Told of each image done.
        workers: Threads; as many as there are cores, if not given.
        max_mb: Megabytes of a file above which it is not read.
        time: When it is up, no more images are begun; some are in any case.

    Returns:
        Class indices of shape (n, 1 + p). `NOT_ASKED` throughout of an image that is gone, that
        is not the one predicted any more, that cannot be read, or that there was no time for.

    Raises:
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    width = 1 + max(map(len, places), default=0)
    answers = np.full((len(images), width), NOT_ASKED, np.int32)
    jobs = zip(images, places, strict=True)
    work = partial(_answers, classifier, max_mb)
    with quiet_pillow(), asking_threads(classifier, workers) as in_threads:
        for at, of_image in enumerate(in_threads(work, jobs)):
            if of_image is not None:
                answers[at] = of_image
            step(1)
            if time.is_up:
                break
    return answers


def _answers(
    classifier: Classifier, max_mb: int, job: tuple[AskedImage, Sequence[Place]]
) -> NDArray[np.int32] | None:
    asked, places = job
    loaded = load_asked(classifier.preparation, asked, max_mb=max_mb)
    if isinstance(loaded, Unread):
        return None
    image = stack([loaded.value], classifier.preparation, classifier.device)
    size = classifier.good_batch_size if not classifier.interface.one_at_a_time else 1
    with torch.no_grad():
        return np.concatenate(
            [
                predicted(classifier, torch.cat(list(batch)))
                for batch in _batches([image, *hidden(image, places)], size)
            ]
        )


def load_asked(
    preparation: Preparation, image: AskedImage, *, max_mb: int = MAX_FILE_MB
) -> Input | Unread:
    """Read and prepare an image of a run, if it is still the one that was predicted."""
    loaded = load_input(image.path, preparation, max_mb=max_mb)
    if isinstance(loaded, Input) and image.content_hash not in (None, loaded.content_hash):
        return Unread(MISSING, "another file now", loaded.content_hash)
    return loaded


class AskedInputs(NamedTuple):
    """Inputs of a network, and at which positions their images are; why others are not read."""

    values: list[Any]
    read: list[int]
    unread: dict[int, str]


def load_some_asked(
    preparation: Preparation,
    images: Sequence[AskedImage],
    positions: Iterable[int],
    *,
    max_mb: int = MAX_FILE_MB,
) -> AskedInputs:
    """Read and prepare those images at some positions that are still what was predicted."""
    inputs = AskedInputs([], [], {})
    for position in positions:
        loaded = load_asked(preparation, images[position], max_mb=max_mb)
        if isinstance(loaded, Unread):
            inputs.unread[position] = loaded.reason
        else:
            inputs.values.append(loaded.value)
            inputs.read.append(position)
    return inputs


def predicted(classifier: Classifier, batch: Tensor) -> NDArray[np.int32]:
    """Return the class predicted of each input of a batch."""
    reading = classifier.reading
    logits = reading.ranked(reading.of_values(classifier.scores(batch)))
    return logits.argmax(dim=1).cpu().numpy().astype(np.int32)


def hidden(image: Tensor, places: Sequence[Place]) -> list[Tensor]:
    """Return copies of an image, shape (1, channels, height, width), with a place hidden in each.

    What hides is smooth, and made of what lies around the place alone.
    """
    height, width = image.shape[2:]
    coarse = adaptive_avg_pool2d(image, _SQUARES).flatten(2)[0]  # channels, squares
    copies = []
    for place in places:
        weights = _around(place).to(coarse)
        filled = (coarse @ weights.T).reshape(1, len(coarse), _SQUARES, _SQUARES)
        full = interpolate(filled, size=(height, width), mode="bilinear", align_corners=False)
        copies.append(_covered(image, full, place))
    return copies


def _covered(image: Tensor, cover: Tensor, place: Place) -> Tensor:
    """Put a rectangle of the cover over a copy of the image, or all but that of a frame."""
    top, left, bottom, right = place.pixels(*image.shape[2:])
    below, above = (image, cover) if place.frame else (cover, image)
    copy = above.clone(memory_format=torch.channels_last)
    copy[:, :, top:bottom, left:right] = below[:, :, top:bottom, left:right]
    return copy


@cache
def _around(place: Place) -> Tensor:
    """Return how much of each square outside of a place goes into what hides each square."""
    centres = (np.arange(_SQUARES) + 0.5) / _SQUARES
    top, left, bottom, right = place[:4]
    rows, columns = np.meshgrid(centres, centres, indexing="ij")
    inside = (top <= rows) & (rows < bottom) & (left <= columns) & (columns < right)
    outside = (inside if place.frame else ~inside).ravel()
    at = np.stack([rows.ravel(), columns.ravel()], axis=1) * _SQUARES
    squared = ((at[:, None] - at[None]) ** 2).sum(axis=2)
    # Against the nearest square outside, so that the middle of a large place has weights, too.
    nearest = np.where(outside, squared, np.inf).min(axis=1, keepdims=True)
    weights = np.exp((nearest - squared) / (2 * _REACH**2)) * outside
    return torch.from_numpy(weights / weights.sum(axis=1, keepdims=True))


def _batches(images: Sequence[Tensor], size: int) -> Iterator[Sequence[Tensor]]:
    for start in range(0, len(images), size):
        yield images[start : start + size]
