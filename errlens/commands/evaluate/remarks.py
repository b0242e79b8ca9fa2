"""What is said while an evaluation is at work: of its data, its model and its photos."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.accuracy.metrics import infinite_nll
from errlens.analysis.mistakes.copies import COLUMNS, find_copies
from errlens.analysis.mistakes.photo_remarks import copy_remarks, photo_remarks
from errlens.classes.names import NO_CLASS, ClassNames
from errlens.commands.evaluate.result import Evaluation
from errlens.commands.evaluate.spelling import respelt_as_text
from errlens.data.labels import merged_labels, respelt
from errlens.data.photos.oddities import Oddities
from errlens.data.samples import Samples
from errlens.errors import some
from errlens.formats import count, counted, of
from errlens.terminal import Screen, folder_named, relative

if TYPE_CHECKING:  # imports are remarked on as well, and need no torch
    from errlens.model.classifier import Classifier

_MOST_SUFFIXES: Final = 8  # of skipped files, named in a sentence


def show_samples(screen: Screen, samples: Samples) -> None:
    """Say which images and classes the data hold, and what was left out."""
    unlabelled = int(samples.frame["label_name"].isna().sum())
    classes = len(samples.labels)
    images = counted(len(samples), "image")
    images += f" in {counted(classes, 'class')}" if classes else " without labels"
    splits = samples.frame["split"].dropna().unique()
    images += f" (split {some(splits)})" if len(splits) else ""
    screen.remark(f"found {images} in {folder_named(samples.root)}")
    if samples.remark:
        screen.remark(samples.remark)
    if classes and unlabelled:
        screen.remark(f"{count(unlabelled)} of them without a label: predicted, not in the metrics")
    if samples.empty_classes:
        screen.remark(f"class folders without an image: {some(samples.empty_classes)}")
    if samples.made:
        where = some([relative(samples.root / name) for name in samples.made], most=3)
        screen.warn(f"left out pictures that errlens made, in {where}")
    if samples.skipped:
        screen.warn(f"skipped {_files(samples.skipped)}: no images")
    if samples.misnamed:
        screen.warn(
            f"took {_files(samples.misnamed)}: pictures, though not by the end of their names, "
            "and timm would leave them out"
        )


def _files(counts: Mapping[str, int]) -> str:
    """Count files by suffix.

    >>> _files({".txt": 2, ".md": 1})
    '3 files (2 .txt, 1 .md)'
    """
    n = sum(counts.values())
    kinds = [f"{count(files)} {suffix}" for suffix, files in counts.items()]
    more = [f"{len(kinds) - _MOST_SUFFIXES} other kinds"] if len(kinds) > _MOST_SUFFIXES else []
    return f"{counted(n, 'file')} ({', '.join(kinds[:_MOST_SUFFIXES] + more)})"


def show_classifier(screen: Screen, classifier: "Classifier") -> None:
    """Say which model predicts, how it sees images and where its class names come from."""
    network, classes = classifier.network, classifier.classes
    for remark in network.remarks:
        screen.remark(remark)
    settings = ", ".join(
        key if value is True else f"{key} {value}"
        for key, value in classifier.preparation.as_dict().items()
        if key != "source" and value is not False
    )
    screen.remark(
        f"{network.name} on {classifier.device}, {counted(len(classes), 'class')} named by "
        f"{classes.source}"
    )
    screen.remark(f"preprocessing: {settings}")


def show_labels(
    screen: Screen,
    samples: Samples,
    classes: ClassNames,
    label: NDArray[np.int32],
    *,
    are_names: bool,
    subset: bool,
) -> None:
    """Say where the labels of the data and the names of the classes differ.

    `subset` says that there is to choose among the classes of the data only.
    """
    spellings = respelt(samples.frame["label_name"].dropna(), classes) if are_names else {}
    if spellings:
        screen.remark(respelt_as_text(spellings, what="label"))
    for labels in merged_labels(samples, classes):
        screen.warn(f"the labels {some(labels)} mean the same class of the model")
    known = np.unique(label[label != NO_CLASS])
    missing = len(classes) - len(known)
    if missing and len(known) and not subset:
        way = "; --classes-subset leaves them out of the choice" if len(known) > 1 else ""
        screen.remark(f"classes without an image here: {of(missing, len(classes))}{way}")


def warn_of_result(screen: Screen, evaluation: Evaluation) -> None:
    """Warn of photos that a model sees otherwise than people, of copies, and of rounded zeros."""
    run, metrics = evaluation.run, evaluation.metrics
    copies = find_copies(run.read_predictions(COLUMNS).table)
    oddities = Oddities.from_dict(run.info.photos)
    remarks = photo_remarks(oddities, run.info.settings.preprocessing)
    for remark in (*remarks, *copy_remarks(copies)):
        screen.warn(remark)
    if metrics.n_infinite_loss:
        screen.warn(
            f"{infinite_nll(metrics.n_infinite_loss)} (p = 0); where the probabilities were "
            "written with few digits, these made 0 of small ones: write them with more"
        )
