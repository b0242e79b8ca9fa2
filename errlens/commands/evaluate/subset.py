"""Only the classes of the data: what a model is left to choose among, as ImageNet-R and -A ask."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import NO_CLASS, Superclasses
from errlens.data.labels import match_labels
from errlens.data.samples import Samples
from errlens.errors import UnfitOption
from errlens.formats import of
from errlens.model.classifier import Classifier
from errlens.terminal import Screen

SOURCE = "the model, those of the data alone"


class Judged(NamedTuple):
    """A classifier, its superclasses, and the class index of each image, -1 where it has none."""

    classifier: Classifier
    superclasses: Superclasses | None
    label: NDArray[np.int32]


def among_classes_of_data(
    screen: Screen, judged: Judged, samples: Samples, *, indices: bool
) -> Judged:
    """Leave the classifier the classes of the data to choose among; labels count these from 0.

    A class folder without an image is a class of the data.

    Args:
        screen: Is told how many these are.
        judged: The classifier with all classes.
        samples: The data.
        indices: Whether labels are numbers of outputs.

    Raises:
        UnfitOption: The data have no labels, or a single class.
    """
    classifier, superclasses, label = judged
    classes = classifier.classes
    meant = match_labels(samples.labels, classes, kind="indices" if indices else "names")
    chosen = sorted({index for index in meant.values() if index is not None})
    if len(chosen) < 2:
        why = f"all are {classes[chosen[0]]!r}" if chosen else "the data have no labels"
        raise UnfitOption(
            f"--classes-subset leaves the model nothing to choose among: {why}",
            hint="--classes-subset takes the classes of labelled data; leave it out here",
        )
    if len(chosen) == len(classes):
        screen.remark("the data have every class of the model: --classes-subset changes nothing")
        return judged
    screen.remark(
        f"choosing among the classes of the data: {of(len(chosen), len(classes))} outputs count, "
        "the others are left out before the softmax"
    )
    place = np.full(len(classes) + 1, NO_CLASS, np.int32)  # the last entry is that of NO_CLASS
    place[chosen] = np.arange(len(chosen))
    return Judged(
        classifier.among(chosen, source=SOURCE),
        superclasses and superclasses.among(chosen),
        place[label],
    )
