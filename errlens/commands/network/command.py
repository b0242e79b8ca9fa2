"""`errlens network`: what is inside a network."""

import dataclasses
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.mistakes.photo_remarks import photo_remarks
from errlens.classes.files import read_classes
from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.commands.evaluate.options import EvaluateOptions
from errlens.commands.evaluate.remarks import show_samples
from errlens.commands.network.options import ProbeOptions
from errlens.commands.options.invocation import INVOCATION
from errlens.commands.options.model import ComputeOptions, ModelOptions
from errlens.commands.options.shell import command_line
from errlens.data.labels import are_indices, choose_classes, label_indices, numbered
from errlens.data.photos.loading import available_cores
from errlens.data.samples import Samples
from errlens.errors import NoImages
from errlens.formats import count, counted, of, share, share_range
from errlens.network.features import read_features
from errlens.network.probe import (
    Head,
    check_target,
    fit_head,
    require_linear_head,
    save_head,
    with_head,
)
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.places import SPLIT_NAMES, data_set_name
from errlens.terminal import Screen, relative


def probe(options: ProbeOptions) -> None:
    """Fit a linear head to the classes of DATA, on the features of a network left as it is."""
    screen = options.screen()

    # Which images, of which classes?
    samples = options.find_samples(seed=options.seed)
    show_samples(screen, samples)
    classes, label = _classes_of(options, samples)

    # What does the network see in them?

    check_target(options.save_head, source=options.checkpoint)
    body = dataclasses.replace(options, classes=None)  # they name the new outputs, not the old
    classifier = body.load_classifier(labels=(), device=options.device)
    batch_size = options.batch_size or classifier.good_batch_size
    classifier.check_batch_size(batch_size)
    problems = samples.frame["problem"].tolist()
    paths = [
        None if problem or index < 0 else samples.root / path
        for path, problem, index in zip(samples.frame["path"], problems, label, strict=True)
    ]
    with screen.progress("reading features", total=len(paths)) as advance:
        found = read_features(
            classifier,
            paths,
            batch_size=batch_size,
            workers=options.workers or available_cores(),
            threads=options.threads,
            max_mb=options.max_file_mb,
            advance=advance,
        )
    if left_out := len(paths) - int(found.read.sum()):
        screen.warn(
            f"{count(left_out)} of {counted(len(paths), 'image')} left out: no label, or cannot be "
            "read"
        )
    for remark in photo_remarks(found.oddities, classifier.preparation.as_dict()):
        screen.warn(remark)
    require_linear_head(classifier, found)

    # Which head tells the classes apart?
    screen.remark(
        f"fitting {counted(len(classes), 'class')} to {counted(found.features.shape[1], 'feature')}"
    )
    head = fit_head(found.features, label[found.read], classes, seed=options.seed)
    save_head(options.save_head, with_head(classifier, head), classifier, classes)
    _show_head(screen, options, head)
    _print_json(screen, options, head, classes)


def _classes_of(options: ProbeOptions, samples: Samples) -> tuple[ClassNames, NDArray[np.int32]]:
    """Return the classes that the new head is for, and the class of each image."""
    labels = samples.labels
    if len(labels) < 2:
        raise NoImages(
            f"{len(labels)} class{'es' * (len(labels) != 1)} in {str(options.data)!r}: a head "
            "tells two or more apart",
            hint="a folder for each class, or a manifest with labels, will do",
        )
    given = read_classes(options.classes) if options.classes else None
    if given is None and are_indices(samples, kind=options.labels):
        given = numbered(1 + max(as_number(label) or 0 for label in labels))
    outputs = len(given or samples.classes or labels)
    classes = choose_classes(
        labels, given=given, carried=None, outputs=outputs, ordered=samples.classes
    )
    return classes, label_indices(
        samples, classes, kind=options.labels, allow_unknown=options.allow_unknown
    )


def _show_head(screen: Screen, options: ProbeOptions, head: Head) -> None:
    """Print how well the head does, where it is, and how to try it on other images."""
    figures = [("training images", head.train)]
    if head.held_out:
        figures.append((f"held out, {counted(head.folds, 'fold')}", head.held_out))
    rows = [
        (
            name,
            share(one.value, one.n),
            share_range(one.low, one.high, one.n),
            of(round(one.value * one.n), one.n),
        )
        for name, one in figures
    ]
    screen.table(("accuracy", ">value", ">95 % interval", ">images"), rows)
    if head.chosen:
        screen.remark(
            f"C {head.strength:g} got most of the held-out images right, which flatters it slightly"
        )
    elif not head.held_out:
        screen.remark("a class has one image only: there is nothing to hold out")
    screen.say()
    screen.say(f"Wrote {relative(options.save_head)}")
    screen.say(f"Next: {_next_command(options)}")


def _next_command(options: ProbeOptions) -> str:
    """Write the command that evaluates the head, on the other split where there is one."""
    kept = {
        one.name: getattr(options, one.name)
        for kind in (ModelOptions, ComputeOptions)
        for one in dataclasses.fields(kind)
        if one.name not in {"classes", "use_ema", "num_classes"}
    }
    evaluation = EvaluateOptions(
        data=_held_out(options.data), **{**kept, "checkpoint": options.save_head}
    )
    return command_line("evaluate", evaluation, without=INVOCATION)


def _held_out(data: Path) -> Path:
    """Return the folder of other images beside a training split; the word DATA if none is there."""
    if data_set_name(data) is None and data.name.casefold() in SPLIT_NAMES:
        for name in ("val", "valid", "validation", "test"):
            if name != data.name and data.with_name(name).is_dir():
                return data.with_name(name)
    return Path("DATA")


def _print_json(screen: Screen, options: ProbeOptions, head: Head, classes: ClassNames) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "network probe",
            "checkpoint": str(options.save_head),
            "classes": list(classes.names),
            "train": head.train._asdict(),
            "held_out": head.held_out and head.held_out._asdict(),
            "folds": head.folds,
            "C": head.strength,
        }
    )
