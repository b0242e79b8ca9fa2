"""`errlens network`: what is inside a network."""

import dataclasses
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.mistakes.photo_remarks import photo_remarks
from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.commands.evaluate.remarks import show_samples
from errlens.commands.network.probe import view
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.options.data import given_classes
from errlens.data.labels import are_indices, choose_classes, label_indices, numbered
from errlens.data.photos.loading import available_cores
from errlens.data.samples import Samples, folders_of_folders
from errlens.errors import NoImages
from errlens.formats import count, counted
from errlens.model.classifier import Classifier
from errlens.network.features import ImageFeatures, read_features
from errlens.network.probe import (
    Head,
    check_target,
    fit_head,
    require_linear_head,
    save_head,
    with_head,
)
from errlens.terminal import Screen


class Probe(NamedTuple):
    """A head that was fitted, and the classes it tells apart."""

    head: Head
    classes: ClassNames


def probe(options: ProbeOptions, screen: Screen | None = None) -> Probe:
    """Fit a linear head to the classes of DATA, on the features of a network left as it is."""
    screen = screen or options.screen()
    head, classes = fitted_probe(options, screen)
    view.show_head(screen, options, head)
    view.print_json(screen, options, head, classes)
    return Probe(head, classes)


def fitted_probe(options: ProbeOptions, screen: Screen) -> Probe:
    """Fit the head and save the network with it."""
    # Which images, of which classes?
    samples = options.find_samples(seed=options.seed)
    show_samples(screen, samples)
    classes, label = _classes_of(options, samples)

    # What does the network see in them?
    check_target(options.save_head, source=options.checkpoint)
    body = dataclasses.replace(options, classes=None)  # they name the new outputs, not the old
    classifier = body.load_classifier(labels=(), device=options.device, new_outputs=len(classes))
    for remark in classifier.network.remarks:
        screen.remark(remark)
    features = _features_of(options, screen, classifier, samples, label)
    require_linear_head(classifier, features)

    # Which head tells the classes apart?
    n_features = features.features.shape[1]
    screen.remark(f"fitting {counted(len(classes), 'class')} to {counted(n_features, 'feature')}")
    head = fit_head(features.features, label[features.read], classes, seed=options.seed)
    save_head(
        options.save_head,
        with_head(classifier, head),
        classifier,
        classes,
        content_hashes=features.content_hashes,
    )
    return Probe(head, classes)


def _classes_of(options: ProbeOptions, samples: Samples) -> tuple[ClassNames, NDArray[np.int32]]:
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


def _features_of(
    options: ProbeOptions,
    screen: Screen,
    classifier: Classifier,
    samples: Samples,
    label: NDArray[np.int32],
) -> ImageFeatures:
    """Return what the network makes of every image that has a label and can be read."""
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    problems = samples.frame["problem"].tolist()
    paths = [
        None if problem or index < 0 else samples.root / path
        for path, problem, index in zip(samples.frame["path"], problems, label, strict=True)
    ]
    with screen.progress("reading features", total=len(paths)) as advance:
        features = read_features(
            classifier,
            paths,
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
