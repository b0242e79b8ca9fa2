"""Move a square over images: what becomes of one map of a layer, and of the probabilities."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from errlens.analysis.occlusion.match import Match, match
from errlens.analysis.occlusion.occluded import Occluded, kept_classes
from errlens.analysis.occlusion.on_object import Falls, OnObject
from errlens.analysis.occlusion.sentences import falls_enough, loses_enough
from errlens.attribution.explained_model import ExplainedModel, MethodSettings, borrowed
from errlens.attribution.judging.pointing_game import energy_inside
from errlens.attribution.masks import Box, Sweep, fill, grid, sweep
from errlens.attribution.photos import picture_as_fed
from errlens.attribution.targets import Prediction, Wanted
from errlens.classes.names import NO_CLASS
from errlens.data.photos.images import Unread, quiet_pillow
from errlens.data.photos.loading import Input, available_cores, in_order
from errlens.model.asking.hiding import AskedImage, load_asked
from errlens.model.classifier import Classifier, stack
from errlens.network.occlusion.strongest import hidden_energy
from errlens.network.units.layers import UnitLayer
from errlens.network.units.scores import Unit
from errlens.run.places import MAX_FILE_MB

TRUE: Final = "true"
PREDICTED: Final = "predicted"
_NOT_FINITE: Final = "the outputs of the network are not finite"
_NOTHING: Final = 1e-9  # of an object
_HALF: Final = 0.5  # of a pixel that lies on an object: more counts as on it

Pixels = NDArray[np.uint8]


class SweptImage(NamedTuple):
    """An image under the square.

    `photo` is it as fed, uint8 of shape (height, width, 3), and `covered` the same with the square
    where the probability is lowest. `role` is what the class followed is: true, predicted or its
    name. `object` are the shares of each pixel that lie on its object, shape (height, width).
    `hidden` is the share of the projection under each square, shape (rows, columns).
    """

    occluded: Occluded
    photo: Pixels
    covered: Pixels
    role: str
    object: NDArray[np.float32] | None
    on_object: OnObject | None
    hidden: NDArray[np.float32] | None
    match: Match | None


@dataclass(frozen=True, kw_only=True)
class Sweeping:
    """Sweeps over images.

    `units` are those whose channel is followed, by the numbers of the images, and `hidden` how much
    of its projection is under the square at each position, where there is one. `wanted` is the one
    class whose probability is followed; without it that is the true class, or the predicted where
    no label is known. `object_of` says where the object of an image is.
    """

    classifier: Classifier
    layer: UnitLayer
    settings: MethodSettings
    units: Mapping[int, Unit]
    hidden: Mapping[int, NDArray[np.float32] | None]
    wanted: Wanted | None = None
    object_of: Callable[[int], NDArray[np.float32] | None] = lambda _image: None
    max_mb: int = MAX_FILE_MB

    @property
    def positions(self) -> int:
        """How many positions the square has on an image.

        Raises:
            UnfitOption: Square or stride do not fit the input.
        """
        return grid(ExplainedModel.of(self.classifier).size[1:], self.settings)[..., 0].size

    def over(
        self,
        images: Sequence[AskedImage],
        labels: NDArray[np.int32],
        *,
        advance: Callable[[int], object] = lambda _inputs: None,
    ) -> Iterator[tuple[int, SweptImage | Unread]]:
        """Yield the images that have a unit, by their numbers, one after the other.

        Args:
            images: Files.
            labels: True classes, shape (n,); `NO_CLASS` where one is not known.
            advance: Is told of inputs done, 1 + positions of an image.

        Raises:
            UnfitOption: Square or stride do not fit; or an image has no such class.
            UserCodeFailed, OutOfMemory: The network raised something.
        """
        model = ExplainedModel.of(self.classifier)
        numbers = [number for number in range(len(images)) if number in self.units]
        load = partial(load_asked, self.classifier.preparation, max_mb=self.max_mb)
        asked = (images[number] for number in numbers)
        with quiet_pillow(), borrowed(model.module):
            for number, loaded in zip(
                numbers, in_order(load, asked, workers=available_cores()), strict=True
            ):
                if isinstance(loaded, Unread):
                    yield number, loaded
                    continue
                name, label = images[number].path.name, int(labels[number])
                yield number, self._swept(model, loaded, number, name, label, advance)

    def _swept(
        self,
        model: ExplainedModel,
        loaded: Input,
        number: int,
        name: str,
        label: int,
        advance: Callable[[int], object],
    ) -> SweptImage | Unread:
        used = self.classifier
        image = stack([loaded.value], used.preparation, used.device)[0]
        swept = sweep(model, image, self.settings, layer=self.layer.spatial, advance=advance)
        if not bool(swept.base.isfinite().all()):
            return Unread("failed", _NOT_FINITE)
        role, followed = self._followed(swept, name, label)
        occluded = occluded_of(swept, image, followed, self.units[number].channel)
        for values, what in ((occluded.probability, "outputs"), (occluded.activity, "activity")):
            if not np.isfinite(values).any():
                return Unread("failed", f"{what} not finite wherever the square lies")
        hidden = self.hidden.get(number)
        on_it = self.object_of(number)
        return SweptImage(
            occluded=occluded,
            photo=self._picture(model, image),
            covered=self._covered(model, image, occluded),
            role=role,
            object=on_it,
            on_object=None if on_it is None else _on_object(occluded, on_it),
            hidden=hidden,
            match=None
            if hidden is None or not falls_enough(occluded)
            else match(occluded.activity_falls, hidden, occluded.activity_unoccluded),
        )

    def _followed(self, swept: Sweep, name: str, label: int) -> tuple[str, int]:
        """Return what the class followed is to the image, and its index."""
        order = swept.reading.ranked(swept.base).argsort(descending=True, stable=True).tolist()
        known = None if label == NO_CLASS else label
        if self.wanted is None:
            return (PREDICTED, order[0]) if known is None else (TRUE, known)
        (target,) = self.wanted.targets(
            Prediction(image=name, pred=order[0], label=known, top=order, chances={})
        )
        return target.name, target.wanted

    def _covered(self, model: ExplainedModel, image: Tensor, occluded: Occluded) -> Pixels:
        """Return the image with the square where the probability is lowest."""
        lowest = occluded.lowest(occluded.probability)
        top, left, bottom, right = Box(*occluded.boxes[lowest.row, lowest.column].tolist())
        covered = image.clone()
        filled = fill(model, image, self.settings)
        covered[:, top:bottom, left:right] = filled[:, top:bottom, left:right]
        return self._picture(model, covered)

    def _picture(self, model: ExplainedModel, image: Tensor) -> Pixels:
        return picture_as_fed(image, model.black, model.white, self.classifier)


def occluded_of(swept: Sweep, image: Tensor, followed: int, channel: int) -> Occluded:
    """Return the arrays of a sweep, of one class and one channel of the layer that was looked at.

    Args:
        swept: A sweep that added up the channels of a layer.
        image: Of which it is, shape (channels, height, width).
        followed: The class whose probability is followed.
        channel: Whose activity is told.
    """
    assert swept.channel_sums is not None  # noqa: S101 - the sweep looked at the layer
    sums = swept.channel_sums[:, channel].float().cpu().numpy()
    finite = swept.logits.isfinite().all(dim=2).cpu().numpy()
    pred = np.where(finite, swept.predicted(), NO_CLASS)
    unoccluded = swept.base.double().softmax(dim=0).cpu().numpy()
    kept = kept_classes(unoccluded, pred, followed)
    # Row by row: of many classes the numbers in double precision need more room than all others.
    probabilities = [row.double().softmax(dim=1)[:, kept].float() for row in swept.logits]
    return Occluded(
        boxes=swept.boxes,
        size=(image.shape[1], image.shape[2]),
        classes=kept,
        probabilities=torch.stack(probabilities).cpu().numpy(),
        unoccluded=unoccluded[kept].astype(np.float32),
        pred=pred,
        pred_unoccluded=int(swept.reading.ranked(swept.base).argmax()),
        followed=followed,
        activity=sums[1:].reshape(pred.shape),
        activity_unoccluded=float(sums[0]),
    )


def _on_object(occluded: Occluded, on_it: NDArray[np.float32]) -> OnObject:
    """Return how falls are spread over an object; those on it as `errlens explain --masks` does."""
    lowest = occluded.lowest(occluded.probability)
    at = min(int(lowest.y), on_it.shape[0] - 1), min(int(lowest.x), on_it.shape[1] - 1)
    followed, taken = occluded.followed, occluded.pred_unoccluded
    touches = hidden_energy(on_it / max(float(on_it.sum()), 1.0), occluded.boxes) > _NOTHING

    def falls_of(falls: NDArray[np.float32]) -> Falls | None:
        known = np.nan_to_num(falls)
        on = energy_inside(known, on_it)
        if on is None:
            return None
        positive = known.clip(min=0).astype(np.float64)
        return Falls(on, float(positive[touches].sum() / positive.sum()))

    def falls_of_class(index: int) -> Falls | None:
        return falls_of(occluded.falls_of(index)) if loses_enough(occluded, index) else None

    return OnObject(
        area=float(on_it.mean()),
        touched=float(touches.mean()),
        probability=falls_of_class(followed),
        predicted=None if taken == followed else falls_of_class(taken),
        activity=falls_of(occluded.activity_falls) if falls_enough(occluded) else None,
        peak=bool(on_it[at] > _HALF),
    )
