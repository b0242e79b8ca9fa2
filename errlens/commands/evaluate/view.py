"""How an evaluation looks on the terminal."""

import math
from typing import Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from errlens.analysis.accuracy.metrics import Metrics, Proportion
from errlens.commands import showing
from errlens.commands.evaluate.result import Evaluation
from errlens.commands.options.selecting import ANY_PHOTO
from errlens.commands.showing import first_rows, proportion_cells, say_more, show_files
from errlens.formats import count, counted, number, of, probability, share, share_range
from errlens.predictions.table import LABEL_UNKNOWN, OK
from errlens.run.folder import RunFolder
from errlens.terminal import Screen

WORST_CLASSES: Final = 5
WORST_SUPERCLASSES: Final = 10
BAD_INPUTS: Final = 10
FIRST_CLASSES: Final = 3
_GIVE_WAY: Final = (">95 % interval",)


def show_result(screen: Screen, evaluation: Evaluation, *, step: str) -> None:
    """Print the metrics, what went worst, what could not be read and where it all is.

    `step` is the name of the command, for where it is a step among others.
    """
    run, metrics, classes = evaluation
    n_predicted = metrics.n - metrics.n_failed
    screen.step(step, f"predictions for {of(n_predicted, metrics.n)} images")
    if metrics.top1:
        heads = ("", ">value", ">95 % interval", ">images")
        screen.essential.table(heads, _metric_rows(metrics), gives_way=_GIVE_WAY)
        say_more(
            screen,
            sum(parent.top1 is not None for parent in metrics.by_superclass),
            WORST_SUPERCLASSES,
            ", no worse: see metrics.json",
            noun="superclass",
        )
        _show_worst_classes(screen, classes)
    if metrics.n_unlabelled and metrics.n <= BAD_INPUTS:
        _show_predictions(screen.essential, run)
    if metrics.n_failed:
        _show_failures(screen.essential, run, metrics.n_failed)
    show_files(screen, run.path, [path.name for path in run.written()])


def show_next(screen: Screen, evaluation: Evaluation) -> None:
    """Name the command that goes on from here."""
    run, metrics, _ = evaluation
    path = run.path
    if metrics.top1:
        command = "confusion" if metrics.top1.value < 1 else "report"
        showing.say_next(screen, ["errlens", command, path])
    elif metrics.n > metrics.n_failed and not run.info.imported:
        showing.say_next(screen, ["errlens", "explain", path, "--select", ANY_PHOTO])
    else:
        showing.say_next(screen, ["errlens", "report", path])


def print_json(screen: Screen, command: str, evaluation: Evaluation, **more: Any) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    showing.print_json(
        screen, command, evaluation.run, metrics=evaluation.metrics.as_dict(), **more
    )


def _metric_rows(metrics: Metrics) -> list[tuple[str, str, str, str]]:
    proportions = (
        ("top-1", metrics.top1),
        ("top-5", metrics.top5),
        ("right superclass", metrics.super_top1),
        *((f"top-1, {name}", top1) for name, top1 in _superclasses(metrics)),
    )
    means = (
        ("NLL", metrics.nll),
        ("Brier", metrics.brier),
        ("ECE", metrics.ece),
        ("macro F1", metrics.macro_f1),
    )
    return [(name, *proportion_cells(value)) for name, value in proportions if value] + [
        (name, number(math.inf if mean.value is None else mean.value), "", count(mean.n))
        for name, mean in means
        if mean
    ]


def _superclasses(metrics: Metrics) -> list[tuple[str, Proportion]]:
    """Return how often the images of each superclass are right; where there are many, the worst."""
    known = [(parent.superclass, parent.top1) for parent in metrics.by_superclass if parent.top1]
    if len(known) <= WORST_SUPERCLASSES:
        return known
    return sorted(known, key=lambda parent: parent[1].value)[:WORST_SUPERCLASSES]


def _show_worst_classes(screen: Screen, classes: pd.DataFrame) -> None:
    wrong = classes[classes["recall"] < 1]
    worst = wrong.sort_values(["recall", "n", "class_index"], ascending=[True, False, True])
    rows = [
        (
            str(row["class_name"]),
            share(row["recall"]),
            share_range(row["recall_low"], row["recall_high"]),
            of(round(row["recall"] * row["n"]), row["n"]),
        )
        for row in first_rows(worst, WORST_CLASSES)
    ]
    if rows:
        screen.say()
        # Where all classes are shown, none is among the worst.
        shows_all = len(rows) == (classes["n"] > 0).sum()
        name = "class, worst first" if shows_all else "worst classes"
        heads = (name, ">recall", ">95 % interval", ">images")
        screen.table(heads, rows, gives_way=_GIVE_WAY, file="classes.csv")


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
        [(row["path"], row["status"], row["error"]) for row in bad.to_pylist()],
        prose=("reason",),
    )
    say_more(screen, failed, BAD_INPUTS, ": see the columns status and error")
