"""Where in the images of a run the evidence for the predicted class lies, coarsely and of many."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from errlens.analysis.findings.causes.places.grid import SIXTHS
from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.judging.pointing_game import energy_inside
from errlens.attribution.methods import load_method
from errlens.data.objects.outlines import RegionSource
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import Input, available_cores, in_order
from errlens.data.photos.preprocess import Preprocessing
from errlens.errors import UnfitMethod, UnfitOption
from errlens.maps import Target
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.model.asking.time_left import NO_LIMIT, TimeLeft
from errlens.model.classifier import Classifier, stack

METHOD: Final = "gradient-x-input"  # one pass there and one back, and as fine as the input


class OnObject(NamedTuple):
    """Of n images, the share of evidence on the object and of the area; nan where not known."""

    evidence: NDArray[np.float64]
    area: NDArray[np.float64]


def no_evidence(classifier: Classifier) -> str | None:
    """Say why no map can be made of a network, or None."""
    return load_method(METHOD).unsupported(ExplainedModel.of(classifier))


def evidence_by_square(
    classifier: Classifier,
    images: Sequence[AskedImage],
    classes: NDArray[np.integer],
    *,
    step: Callable[[int], object] = lambda _images: None,
    time: TimeLeft = NO_LIMIT,
) -> NDArray[np.float32]:
    """Return how much of what speaks for a class lies in each square of a coarse grid.

    Args:
        classifier: What is asked.
        images: Shape (n,).
        classes: The class of each image whose evidence is meant, shape (n,).
        step: Told of images done.
        time: When it is up, no more images are begun; they have no map.

    Returns:
        Shares of shape (n, SIXTHS, SIXTHS) that add up to 1; nan of an image without a map.

    Raises:
        UnfitMethod: The network has no gradient.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    shares = np.full((len(images), SIXTHS, SIXTHS), np.nan, np.float32)
    for at, values in _maps(classifier, images, classes, step, time):
        squares = adaptive_avg_pool2d(values.clamp(min=0)[None], SIXTHS)[0].cpu().numpy()
        total = float(squares.sum())
        if np.isfinite(total) and total > 0:
            shares[at] = squares / total
    return shares


def evidence_on_object(
    classifier: Classifier,
    images: Sequence[AskedImage],
    names: Sequence[str],
    classes: NDArray[np.integer],
    outlines: RegionSource,
    *,
    step: Callable[[int], object] = lambda _images: None,
    time: TimeLeft = NO_LIMIT,
) -> OnObject:
    """Return how much of what speaks for a class lies on the object of an image.

    Args:
        classifier: What is asked.
        images: Shape (n,).
        names: Their paths, as the outlines name them.
        classes: The class of each image whose evidence is meant, shape (n,).
        outlines: Where the objects are.
        step: Told of images done.
        time: When it is up, no more images are begun.

    Raises:
        UnfitOption: The images are prepared by the user's own code: nobody knows where the outline
            comes to lie.
        InputError: An outline is none.
        UnfitMethod: The network has no gradient.
    """
    preparation = classifier.preparation
    if not isinstance(preparation, Preprocessing):
        raise UnfitOption("--masks takes errlens' own preprocessing, not --transform")
    found = OnObject(*(np.full(len(images), np.nan) for _ in OnObject._fields))
    for at, values in _maps(classifier, images, classes, step, time):
        regions = outlines.regions(names[at], preparation)
        if regions is None or regions.object is None:
            continue
        found.area[at] = float(regions.object.mean())
        share = energy_inside(values.cpu().numpy(), regions.object)
        found.evidence[at] = np.nan if share is None else share
    return found


def _maps(
    classifier: Classifier,
    images: Sequence[AskedImage],
    classes: NDArray[np.integer],
    step: Callable[[int], object],
    time: TimeLeft,
) -> Iterator[tuple[int, Tensor]]:
    """Yield the maps, shape (h, w), of the images that can be read, with their places."""
    method, model = load_method(METHOD), ExplainedModel.of(classifier)
    if reason := method.unsupported(model):
        raise UnfitMethod(METHOD, reason)
    load = partial(load_asked, classifier.preparation)
    size = 1 if classifier.interface.one_at_a_time else classifier.good_batch_size
    with quiet_pillow(), borrowed(model.module):
        loaded = in_order(load, images, workers=available_cores())
        batch: list[tuple[int, Input]] = []
        for at, image in enumerate(loaded):
            if not isinstance(image, Unread):
                batch.append((at, image))
            if len(batch) == size or (batch and at + 1 == len(images)):
                yield from _of_batch(classifier, model, batch, classes)
                batch = []
                if time.is_up:
                    return
            step(1)


def _of_batch(
    classifier: Classifier,
    model: ExplainedModel,
    batch: Sequence[tuple[int, Input]],
    classes: NDArray[np.integer],
) -> Iterator[tuple[int, Tensor]]:
    places = [at for at, _ in batch]
    inputs = stack([image.value for _, image in batch], classifier.preparation, classifier.device)
    targets = [[Target("predicted", int(classes[at]))] for at in places]
    maps = load_method(METHOD).explain(model, inputs, targets, MethodSettings())
    for at, values in zip(places, maps.values[:, 0], strict=True):
        yield at, torch.nan_to_num(values.float())
