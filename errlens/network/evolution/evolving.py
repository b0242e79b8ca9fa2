"""The strongest activation of channels at each checkpoint, and what else it says of the images.

M. D. Zeiler, R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, figure
4: the strongest activation over all images, of the same channels at several epochs, projected back
to the pixels. A sudden jump is another image that has become the strongest.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import nn

from errlens.analysis.evolution.likeness import linear_cka
from errlens.attribution.explained_model import ExplainedModel
from errlens.errors import NoImages
from errlens.formats import counted
from errlens.model.asking.hiding import AskedImage
from errlens.model.classifier import Classifier
from errlens.model.weights.checkpoints import hash_weights
from errlens.network.evolution.checkpoints import CheckpointFile
from errlens.network.evolution.pass_over import Passed, Work, pass_over
from errlens.network.units.layers import Channels, UnitLayer, unit_layers
from errlens.network.units.patches import FieldOf, Patch, field_of, patches_of
from errlens.network.units.projection import choose_projection, remark_of
from errlens.network.units.scores import Unit
from errlens.network.units.top_images import Wanted, put_out
from errlens.network.units.top_places import NO_IMAGE

MOST_SHOWN: Final = 12  # checkpoints that patches are kept of

Load = Callable[[Path], Classifier]
Progress = Callable[..., AbstractContextManager[Callable[[int], None]]]


class Strongest(NamedTuple):
    """The strongest activation of m channels of a layer at a checkpoint, arrays of shape (m,).

    `images` are numbers of images, `NO_IMAGE` where a channel is never above zero; its value is
    minus infinity then. `places` are row * columns + column.
    """

    values: NDArray[np.float32]
    images: NDArray[np.int64]
    places: NDArray[np.int32]


class AtCheckpoint(NamedTuple):
    """What is seen at a checkpoint, by layer: the strongest activations, the likeness to the last.

    `logits` have shape (n, classes), of the images read; `patches` are by layer and channel.
    """

    strongest: dict[str, Strongest]
    likeness: dict[str, float]
    logits: NDArray[np.float32]
    patches: dict[tuple[str, int], Patch]


class Evolution(NamedTuple):
    """The checkpoints in their order, and what is the same for all of them.

    `channels` are those looked at by layer, `read` the numbers of the images that could be read,
    and `unread` says of the others why not. `copies` names the checkpoints whose weights are those
    of an earlier one, which it gives. `remarks` say by layer what to know of its projections.
    `bias` is that of the classifier's reading, see `score`.
    """

    layers: Sequence[UnitLayer]
    channels: Mapping[str, Channels]
    checkpoints: Sequence[CheckpointFile]
    seen: Sequence[AtCheckpoint]
    read: NDArray[np.intp]
    unread: Mapping[int, str]
    projection: str | None
    copies: Mapping[str, str]
    remarks: Mapping[str, str]
    bias: float

    @property
    def shown(self) -> list[int]:
        """The checkpoints that there are patches of."""
        return shown_of(len(self.seen))


def shown_of(n: int) -> list[int]:
    """Return which of n checkpoints are shown: all of a few, else evenly spread ones.

    >>> shown_of(3), shown_of(23)
    ([0, 1, 2], [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22])
    """
    places = np.linspace(0, n - 1, min(n, MOST_SHOWN))
    return [int(place) for place in np.rint(places)]


def evolve(  # noqa: PLR0913 - one name for each thing that can be chosen
    checkpoints: Sequence[CheckpointFile],
    load: Load,
    images: Sequence[AskedImage],
    *,
    layers: Sequence[str] | None,
    wanted: Wanted,
    projection: str | None,
    work_of: Callable[[Classifier], Work],
    progress: Progress,
) -> Evolution:
    """Look at the same images at each checkpoint; one network is held at a time.

    The last checkpoint comes first: it decides which channels are the strongest, and all others are
    held against it.

    Args:
        checkpoints: At least two, in their order.
        load: Makes a classifier of a file of weights; all are tried before an image is read.
        images: Those of a run.
        layers: Names of layers; by default the last of each size of map, four at most.
        wanted: Which of their channels.
        projection: How units are carried back to the pixels, or "none"; by default as fits.
        work_of: Says how to work with a classifier.
        progress: `progress(what, total=...)` gives a function that is told of each step forward.

    Raises:
        UnfitCheckpoint, BadCheckpoint: A file is not of the network, or cannot be read.
        NoImages: None of the images can be read, or one is gone that could be read before.
        UnfitLayer, NoSpatialLayer, UnfitOption, UnfitMethod: There is no such layer, channel or
            projection.
        UserCodeFailed, OutOfMemory: The network raised something.
    """
    copies = _copies(checkpoints, load, progress)
    last = load(checkpoints[-1].path)
    model = ExplainedModel.of(last)
    watched = unit_layers(model.module, model.size, layers)
    named = {layer.name: wanted.before(layer) for layer in watched}
    method = None if projection == "none" else choose_projection(model, projection)
    look = _Look(watched, work_of(last), method, field_of(last, watched))
    units = sum(
        min(wanted.strongest, layer.channels) if chosen is None else len(chosen)
        for layer in watched
        for chosen in (named[layer.name],)
    )
    steps = len(checkpoints) * (len(images) + units)
    with progress("looking at checkpoints", total=steps) as advance:
        first = look.over(last, images, advance)
        _require_read(first, images)
        channels = {
            name: first.strongest[name].strongest(wanted.strongest) if chosen is None else chosen
            for name, chosen in named.items()
        }
        shown = shown_of(len(checkpoints))
        seen = []
        for place, file in enumerate(checkpoints[:-1]):
            classifier = load(file.path)
            passed = look.again(classifier, images, first, advance)
            at = look.seen(classifier, passed, first, channels)
            if place in shown:
                at = at._replace(patches=look.patches(classifier, at, channels, images, advance))
            seen.append(at)
        at = look.seen(last, first, first, channels)
        seen.append(at._replace(patches=look.patches(last, at, channels, images, advance)))
    remarks = {
        layer.name: text for layer in watched if method and (text := remark_of(last, layer, method))
    }
    return Evolution(
        watched, channels, checkpoints, seen, first.read, first.unread, method, copies, remarks,
        last.reading.bias,
    )  # fmt: skip


class _Look(NamedTuple):
    """How each checkpoint is looked at."""

    layers: Sequence[UnitLayer]
    work: Work
    method: str | None
    field_of: FieldOf

    def over(
        self, classifier: Classifier, images: Sequence[AskedImage], advance: Callable[[int], None]
    ) -> Passed:
        """Run all images through a network."""
        return pass_over(classifier, self.layers, images, self.work, advance=advance)

    def again(
        self,
        classifier: Classifier,
        images: Sequence[AskedImage],
        first: Passed,
        advance: Callable[[int], None],
    ) -> Passed:
        """Run the images that could be read the first time through another network.

        Raises:
            NoImages: One of them cannot be read any more.
        """
        advance(len(images) - len(first.read))
        passed = self.over(classifier, [images[number] for number in first.read], advance)
        for number, reason in passed.unread.items():
            raise NoImages(
                f"{str(images[first.read[number]].path)!r} could be read a moment ago: {reason}",
                hint="when the images lie still, call again",
            )
        return passed

    def seen(
        self,
        classifier: Classifier,
        passed: Passed,
        first: Passed,
        channels: Mapping[str, Channels],
    ) -> AtCheckpoint:
        """Return what is seen at a checkpoint but for the patches; `first` is the last of all."""
        numbers = first.read if passed is not first else np.arange(1 + first.read.max())
        module = classifier.network.module
        return AtCheckpoint(
            {
                layer.name: _strongest(module, layer, passed, channels[layer.name], numbers)
                for layer in self.layers
            },
            {
                layer.name: linear_cka(passed.means[layer.name], first.means[layer.name])
                for layer in self.layers
            },
            passed.logits,
            {},
        )

    def patches(
        self,
        classifier: Classifier,
        seen: AtCheckpoint,
        channels: Mapping[str, Channels],
        images: Sequence[AskedImage],
        advance: Callable[[int], None],
    ) -> dict[tuple[str, int], Patch]:
        """Return what the strongest units see, by layer and channel."""
        units: dict[int, list[Unit]] = {}
        for layer, top in seen.strongest.items():
            rows = zip(top.images.tolist(), channels[layer].tolist(), top.places, strict=True)
            for number, channel, place in rows:
                if number != NO_IMAGE:
                    units.setdefault(number, []).append(Unit(layer, channel, int(place)))
        _, workers, threads, max_mb = self.work
        found: dict[tuple[str, int], Patch] = {}
        for _, patches in patches_of(
            classifier, self.layers, units, images, method=self.method, field_of=self.field_of,
            workers=workers, threads=threads, max_mb=max_mb,
        ):  # fmt: skip
            found |= {(patch.unit.layer, patch.unit.channel): patch for patch in patches}
            advance(len(patches))
        advance(sum(map(len, channels.values())) - len(found))
        return found


def _require_read(passed: Passed, images: Sequence[AskedImage]) -> None:
    if not len(passed.read):
        number, reason = next(iter(passed.unread.items()))
        raise NoImages(
            f"none of {counted(len(images), 'image')} can be read: {str(images[number].path)!r}: "
            f"{reason}",
            hint="--data-root DIR says where they lie now",
        )


def _copies(
    checkpoints: Sequence[CheckpointFile], load: Load, progress: Progress
) -> dict[str, str]:
    """Try all checkpoints; return which have the weights of an earlier one, and of which."""
    first_of: dict[str, str] = {}
    copies = {}
    with progress("reading checkpoints", total=len(checkpoints)) as advance:
        for file in checkpoints:
            first = first_of.setdefault(hash_weights(load(file.path).network.module), file.name)
            if first != file.name:
                copies[file.name] = first
            advance(1)
    return copies


def _strongest(
    module: nn.Module,
    layer: UnitLayer,
    passed: Passed,
    channels: Channels,
    numbers: NDArray[np.integer],
) -> Strongest:
    """Return the strongest activations of channels; `numbers` are those of the images passed."""
    top = passed.strongest[layer.name]
    images = top.images[channels, 0]
    return Strongest(
        put_out(layer, top.values[channels], module)[:, 0],
        np.where(images == NO_IMAGE, NO_IMAGE, numbers[images]),
        top.places[channels, 0],
    )
