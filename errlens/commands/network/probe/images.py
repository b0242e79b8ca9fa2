"""What a network makes of the images that a probe is fitted to, and of which classes these are."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.mistakes.photo_remarks import photo_remarks
from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.options.data import given_classes
from errlens.data.labels import are_indices, choose_classes, label_indices, numbered
from errlens.data.photos.loading import available_cores
from errlens.data.samples import Samples, folders_of_folders
from errlens.errors import NoImages
from errlens.formats import count, counted
from errlens.model.classifier import Classifier
from errlens.network.features import ImageFeatures, read_features
from errlens.network.probing.layers import ProbedLayer
from errlens.terminal import Screen


def classes_of(options: ProbeOptions, samples: Samples) -> tuple[ClassNames, NDArray[np.int32]]:
    """Return the classes that the new head is for, and the class of each image."""
    labels = samples.labels
    if len(labels) < 2:
        raise NoImages(
            f"{counted(len(labels), 'class')} in {str(options.data)!r}: a head tells two or more "
            "apart",
            hint=f"its classes seem to lie deeper: pass {options.data / deeper[0]}"
            if (deeper := folders_of_folders(samples))
            else "a folder for each class, or a manifest with labels, will do",
        )
    given = given_classes(options.classes)
    if given is None and are_indices(samples, kind=options.labels):
        given = numbered(1 + max(as_number(label) or 0 for label in labels))
    outputs = len(given or samples.classes or labels)
    classes = choose_classes(
        labels, given=given, carried=None, outputs=outputs, ordered=samples.classes
    )
    return classes, label_indices(
        samples, classes, kind=options.labels, allow_unknown=options.allow_unknown
    )


def labelled_paths(samples: Samples, label: NDArray[np.int32]) -> list[Path | None]:
    """Return where the images lie; None stands for one without a label, or that is no image."""
    problems = samples.frame["problem"].tolist()
    return [
        None if problem or index < 0 else samples.root / path
        for path, problem, index in zip(samples.frame["path"], problems, label, strict=True)
    ]


def features_of(
    options: ProbeOptions,
    screen: Screen,
    classifier: Classifier,
    paths: Sequence[Path | None],
    layers: Sequence[ProbedLayer] = (),
) -> ImageFeatures:
    """Return what the network makes of every image that has a label and can be read."""
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    with screen.progress("reading features", total=len(paths)) as advance:
        features = read_features(
            classifier,
            paths,
            layers=layers,
            batch_size=batch_size,
            workers=options.workers or available_cores(),
            threads=options.threads,
            max_mb=options.max_file_mb,
            advance=advance,
        )
    if left_out := len(paths) - int(features.read.sum()):
        screen.warn(
            f"{count(left_out)} of {counted(len(paths), 'image')} left out: no label, or cannot be "
            "read"
        )
    for remark in photo_remarks(features.oddities, classifier.preparation.as_dict()):
        screen.warn(remark)
    return features
