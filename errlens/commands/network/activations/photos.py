"""The photos that `errlens network activations` is asked for, as the network sees them."""

from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from errlens.attribution.photos import Shown, as_picture, shown_photo
from errlens.commands.network.activations.options import ActivationsOptions
from errlens.commands.network.images import ModelAndImages, model_and_images
from errlens.data.photos.images import Unread
from errlens.data.photos.loading import open_for, prepare_input
from errlens.data.photos.preprocess import Box, Preprocessing
from errlens.errors import NoImages, UnfitOption
from errlens.formats import counted
from errlens.model.classifier import Classifier, stack
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

MOST: Final = 2  # images at a time
SIDE: Final = 448  # pixels of the longest side of a photo that maps are drawn on
KIND: Final = "activations"


class Seen(NamedTuple):
    """A photo as the network gets it, `tensor` of shape (1, channels, height, width).

    `name` and `title` are what to call it in tables and on pictures. `picture` is the same as
    pixels. `box` is where in the photo, of `size` (width, height), the input lies; None, as is
    `shown`, where a transform of the user's own does not say.
    """

    name: str
    title: str
    tensor: Tensor
    picture: NDArray[np.uint8]
    shown: Shown | None
    box: Box | None
    size: tuple[int, int]


def subject_of(options: ActivationsOptions, screen: Screen) -> ModelAndImages:
    """Return the network and the photos asked for: rows of a run, or files.

    Raises:
        UnfitOption: There are more than two, or options that say nothing of them.
        Others: As for `model_and_images`.
    """
    if len(options.files) > MOST:
        raise UnfitOption(
            f"{counted(len(options.files), 'photo')} given: one is shown, or two side by side"
        )
    if options.img_size is not None and not options.of_model:
        raise UnfitOption(
            "a run knows its model: --img-size would change it",
            hint="--input-size N feeds images at another size",
        )

    def pick(run: RunFolder) -> list[int]:
        """Return the first that are selected; the worst error where none was, else the first."""
        selection = options.choose(run)
        rows: list[int] = selection.rows.tolist()
        if not selection.narrowed:
            return rows[:1] or [0]
        if len(rows) > MOST:
            screen.remark(f"{counted(len(rows), 'image')} selected: the first {MOST} are shown")
        return rows[:MOST]

    return model_and_images(options, screen, command=KIND, pick=pick)


def load(subject: ModelAndImages, size: tuple[int, int] | None) -> list[Seen]:
    """Read the photos and prepare them, of another size than usual where one is given.

    Raises:
        NoImages: One cannot be shown.
        UnfitOption: A transform of the user's own decides the size.
    """
    classifier = _at_size(subject.classifier, size)
    return [_load(at, subject, classifier) for at in range(len(subject.images))]


def _at_size(classifier: Classifier, size: tuple[int, int] | None) -> Classifier:
    preparation = classifier.preparation
    if size is None:
        return classifier
    if not isinstance(preparation, Preprocessing):
        raise UnfitOption("--input-size: a transform of one's own decides the size itself")
    return replace(classifier, preparation=replace(preparation, img_size=size))


def _load(at: int, subject: ModelAndImages, classifier: Classifier) -> Seen:
    preparation, image = classifier.preparation, subject.images[at]
    photo = open_for(preparation, image.path, max_mb=subject.max_mb)
    if isinstance(photo, Unread):
        raise _unshown(at, photo.reason, subject)
    if image.content_hash not in (None, photo.content_hash):
        raise _unshown(at, "another file now", subject)
    prepared = prepare_input(photo, preparation)
    if isinstance(prepared, Unread):
        raise _unshown(at, prepared.reason, subject)
    seen = Seen(
        subject.names[at],
        subject.titles[at],
        stack([prepared.value], preparation, classifier.device),
        as_picture(prepared.value, classifier),
        None,
        None,
        photo.image.size,
    )
    if not isinstance(preparation, Preprocessing):
        return seen
    shown = shown_photo(photo, SIDE, preparation.source_box)
    assert isinstance(shown, Shown)  # noqa: S101 - only one drawn as it is can be too large
    return seen._replace(shown=shown, box=preparation.source_box(*photo.image.size))


def _unshown(at: int, reason: str, subject: ModelAndImages) -> NoImages:
    gone = subject.run is not None and not subject.images[at].path.exists()
    hint = "--data-root DIR says where the images of the run lie now" if gone else ""
    return NoImages(f"{subject.names[at]!r} cannot be shown: {reason}", hint=hint)
