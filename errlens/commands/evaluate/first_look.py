"""Look at what a network says of some photos before anything is made of it."""

from collections.abc import Sequence
from pathlib import Path

from errlens.commands.options.model import ModelOptions
from errlens.model.classifier import Classifier
from errlens.model.outputs.on_photos import check_on_photos
from errlens.terminal import Screen


def look_first(
    screen: Screen,
    classifier: Classifier,
    photos: Sequence[Path],
    options: ModelOptions,
    *,
    at_once: int | None,
) -> Classifier:
    """Return a classifier that reads its outputs as they are; say what they are, if not logits.

    `at_once` is how many photos the network may be given at a time, where the user said so.
    """
    look = check_on_photos(classifier, photos, threshold=options.threshold, at_once=at_once)
    for remark in look.remarks:
        screen.remark(remark)
    for warning in look.warnings:
        screen.warn(warning)
    return look.classifier
