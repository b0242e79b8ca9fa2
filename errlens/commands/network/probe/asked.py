"""Which images layers are probed with, of which classes, and of which network."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.confusion.matrix import confusion_matrix_of_arrays
from errlens.analysis.confusion.pairs import pair_table
from errlens.analysis.findings.scored import COLUMNS, scored
from errlens.analysis.selection.parsing import parse_pair
from errlens.classes.names import ClassNames, Superclasses
from errlens.commands.evaluate.remarks import show_samples
from errlens.commands.network.probe.images import classes_of, labelled_paths
from errlens.commands.network.probe.options import ProbeOptions
from errlens.commands.network.subject import Subject
from errlens.commands.options.data import DataOptions, given_superclasses
from errlens.commands.options.model import ModelOptions
from errlens.commands.options.shell import given_options
from errlens.errors import UnfitOption
from errlens.model.reload import reload_classifier
from errlens.run.folder import open_run
from errlens.run.places import is_run
from errlens.terminal import Screen

PAIRS = 3  # of a run, where none is named
_OF_A_RUN = ("data", "root", "max_file_mb")


class AskedImages(NamedTuple):
    """Images with their classes, and the network that looks at them.

    `paths` are None for those that cannot be had; `label` is -1 there at most. `content` are the
    hashes of the files as they were predicted, where that is known. `right` tells of each image of
    a run whether it was predicted right.
    """

    subject: Subject
    paths: Sequence[Path | None]
    label: NDArray[np.int32]
    classes: ClassNames
    superclasses: Superclasses | None
    pairs: Sequence[tuple[int, int]]
    content: Sequence[bytes | None]
    right: NDArray[np.bool_] | None = None


def asked_images(options: ProbeOptions, screen: Screen) -> AskedImages:
    """Return the images of a run with its model, or others with the model named.

    Raises:
        UnfitOption: Options would change what a run knows.
        Others: As for `evaluate`, or for what reads a run.
    """
    return _of_run(options) if is_run(options.data) else _of_data(options, screen)


def _of_data(options: ProbeOptions, screen: Screen) -> AskedImages:
    samples = options.find_samples(seed=options.seed)
    show_samples(screen, samples)
    classes, label = classes_of(options, samples)
    body = dataclasses.replace(options, classes=None)  # they name the images' classes
    classifier = body.load_classifier(labels=(), device=options.device, new_outputs=len(classes))
    for remark in classifier.network.remarks:
        screen.remark(remark)
    return AskedImages(
        Subject(classifier, classifier.network.name),
        labelled_paths(samples, label),
        label,
        classes,
        given_superclasses(options.superclasses, classes),
        [parse_pair(text, classes) for text in options.pair or ()],
        [None] * len(label),
    )


def _of_run(options: ProbeOptions) -> AskedImages:
    _refuse_other_images(options)
    run = open_run(options.data)
    run.require_complete()
    info = run.require_model()
    images = scored(run.read_predictions(COLUMNS))
    if not len(images):
        raise run.no_labels()
    classes = images.classes
    pairs = [parse_pair(text, classes) for text in options.pair or ()]
    if not pairs:
        table = pair_table(confusion_matrix_of_arrays(images.label, images.pred, classes))
        ends = [classes.indices(table[name])[:PAIRS].tolist() for name in ("class_a", "class_b")]
        pairs = list(zip(*ends, strict=True))
    root = options.root or Path(info.data_root)
    given = given_superclasses(options.superclasses, classes)
    classifier = reload_classifier(info, device=options.device, trusted=options.trust_run)
    return AskedImages(
        Subject(classifier, options.data.resolve().name, run),
        [root / images.paths[at] for at in range(len(images))],
        images.label,
        classes,
        given or info.superclasses,
        pairs,
        [images.content_hash[at] for at in range(len(images))],
        ~images.wrong,
    )


def _refuse_other_images(options: ProbeOptions) -> None:
    """Refuse options that would change what a run knows.

    Raises:
        UnfitOption: There are such.
    """
    if given := given_options(options, DataOptions, ModelOptions, but=_OF_A_RUN):
        raise UnfitOption(
            f"{str(options.data)!r} is a run and knows its images and its model: "
            f"{', '.join(given)} would change them",
            hint="leave that out, or name the images and the model instead of the run",
        )
