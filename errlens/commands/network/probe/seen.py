"""What each layer sees in the images, each content once."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.commands.network.probe.asked import AskedImages
from errlens.commands.network.probe.images import features_of
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.showing import first_few
from errlens.errors import NoImages, UnfitModel
from errlens.formats import counted
from errlens.network.probing.layers import PENULTIMATE, ProbedLayer
from errlens.terminal import Screen

ALL: Final = "all"  # of --layers
MIN_CLASSES: Final = 2  # with fewer there is nothing to tell apart


class Seen(NamedTuple):
    """The features of each layer of n images, each content once, and their classes.

    Classes are those that have images, counted from 0; `of_all` are their numbers among all.
    """

    features: Mapping[str, NDArray[np.float32]]
    label: NDArray[np.int64]
    names: Sequence[str]
    of_all: NDArray[np.int64]
    right: NDArray[np.bool_] | None


def read_layers(
    options: ProbeOptions,
    screen: Screen,
    asked: AskedImages,
    layers: Sequence[ProbedLayer],
    *,
    with_last: bool,
) -> Seen:
    """Run the images through the network once, and keep each content that is as it was.

    Raises:
        NoImages: None can be read.
        UnfitModel: A layer puts out values that are not finite.
    """
    images = features_of(options, screen, asked.subject.classifier, asked.paths, layers)
    at = np.flatnonzero(images.read)
    if not len(at):
        raise NoImages(f"none of {counted(len(images.read), 'image')} can be read")
    kept = _once(images.content_hashes, [asked.content[row] for row in at], screen)
    kept = _several(kept, asked.label[at], asked.classes, screen)
    features = {layer.name: images.by_layer[layer.name][kept] for layer in layers}
    if with_last:
        features[PENULTIMATE] = images.features[kept]
    if with_last and options.layers == ALL:
        features = _without_the_same(features, screen)
    _check_finite(features)
    of_all, label = np.unique(asked.label[at[kept]], return_inverse=True)
    right = None if asked.right is None else asked.right[at[kept]]
    names = [asked.classes[index] for index in of_all.tolist()]
    return Seen(features, label.astype(np.int64), names, of_all.astype(np.int64), right)


def _once(
    contents: Sequence[bytes], before: Sequence[bytes | None], screen: Screen
) -> NDArray[np.intp]:
    """Return which images to look at: each content once, and none that is another file now."""
    as_it_was = [row for row, content in enumerate(contents) if before[row] in (None, content)]
    first: dict[bytes, int] = {}
    for row in as_it_was:
        first.setdefault(contents[row], row)
    if others := len(contents) - len(as_it_was):
        screen.warn(f"{counted(others, 'image')} left out: another file now than was predicted")
    if copies := len(as_it_was) - len(first):
        screen.warn(
            f"{counted(copies, 'image')} left out, a copy of another one each: else a probe would "
            "be judged by what it was fitted to"
        )
    return np.array(list(first.values()), np.intp)


def _several(
    kept: NDArray[np.intp], label: NDArray[np.integer], classes: ClassNames, screen: Screen
) -> NDArray[np.intp]:
    """Leave out classes of a single image, if others have more: none of it can be held out."""
    there, counts = np.unique(label[kept], return_counts=True)
    if (counts > 1).sum() < MIN_CLASSES:
        return kept
    if len(single := there[counts == 1]):
        screen.warn(
            f"{counted(len(single), 'class')} left out, of a single image each: "
            f"{first_few([classes[index] for index in single.tolist()], 3)}"
        )
    return kept[~np.isin(label[kept], single)]


def _check_finite(features: Mapping[str, NDArray[np.float32]]) -> None:
    for name, values in features.items():
        if not np.isfinite(values).all():
            raise UnfitModel(f"layer {name!r} puts out values that are not finite")


def _without_the_same(
    features: Mapping[str, NDArray[np.float32]], screen: Screen
) -> dict[str, Any]:
    """Leave out a last stage whose means the penultimate layer has: both would say the same."""
    last = features[PENULTIMATE]
    others = {
        name: values
        for name, values in features.items()
        if name == PENULTIMATE
        or values.shape != last.shape
        or not np.allclose(values, last, rtol=1e-4, atol=1e-5)
    }
    if same := features.keys() - others.keys():
        screen.remark(f"{', '.join(sorted(same))}: its means are what {PENULTIMATE} is; left out")
    return others
