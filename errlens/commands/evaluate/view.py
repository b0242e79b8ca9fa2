"""How an evaluation looks on the terminal."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from errlens.analysis.accuracy.metrics import Mean, Metrics, Proportion, infinite_nll
from errlens.analysis.mistakes.copies import COLUMNS as COPIES_COLUMNS
from errlens.analysis.mistakes.copies import find_copies
from errlens.analysis.mistakes.photo_remarks import copy_remarks, photo_remarks
from errlens.classes.names import NO_CLASS, ClassNames
from errlens.commands.evaluate.spelling_view import respelt_as_text
from errlens.data.labels import FROM_LABELS, merged_labels, order_is_ambiguous, respelt
from errlens.data.photos.oddities import Oddities
from errlens.data.samples import Samples
from errlens.errors import some
from errlens.escapes import shell_line
from errlens.formats import count, counted, number, of, probability, share, share_range
from errlens.predictions.table import LABEL_UNKNOWN, OK
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

if TYPE_CHECKING:  # imports are shown as well, and need no torch
    from errlens.model.classifier import Classifier

WORST_CLASSES = 5
BAD_INPUTS = 10
FIRST_CLASSES = 3
FIRST_KINDS = 8


def show_samples(screen: Screen, samples: Samples) -> None:
    """Say what the scan found."""
    unlabelled = int(samples.frame["label_name"].isna().sum())
    classes = len(samples.labels)
    found = counted(len(samples), "image")
    found += f" in {counted(classes, 'class')}" if classes else " without labels"
    splits = samples.frame["split"].dropna().unique()
    found += f" (split {some(splits)})" if len(splits) else ""
    screen.remark(f"found {found} in {relative(samples.root)}")
    if classes and unlabelled:
        screen.remark(f"{count(unlabelled)} of them without a label: predicted, not in the metrics")
    if samples.empty_classes:
        screen.remark(f"class folders without an image: {some(samples.empty_classes)}")
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
    more = [f"{len(kinds) - FIRST_KINDS} other kinds"] if len(kinds) > FIRST_KINDS else []
    return f"{counted(n, 'file')} ({', '.join(kinds[:FIRST_KINDS] + more)})"


def show_photos(screen: Screen, run: RunFolder, oddities: Oddities) -> None:
    """Warn of photos that may not be to the model what they are to people, and of those twice."""
    copies = find_copies(run.read_predictions(COPIES_COLUMNS).table)
    preprocessing = run.info.settings.preprocessing
    for remark in (*photo_remarks(oddities, preprocessing), *copy_remarks(copies)):
        screen.warn(remark)


def show_classifier(screen: Screen, classifier: "Classifier") -> None:
    """Say which model predicts, how it sees images and where its class names come from."""
    network, classes = classifier.network, classifier.classes
    for remark in network.remarks:
        screen.remark(remark)
    settings = ", ".join(
        f"{key} {value}"
        for key, value in classifier.preparation.as_dict().items()
        if key != "source"
    )
    screen.remark(
        f"{network.name} on {classifier.device}, {counted(len(classes), 'class')} named by "
        f"{classes.source}"
    )
    screen.remark(f"preprocessing: {settings}")
    if classes.source == FROM_LABELS and order_is_ambiguous(classes.names):
        screen.warn(
            "outputs are named in torchvision's order of the class folders; timm's order differs "
            "here, so for a model trained with timm's loader pass --classes FILE"
        )


def show_labels(
    screen: Screen,
    samples: Samples,
    classes: ClassNames,
    label: NDArray[np.int32],
    *,
    are_names: bool,
) -> None:
    """Say what the labels of the data do not share with the names of the classes."""
    count = respelt(samples.frame["label_name"].dropna(), classes) if are_names else {}
    if count:
        screen.remark(respelt_as_text(count, what="label"))
    for labels in merged_labels(samples, classes):
        screen.warn(f"the labels {some(labels)} mean the same class of the model")
    known = np.unique(label[label != NO_CLASS])
    missing = len(classes) - len(known)
    if missing and len(known):
        screen.remark(f"classes without an image here: {of(missing, len(classes))}")


def show_result(screen: Screen, run: RunFolder, metrics: Metrics, classes: pd.DataFrame) -> None:
    """Print the figures, what went worst, what could not be read and where it all is."""
    if metrics.top1:
        screen.table(("", ">value", ">95 % interval", ">images"), _figures(metrics))
        _show_worst_classes(screen, classes)
    if metrics.n_infinite_loss:
        screen.warn(
            f"{infinite_nll(metrics.n_infinite_loss)} (p = 0); where the probabilities were "
            "written with few digits, these made 0 of small ones: write them with more"
        )
    if metrics.n_unlabelled and metrics.n <= BAD_INPUTS:
        _show_predictions(screen, run)
    if metrics.n_failed:
        _show_failures(screen, run, metrics.n_failed)
    screen.say()
    screen.say(f"Wrote {relative(run.path)}: {', '.join(path.name for path in run.written())}")


def show_next(screen: Screen, run: RunFolder, metrics: Metrics) -> None:
    """Name the command that goes on from here."""
    if metrics.top1 and metrics.top1.value < 1:
        screen.say(f"Next: {shell_line(['errlens', 'confusion', relative(run.path)])}")


def print_json(
    screen: Screen,
    run: RunFolder,
    metrics: Metrics,
    *,
    command: str = "evaluate",
    more: Mapping[str, Any] | None = None,
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": metrics.schema_version,
            "command": command,
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "metrics": metrics.as_dict(),
            **(more or {}),
        }
    )


def _figures(metrics: Metrics) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (name, share(one.value, one.n), share_range(one.low, one.high, one.n), _hits(one))
        for name, one in (
            ("top-1", metrics.top1),
            ("top-5", metrics.top5),
            ("right superclass", metrics.super_top1),
            *((f"top-1, {parent.superclass}", parent.top1) for parent in metrics.by_superclass),
        )
        if one
    ]
    means = (
        ("NLL", metrics.nll),
        ("Brier", metrics.brier),
        ("ECE", metrics.ece),
        ("macro F1", metrics.macro_f1),
    )
    return rows + [(name, _mean(mean), "", count(mean.n)) for name, mean in means if mean]


def _mean(mean: Mean) -> str:
    return number(math.inf if mean.value is None else mean.value)


def _hits(one: Proportion) -> str:
    return of(round(one.value * one.n), one.n)


def _show_worst_classes(screen: Screen, classes: pd.DataFrame) -> None:
    wrong = classes[classes["recall"] < 1]
    worst = wrong.sort_values(["recall", "n", "class_index"], ascending=[True, False, True])
    rows = [
        (
            str(one["class_name"]),
            share(one["recall"]),
            share_range(one["recall_low"], one["recall_high"]),
            of(round(one["recall"] * one["n"]), one["n"]),
        )
        for one in worst.head(WORST_CLASSES).to_dict("records")
    ]
    if rows:
        screen.say()
        screen.table(("worst classes", ">recall", ">95 % interval", ">images"), rows)


def _show_predictions(screen: Screen, run: RunFolder) -> None:
    """Print the most probable classes of a few photos without labels."""
    predictions = run.read_predictions(("path", "label", "topk_index", "topk_prob"))
    for photo in predictions.table.to_pylist():
        if photo["label"] is not None or photo["topk_index"] is None:
            continue
        top = list(zip(photo["topk_index"], photo["topk_prob"], strict=True))[:FIRST_CLASSES]
        rows = [(predictions.classes[index], probability(prob)) for index, prob in top]
        screen.table((f"<{photo['path']}", ">probability"), rows)


def _show_failures(screen: Screen, run: RunFolder, failed: int) -> None:
    table = run.read_predictions(("path", "status", "error")).table
    fine = pc.is_in(table["status"].cast("string"), pa.array([OK, LABEL_UNKNOWN]))
    bad = table.filter(pc.invert(fine)).slice(0, BAD_INPUTS)
    screen.say()
    screen.table(
        (f"{counted(failed, 'failed input')}", "status", "reason"),
        [(one["path"], one["status"], one["error"]) for one in bad.to_pylist()],
    )
    if failed > BAD_INPUTS:
        screen.say(f"and {count(failed - BAD_INPUTS)} more: see the columns status and error")
