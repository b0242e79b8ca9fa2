"""How confusion looks on the terminal."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from errlens.analysis.confusion.groups import names_of
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import by_status
from errlens.analysis.confusion.sentences import NONE_EXCEPTIONAL, sentences
from errlens.analysis.confusion.soft import mean_covered, soft_pairs
from errlens.analysis.confusion.tables import ConfusionTables
from errlens.analysis.selection.parsing import pair_selector
from errlens.classes.names import ClassNames
from errlens.commands.confusion.pairs_view import show_legend, show_one_way, show_pairs
from errlens.commands.showing import first_rows, records, say_more
from errlens.errors import some
from errlens.escapes import shell_line
from errlens.formats import NOT_KNOWN, count, counted, of, points, probability, share, share_range
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

FREQUENT: Final = 5  # kinds of errors shown where there is no mutual pair


def show_matrix(screen: Screen, matrix: ConfusionMatrix, *, expected: int | None) -> None:
    """Say how many images there are of each class, and whether that is as it should be."""
    n = matrix.n
    most, least = int(n.max()), int(n[n > 0].min())
    each = f"{count(most)} of each"
    if least < most:
        each = f"{count(least)} to {each}"
    images, classes = counted(matrix.total, "image"), counted(int(np.count_nonzero(n)), "class")
    screen.say(f"{images} of {classes}, {each}; {count(matrix.n_errors)} wrong")
    missing = [matrix.classes[index] for index in np.flatnonzero(n == 0).tolist()]
    if missing:
        screen.remark(f"no data for {counted(len(missing), 'class')}: {some(missing)}")
    strangers = matrix.superclasses.of_class.count(None) if matrix.superclasses else 0
    if strangers:
        names = [
            name
            for name, parent in zip(matrix.classes.names, matrix.parents, strict=True)
            if parent < 0
        ]
        screen.remark(f"{counted(strangers, 'class')} without a superclass: {some(names)}")
    if expected is not None and (odd := np.flatnonzero(n != expected)).size:
        counts = ", ".join(_count_of(matrix, index) for index in odd[:5].tolist())
        more = f" and {len(odd) - 5} more" if len(odd) > 5 else ""
        screen.warn(
            f"{counted(len(odd), 'class')} without the {counted(expected, 'image')} "
            f"expected: {counts}{more}"
        )


def show_findings(
    screen: Screen, matrix: ConfusionMatrix, findings: ConfusionTables, *, by: str | None, top: int
) -> None:
    """Print the strongest pairs, groups, one-way and exceptional errors."""
    screen.say()
    for sentence in sentences(matrix, findings.pairs, findings.absorbed):
        screen.say(sentence)
    if not matrix.n_errors:
        return
    if len(findings.pairs):
        show_pairs(screen, matrix, findings.pairs, by=by, top=top)
    _show_groups(screen, findings.groups, top=top)
    show_one_way(screen, matrix, findings.absorbed, top=top)
    if len(findings.pairs) or len(findings.absorbed):
        show_legend(screen, matrix)
    if not len(by_status(findings.pairs).mutual):
        _show_cells(screen, findings.cells)
    if findings.exceptional is not None:
        _show_exceptional(screen, findings.exceptional, top=top)
    if findings.soft is not None:
        _show_soft(screen, matrix, findings.soft, top=top)


def show_next(screen: Screen, run: RunFolder, findings: ConfusionTables) -> None:
    """Name the command that goes on from here: that shows the images of the first pair."""
    if not len(findings.cells):
        return
    words = ["errlens", "misclassified", relative(run.path)]
    if selector := _first_selector(findings, run.info.classes):
        words += ["--select", selector]
    screen.say(f"Next: {shell_line(words)}")


def _first_selector(findings: ConfusionTables, classes: ClassNames) -> str | None:
    """Return the selector of the first pair there is evidence of, or of the first one-way error."""
    for row in first_rows(by_status(findings.pairs).real, 1):
        return pair_selector(row["class_a"], row["class_b"], classes)
    for row in first_rows(findings.absorbed, 1):
        return pair_selector(row["true_class"], row["pred_class"], classes, both_ways=False)
    return None


def print_json(
    screen: Screen,
    run: RunFolder,
    matrix: ConfusionMatrix,
    findings: ConfusionTables,
    *,
    files: Sequence[str],
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    pairs = by_status(findings.pairs)
    exceptional = findings.exceptional
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "confusion",
            "run": str(run.path),
            "run_hash": run.info.run_hash,
            "n": matrix.total,
            "n_errors": matrix.n_errors,
            "n_classes": len(matrix.classes),
            "no_data": [matrix.classes[index] for index in np.flatnonzero(matrix.n == 0).tolist()],
            "sentences": sentences(matrix, findings.pairs, findings.absorbed),
            "pairs": records(pairs.mutual),
            "likely": records(pairs.likely),
            "n_candidates": len(pairs.others),
            "groups": [
                {**record, "classes": json.loads(record["classes"])}
                for record in records(findings.groups)
            ],
            "absorbed": records(findings.absorbed),
            "n_exceptional": None if exceptional is None else len(exceptional),
            "files": list(files),
        }
    )


def _show_groups(screen: Screen, groups: pd.DataFrame, *, top: int) -> None:
    larger = groups[groups["size"] > 2]
    if not len(larger):
        return
    rows = [
        (
            f"group {one['group']}",
            ", ".join(names),
            count(one["errors_inside"]),
            share(one["share_of_errors"]),
            points(one["gain_if_solved"]),
        )
        for one, names in zip(first_rows(larger, top), names_of(larger), strict=False)
    ]
    screen.say()
    screen.table(("groups", "classes", ">errors inside", ">of all errors", ">gain"), rows)
    say_more(screen, len(larger), top, " groups of three or more: see groups.csv")


def _show_cells(screen: Screen, cells: pd.DataFrame) -> None:
    """Print the most frequent errors, for what nothing can be proved of."""
    rows = [
        (
            f"{one['true_class']} -> {one['pred_class']}",
            _rate(one["rate"], one["count"], one["n"]),
            share_range(one["low"], one["high"]),
        )
        for one in first_rows(cells, FREQUENT)
    ]
    screen.say()
    screen.table(("most frequent errors (A -> B)", ">A as B", ">95 % interval"), rows)
    say_more(screen, len(cells), FREQUENT, " kinds: see cells.csv")


def _show_exceptional(screen: Screen, exceptional: pd.DataFrame, *, top: int) -> None:
    screen.say()
    if not len(exceptional):
        screen.say(NONE_EXCEPTIONAL)
        return
    rows = [
        (
            one["sample_id"],
            f"{one['label_name']} -> {one['pred_name']}",
            f"{one['super_label']} -> {one['super_pred']}",
            _probability(one),
        )
        for one in first_rows(exceptional, top)
    ]
    heading = counted(len(exceptional), "exceptional error")
    screen.table((heading, "classes", "superclasses", ">p(predicted superclass)"), rows)
    say_more(screen, len(exceptional), top, ": see exceptional.csv")


def _show_soft(screen: Screen, matrix: ConfusionMatrix, soft: pd.DataFrame, *, top: int) -> None:
    screen.say()
    if not len(soft):
        screen.say("What the model believes: the run has no probabilities.")
        return
    pairs, covered = soft_pairs(soft, matrix.classes), mean_covered(soft)
    if covered < 1 - 1e-4:
        screen.say(
            f"The run keeps {share(covered)} of the probability (its top-k): means are at least "
            "these."
        )
    screen.table(
        ("believed, not counted (A ~ B)", ">mean p(B) of A's images", ">mean p(A) of B's images"),
        [
            (_pair(one), probability(one["belief_ab"]), probability(one["belief_ba"]))
            for one in first_rows(pairs, top)
        ],
    )


def _pair(one: Mapping[str, Any]) -> str:
    return f"{one['class_a']} ~ {one['class_b']}"


def _rate(rate: float, part: int, n: int) -> str:
    """Write a rate with the images behind it.

    >>> _rate(0.26, 13, 50)
    '26.0 % (13 of 50)'
    """
    return f"{share(rate)} ({of(part, n)})"


def _probability(one: Mapping[str, Any]) -> str:
    text = probability(one["super_pred_prob"])
    return f"at least {text}" if one.get("at_least") and text != NOT_KNOWN else text


def _count_of(matrix: ConfusionMatrix, index: int) -> str:
    """Write how many images a class has, and why it may be fewer than there were."""
    lost = int(matrix.unscored[index])
    return f"{matrix.classes[index]!r} {count(matrix.n[index])}" + (
        f" ({count(lost)} failed)" if lost else ""
    )
