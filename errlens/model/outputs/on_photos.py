"""Run a network on real photos: are its numbers probabilities, and are they the same again?"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor

from errlens.data.photos.images import quiet_pillow
from errlens.data.photos.loading import Input, load_input
from errlens.data.samples import Samples
from errlens.errors import InputError, UnfitModel
from errlens.formats import significant
from errlens.model.classifier import Classifier, stack
from errlens.model.outputs.locating import SCORES_WANTED
from errlens.model.outputs.reading import Reading, Scores
from errlens.model.preparation import UserTransform

PHOTOS: Final = 8
TRIED: Final = 32  # files, where some cannot be read
STRETCH: Final = (-30.0, 30.0, -1e4, 1e4)  # times the pixels: logits leave 0 to 1 there
WHOLES: Final = (1.0, 100.0)  # what probabilities add up to: shares, or percent
OFF: Final = 0.01  # of the whole, by which half precision may miss it
# As a share of the largest output: sums of floats are a thousandth of these off, TF32 as much.
SAME_AGAIN: Final = 0.001
SAME_ALONE: Final = 0.01


class PhotoCheck(NamedTuple):
    """A classifier that takes its outputs for what they are, and what is to be told of them."""

    classifier: Classifier
    remarks: list[str]
    warnings: list[str]


def check_on_photos(
    classifier: Classifier,
    paths: Iterable[Path],
    *,
    threshold: float | None = None,
    at_once: int | None = None,
) -> PhotoCheck:
    """Run a network on some photos, and tell what kind of numbers it returns.

    Outputs that are not negative and add up to one for every photo are probabilities, if they stay
    so for pixels far beyond those of a photo; logits would not. The photos are run twice, and one
    of them alone: the outputs should be the same.

    Args:
        classifier: The classifier.
        paths: The photos; the first eight that can be read are used.
        threshold: Of two classes the second is predicted above this probability.
        at_once: So many photos are run at a time, if there is no memory for all of them.

    Raises:
        UserCodeFailed: The network, or what prepares its inputs, raised something.
        UnfitModel: It returns no scores of classes.
        UnfitOption: There is a threshold, but not two classes.
    """
    outputs = classifier.interface.outputs
    classifier = classifier.read_as(classifier.reading.with_threshold(threshold, classes=outputs))
    paths = list(islice(paths, TRIED))
    values = _photos(classifier, paths)
    remarks, warnings = [], []
    if isinstance(classifier.preparation, UserTransform):
        again = _photos(classifier, paths, most=len(values))
        if not all(map(torch.equal, values, again)):
            warnings.append(_RANDOM_INPUTS.format(name=classifier.preparation.name))
    if values:
        run = _PhotoRun(classifier, values, at_once=at_once or PHOTOS)
        reading = replace(classifier.reading, scores=run.kind())
        classifier = classifier.read_as(reading)
        warnings += run.differences(reading)
        if reading.scores == "sigmoids" and not reading.single:
            warnings.append(_SIGMOIDS.format(n=outputs))
        elif reading.scores == "probabilities":
            remarks.append(_PROBABILITIES)
    if classifier.reading.single:
        remarks.append(_one_output(classifier))
    return PhotoCheck(classifier, remarks, warnings)


def spread_photos(samples: Samples) -> list[Path]:
    """Return the files of a few samples from all over a data set, for `check_on_photos`."""
    frame = samples.frame[samples.frame["problem"].isna()]
    few, more = (np.linspace(0, len(frame) - 1, number).astype(int) for number in (PHOTOS, TRIED))
    rows = dict.fromkeys([*few.tolist(), *more.tolist()] if len(frame) else [])
    return [samples.root / frame["path"].iloc[row] for row in rows]


_PROBABILITIES: Final = (
    "the outputs are probabilities: none is negative, and those of each photo add up to 1, or 100 "
    "percent. They are used as such, and no softmax is taken of them again"
)
_RANDOM_INPUTS: Final = (
    "--transform {name} gives another input for the same photo the second time: a random change of "
    "training is on, and predictions cannot be repeated"
)
_SIGMOIDS: Final = (
    "each of the {n} outputs is between 0 and 1, and they do not add up to one: sigmoids, as of a "
    "model whose classes do not exclude each other. The largest counts as the prediction; its "
    "confidence is the softmax of what the sigmoids were taken of"
)


def _one_output(classifier: Classifier) -> str:
    """Say what one output means: which class it speaks for, and from where on."""
    first, second = classifier.classes.names
    reading = classifier.reading
    what = "it" if reading.scores == "sigmoids" else "its sigmoid"
    return (
        f"the model has one output: {what} is the probability of {second!r}, which is predicted "
        f"above {reading.threshold:g} (--threshold), else {first!r}; if it is the other way round, "
        "--classes FILE names them in that order"
    )


def _photos(classifier: Classifier, paths: Iterable[Path], *, most: int = PHOTOS) -> list[Any]:
    """Return the first few photos that can be read, prepared."""
    with quiet_pillow():
        loaded = (load_input(path, classifier.preparation) for path in paths)
        return list(islice((photo.value for photo in loaded if isinstance(photo, Input)), most))


class _PhotoRun:
    """A network run on some photos, so many at a time, or one by one if it takes no more."""

    def __init__(self, classifier: Classifier, values: Sequence[Any], *, at_once: int) -> None:
        self._classifier = classifier
        shapes = {tuple(value.shape) for value in values}
        alone = classifier.interface.one_at_a_time or len(shapes) > 1
        size = 1 if alone else min(len(values), at_once)
        self._batches = [
            stack(values[start : start + size], classifier.preparation, classifier.device)
            for start in range(0, len(values), size)
        ]
        self._first = self._values(self._batches)

    def kind(self) -> Scores:
        """Tell what the outputs are: logits, probabilities or sigmoids."""
        values = _finite(self._first)
        single = self._classifier.reading.single
        if single and _are_class_numbers(values):
            raise UnfitModel(
                f"{self._classifier.network.name} gives one whole number for each photo "
                f"({', '.join(f'{value:g}' for value in values[:3, 0].tolist())} ...): the number "
                "of a class, it seems, not a score",
                hint=SCORES_WANTED,
            )
        if not single and _add_up(values) and _add_up(self._stretched):
            return "probabilities"
        if _are_shares(values) and _are_shares(self._stretched):
            return "sigmoids"
        return "logits"

    def differences(self, reading: Reading) -> list[str]:
        """Return warnings where the same photo gets other scores the second time, or alone."""
        again = _Comparison(self._first, self._values(self._batches), reading)
        if again.differ(SAME_AGAIN):
            return [
                f"the model answers differently when it is shown the same photos again ({again}): "
                "a dropout or a random change of the images is on, and its predictions cannot be "
                "repeated"
            ]
        batch = self._batches[0]
        if len(batch) == 1:
            return []
        last = slice(len(batch) - 1, len(batch))  # of this batch: there may be others behind it
        try:
            alone = _Comparison(self._first[last], self._values([batch[last]]), reading)
        except InputError as error:
            return [f"the model does not take a photo alone, as the last one may be: {error}"]
        if alone.differ(SAME_ALONE):
            return [
                f"the model answers differently when a photo is shown alone ({alone}): what it "
                "says depends on the photos beside it, as where batch normalisation is in training "
                "mode, and so on --batch-size"
            ]
        return []

    def _values(self, batches: Sequence[Tensor]) -> Tensor:
        """Return the scores as they are, shape (photos, outputs)."""
        with torch.no_grad():
            # Copies, for a network may change its input.
            return torch.cat([self._classifier.scores(batch.clone()) for batch in batches]).cpu()

    @cached_property
    def _stretched(self) -> Tensor:
        """The scores for pixels far beyond those of a photo, where there are finite ones."""
        scores = []
        for factor in STRETCH:
            with suppress(InputError):  # some networks refuse what is no photo
                scores.append(_finite(self._values([batch * factor for batch in self._batches])))
        # Where no score is finite, the photos themselves must do.
        return torch.cat(scores) if any(map(len, scores)) else _finite(self._first)


class _Comparison:
    """The scores of the same photos in two runs, compared where both are finite."""

    def __init__(self, first: Tensor, again: Tensor, reading: Reading) -> None:
        finite = first.isfinite().all(dim=1) & again.isfinite().all(dim=1)
        self._first, self._again, self._reading = first[finite], again[finite], reading

    def differ(self, share: float) -> bool:
        """Do some scores differ by more than a share of the largest?"""
        if not len(self._first):
            return False
        return self._apart > share * max(1.0, float(self._first.abs().amax()))

    @property
    def _apart(self) -> float:
        return float((self._first - self._again).abs().amax())

    def __str__(self) -> str:
        preds = [
            self._reading.ranked(self._reading.of_values(values)).argmax(dim=1)
            for values in (self._first, self._again)
        ]
        changed = int((preds[0] != preds[1]).sum())
        return (
            f"outputs differ by up to {significant(self._apart)}, another class is predicted for "
            f"{changed} of {len(self._first)}"
        )


def _finite(values: Tensor) -> Tensor:
    return values[values.isfinite().all(dim=1)]


def _add_up(values: Tensor) -> bool:
    """Tell whether every row is of shares of a whole; of no row it is not known."""
    if not len(values) or (values < 0).any():
        return False
    sums = values.sum(dim=1)
    return any(bool(((sums / whole - 1).abs() < OFF).all()) for whole in WHOLES)


def _are_shares(values: Tensor) -> bool:
    """Tell whether every value is between 0 and 1; of no row it is not known."""
    return len(values) > 0 and bool(((values >= 0) & (values <= 1)).all())


def _are_class_numbers(values: Tensor) -> bool:
    return bool((values == values.round()).all()) and bool((values > 1).any())
