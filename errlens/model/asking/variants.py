"""Changes of the input as they are done with one classifier, and why some cannot be."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from PIL import Image

from errlens.data.photos.changes import CHANGES, OF_COLOUR, Change, Settings
from errlens.data.photos.images import Encoded, Photo, Unread
from errlens.data.photos.loading import Input, Preparation, decode_for, prepare_input
from errlens.data.photos.preprocess import Preprocessing
from errlens.data.photos.retouching import Picture
from errlens.model.classifier import Classifier
from errlens.model.preparation import UserTransform
from errlens.model.restoring.hits import takes

_OWN_TRANSFORM: Final = "what a --transform of your own does cannot be changed"


class Shown(NamedTuple):
    """A photo that was decoded, its file, and the picture as fed where the settings are known."""

    photo: Photo
    encoded: Encoded
    picture: Image.Image | None


class Variant(NamedTuple):
    """A change, and what makes the changed input of a photo; None where none can be made."""

    change: Change
    input_of: Callable[[Shown], Any | None]


def shown(photo: Photo, encoded: Encoded, used: Preparation) -> Shown:
    """Return a photo with its picture as fed.

    Raises:
        ValueError: It is so thin that it cannot be fitted.
    """
    picture = used.fit(photo.image) if isinstance(used, Preprocessing) else None
    return Shown(photo, encoded, picture)


def as_fed(seen: Shown, used: Preparation) -> Any:
    """Return the input of a photo without any change."""
    if seen.picture is not None and isinstance(used, Preprocessing):
        return used.as_fed(seen.picture)
    return used.prepare(seen.photo.image)


def same_input(one: Any, other: Any) -> bool:
    """Tell whether two inputs are the same to the last bit."""
    if isinstance(one, torch.Tensor):
        return one.shape == other.shape and torch.equal(one, other)
    return np.array_equal(one, other)


def variants_of(classifier: Classifier) -> tuple[list[Variant], dict[str, str]]:
    """Return the changes that can be done with a classifier, and why the others cannot, by name."""
    variants: list[Variant] = []
    left_out: dict[str, str] = {}
    for change in CHANGES:
        made = _variant(change, classifier)
        if isinstance(made, str):
            left_out[change.name] = made
        else:
            variants.append(Variant(change, made))
    return variants, left_out


def _variant(change: Change, classifier: Classifier) -> Callable[[Shown], Any | None] | str:
    """Return what makes the changed input, or why nothing does."""
    used = classifier.preparation
    if change.name in OF_COLOUR and used.image_mode == "L":
        return "the network is fed no colours"
    if change.upright:
        return _upright(used)
    if change.settings:
        return _with_settings(change.settings, classifier)
    if change.photo:
        return _of_photo(change.photo, used)
    return _of_picture(change.picture, used, turns=change.turns)


def _upright(used: Preparation) -> Callable[[Shown], Any | None] | str:
    """Turn photos as their EXIF says; those that say nothing are what they were."""
    if used.exif:
        return "photos are turned as EXIF says already"
    if not isinstance(used, Preprocessing | UserTransform):
        return _OWN_TRANSFORM
    turning = replace(used, exif=True)

    def make(seen: Shown) -> Any | None:
        if not seen.photo.traits.turned:
            return as_fed(seen, used)
        photo = decode_for(turning, seen.encoded)
        return None if isinstance(photo, Unread) else _prepared(photo, used)

    return make


def _with_settings(change: Settings, classifier: Classifier) -> Callable[[Shown], Any | None] | str:
    used = classifier.preparation
    if not isinstance(used, Preprocessing):
        return _OWN_TRANSFORM
    replaced = change(used)
    if isinstance(replaced, str):
        return replaced
    other = replace(used, **replaced)
    if other.img_size != used.img_size and not takes(classifier, other):
        return f"{classifier.network.name} takes no images of another size"
    return lambda seen: _prepared(seen.photo, other)


def _of_photo(change: Picture, used: Preparation) -> Callable[[Shown], Any | None]:
    return lambda seen: _prepared(seen.photo._replace(image=change(seen.photo.image)), used)


def _of_picture(
    change: Picture, used: Preparation, *, turns: bool
) -> Callable[[Shown], Any | None]:
    """Change the picture as fed; the photo where that is not known, or would not fit turned."""
    if not isinstance(used, Preprocessing) or (turns and len(set(used.img_size)) > 1):
        return _of_photo(change, used)

    def make(seen: Shown) -> Any | None:
        return None if seen.picture is None else used.as_fed(change(seen.picture))

    return make


def _prepared(photo: Photo, preparation: Preparation) -> Any | None:
    made = prepare_input(photo, preparation)
    return made.value if isinstance(made, Input) else None
