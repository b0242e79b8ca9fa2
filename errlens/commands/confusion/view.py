"""How confusion looks on the terminal."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.groups import names_of
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import by_status
from errlens.analysis.confusion.sentences import none_exceptional, sentences
from errlens.analysis.confusion.soft import mean_covered, soft_pairs
from errlens.analysis.confusion.tables import ConfusionTables
from errlens.analysis.selection.parsing import pair_selector
from errlens.classes.names import ClassNames
from errlens.commands import showing
from errlens.commands.confusion.options import ConfusionOptions
from errlens.commands.confusion.pairs_view import (
    show_legend,
    show_most_frequent,
    show_one_way,
    show_pairs,
)
from errlens.commands.confusion.result import ConfusionResult
from errlens.errors import some
from errlens.formats import NOT_KNOWN, count, counted, points, probability, share
from errlens.run.folder import RunFolder
from errlens.terminal import Cell, Screen

ODD_COUNTS = 5  # classes named that have not the images expected


def show(
    screen: Screen, run: RunFolder, result: ConfusionResult, options: ConfusionOptions
) -> None:
    """Print how many images there are, what is mixed up, where it all is, and what to do next."""
    matrix, tables = result.matrix, result.tables
    _show_matrix(screen, matrix, expected=options.expected)
    _show_tables(screen, matrix, tables, by=options.by, top=options.top)
    showing.show_files(screen, run.path / "confusion", result.files)
    screen.step("confusion", _in_short(matrix, tables))
    showing.say_next(screen, _next_words(run, tables))
    showing.print_json(
        screen, "confusion", run, **_as_tree(matrix, tables), files=list(result.files)
    )


def _show_matrix(screen: Screen, matrix: ConfusionMatrix, *, expected: int | None) -> None:
    """Say how many images there are of each class, and whether that is as it should be."""
    n = matrix.n
    most, least = int(n.max()), int(n[n > 0].min())
    each = f"{count(most)} of each"
    if least < most:
        each = f"{count(least)} to {each}"
    images, classes = counted(matrix.total, "image"), counted(int(np.count_nonzero(n)), "class")
    screen.say(f"{images} of {classes}, {each}; {count(matrix.n_errors)} wrong")
    if missing := _names(matrix, n == 0):
        screen.remark(f"no data for {counted(len(missing), 'class')}: {some(missing)}")
    if matrix.superclasses and (alone := _names(matrix, matrix.parents < 0)):
        screen.remark(f"{counted(len(alone), 'class')} without a superclass: {some(alone)}")
    if expected is not None and (odd := np.flatnonzero(n != expected)).size:
        counts = ", ".join(_count_of(matrix, index) for index in odd[:ODD_COUNTS].tolist())
        screen.warn(
            f"{counted(len(odd), 'class')} without the {counted(expected, 'image')} "
            f"expected: {counts}{showing.and_more(len(odd), ODD_COUNTS)}"
        )


def _names(matrix: ConfusionMatrix, chosen: np.ndarray) -> list[str]:
    """Return the names of the classes for which a mask, shape (k,), is true."""
    return [matrix.classes[index] for index in np.flatnonzero(chosen).tolist()]


def _count_of(matrix: ConfusionMatrix, index: int) -> str:
    """Write how many images a class has, and why it may be fewer than there were."""
    lost = int(matrix.unscored[index])
    failed = f" ({count(lost)} failed)" if lost else ""
    return f"{matrix.classes[index]!r} {count(matrix.n[index])}{failed}"


def _show_tables(
    screen: Screen, matrix: ConfusionMatrix, tables: ConfusionTables, *, by: str | None, top: int
) -> None:
    """Print the strongest pairs, groups, one-way and exceptional errors."""
    screen.say()
    for sentence in sentences(matrix, tables.pairs, tables.absorbed):
        screen.say(sentence)
    if not matrix.n_errors:
        return
    # Of two classes, the most frequent errors say all that their only pair would.
    has_pairs = len(matrix.classes) >= LEAST_SET and len(tables.pairs)
    if has_pairs:
        show_pairs(screen, matrix, tables.pairs, by=by, top=top)
    _show_groups(screen, tables.groups, top=top)
    show_one_way(screen, matrix, tables.absorbed, top=top)
    if has_pairs or len(tables.absorbed):
        show_legend(screen)
    if not len(by_status(tables.pairs).mutual):
        show_most_frequent(screen, tables.cells)
    if tables.exceptional is not None:
        _show_exceptional(screen, matrix, tables.exceptional, top=top)
    if tables.soft is not None:
        _show_soft(screen, matrix, tables.soft, top=top)


def _in_short(matrix: ConfusionMatrix, tables: ConfusionTables) -> str:
    """Say in a line how much there is evidence of."""
    pairs, exceptional = by_status(tables.pairs), tables.exceptional
    found = {
        "mutual pair": len(pairs.mutual),
        "likely pair": len(pairs.likely),
        "one-way confusion": len(tables.absorbed),
        "exceptional error": 0 if exceptional is None else len(exceptional),
    }
    named = [counted(n, what) for what, n in found.items() if n]
    if not named and matrix.n_errors:
        return f"no pair stands out among {counted(matrix.n_errors, 'error')}"
    return ", ".join(named) or "no errors"


def _next_words(run: RunFolder, tables: ConfusionTables) -> list[str | Path]:
    """Return the command that goes on from here, in words."""
    if not len(tables.cells):
        return ["errlens", "report", run.path]
    selector = _first_selector(tables, run.info.classes)
    chosen = ["--select", selector] if selector else []
    return ["errlens", "misclassified", run.path, *chosen]


def _first_selector(tables: ConfusionTables, classes: ClassNames) -> str | None:
    """Return the selector of the first pair there is evidence of, or of the first one-way error."""
    for row in showing.first_rows(by_status(tables.pairs).real, 1):
        return pair_selector(row["class_a"], row["class_b"], classes)
    for row in showing.first_rows(tables.absorbed, 1):
        return pair_selector(row["true_class"], row["pred_class"], classes, both_ways=False)
    return None


def _as_tree(matrix: ConfusionMatrix, tables: ConfusionTables) -> dict[str, Any]:
    """Return what stands for the result in the object that is printed for programs."""
    pairs, exceptional = by_status(tables.pairs), tables.exceptional
    return {
        "n": matrix.total,
        "n_errors": matrix.n_errors,
        "n_classes": len(matrix.classes),
        "no_data": _names(matrix, matrix.n == 0),
        "sentences": sentences(matrix, tables.pairs, tables.absorbed),
        "pairs": showing.records(pairs.mutual),
        "likely": showing.records(pairs.likely),
        "n_candidates": len(pairs.others),
        "groups": [
            {**group, "classes": json.loads(group["classes"])}
            for group in showing.records(tables.groups)
        ],
        "absorbed": showing.records(tables.absorbed),
        "n_exceptional": None if exceptional is None else len(exceptional),
    }


def _show_groups(screen: Screen, groups: pd.DataFrame, *, top: int) -> None:
    larger = groups[groups["size"] > 2]
    if not len(larger):
        return
    rows = [
        (
            f"group {row['group']}",
            ", ".join(names),
            count(row["errors_inside"]),
            share(row["share_of_errors"]),
            points(row["gain_if_solved"]),
        )
        for row, names in zip(showing.first_rows(larger, top), names_of(larger), strict=False)
    ]
    screen.say()
    heads = ("groups", "classes", ">errors inside", ">of all errors", ">gain")
    screen.table(heads, rows, prose=("classes",))
    showing.say_more(screen, len(larger), top, " of three or more: see groups.csv", noun="group")


def _show_exceptional(
    screen: Screen, matrix: ConfusionMatrix, exceptional: pd.DataFrame, *, top: int
) -> None:
    screen.say()
    if not len(exceptional):
        screen.say(none_exceptional(matrix))
        return
    rows = [
        (
            row["sample_id"],
            showing.one_way(row["label_name"], row["pred_name"]),
            showing.one_way(row["super_label"], row["super_pred"]),
            _superclass_probability(row),
        )
        for row in showing.first_rows(exceptional, top)
    ]
    heading = counted(len(exceptional), "exceptional error")
    heads = (heading, "classes", "superclasses", ">p(predicted superclass)")
    screen.table(heads, rows, gives_way=("superclasses",), file="exceptional.csv")
    showing.say_more(screen, len(exceptional), top, ": see exceptional.csv")


def _superclass_probability(row: Mapping[str, Any]) -> str:
    text = probability(row["super_pred_prob"])
    return f"at least {text}" if row.get("at_least") and text != NOT_KNOWN else text


def _show_soft(screen: Screen, matrix: ConfusionMatrix, soft: pd.DataFrame, *, top: int) -> None:
    screen.say()
    if not len(soft):
        screen.say("No mean probabilities: the run has no probabilities.")
        return
    covered = mean_covered(soft)
    if covered < 1 - 1e-4:
        screen.say(
            f"The run keeps {share(covered)} of the probability (its top-k): means are at least "
            "these."
        )
    rows: Sequence[Sequence[Cell]] = [
        (
            showing.both_ways(row["class_a"], row["class_b"]),
            probability(row["belief_ab"]),
            probability(row["belief_ba"]),
        )
        for row in showing.first_rows(soft_pairs(soft, matrix.classes), top)
    ]
    heads = ("by mean probability (A ~ B)", ">mean p(B) of A's images", ">mean p(A) of B's images")
    screen.table(heads, rows)
