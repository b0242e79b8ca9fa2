"""How a comparison looks on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from errlens.analysis.comparison.changes import FIGURES, Changed, Comparison
from errlens.analysis.confusion.pairs import ALPHA
from errlens.analysis.selection.selection import run_selector
from errlens.commands.showing import first_rows, records
from errlens.escapes import shell_line
from errlens.formats import (
    NOT_KNOWN,
    count,
    counted,
    number,
    of,
    p_value,
    points,
    points_range,
    probability,
    share,
    share_range,
)
from errlens.predictions.table import SCHEMA_VERSION
from errlens.run.folder import RunFolder
from errlens.terminal import Screen, relative

SHOWN: Final = 10  # rows of a table

_HEADS: Final = {
    "top1": ">top-1", "top5": ">top-5", "macro_f1": ">macro F1", "nll": ">NLL", "brier": ">Brier",
    "ece": ">ECE",
}  # fmt: skip


class Found(NamedTuple):
    """What there is to say: of all runs, and of two of them how they differ.

    `relabelled` images have another label in one of the runs, `other_files` another content, though
    they have the same name.
    """

    runs: pd.DataFrame
    comparisons: Sequence[Comparison]
    relabelled: int
    other_files: int
    classes: pd.DataFrame | None = None
    pairs: pd.DataFrame | None = None
    changed: Changed | None = None

    @property
    def names(self) -> list[str]:
        """What the runs are called."""
        return [str(name) for name in self.runs["run"]]

    def shown_changes(self) -> dict[str, pd.DataFrame]:
        """Return what broke and what was fixed, if there are images in common."""
        if self.changed is None:
            return {}
        return {"broken": self.changed.broken, "fixed": self.changed.fixed}

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by the names of their files."""
        known = {"runs": self.runs, "classes": self.classes, "pairs": self.pairs}
        return {
            **{name: table for name, table in known.items() if table is not None},
            **self.shown_changes(),
        }


def show_spelling(screen: Screen, runs: Sequence[RunFolder]) -> None:
    """Say which classes runs spell otherwise than the last one."""
    last = runs[-1].info.classes
    for run in runs[:-1]:
        spelling = last.spelling_of(run.info.classes.names)
        other = [f"{old!r} is {new!r}" for old, new in spelling.items() if old != new]
        if other:
            rest = f" and {len(other) - 1} more" if len(other) > 1 else ""
            screen.remark(f"classes that {relative(run.path)} spells otherwise: {other[0]}{rest}")


def warn_of_doubts(screen: Screen, found: Found) -> None:
    """Say what makes images doubtful that have the same name in two runs."""
    if found.relabelled:
        screen.warn(
            f"left out: {counted(found.relabelled, 'image')} whose label is not the same in both "
            "runs"
        )
    if found.other_files:
        screen.warn(
            f"{counted(found.other_files, 'image')} in common by name, but not by content: if the "
            "runs are over different images, nothing here is right"
        )


def show(screen: Screen, found: Found) -> None:
    """Print the figures of all runs, and how they differ."""
    _show_runs(screen, found.runs)
    screen.say()
    if len(found.comparisons) > 1:
        _show_differences(screen, found)
        return
    _show_difference(screen, found)
    if found.classes is not None:
        _show_classes(screen, found.classes)
    if found.pairs is not None:
        _show_pairs(screen, found.pairs)
    if found.changed is not None:
        _show_broken(screen, found.changed.broken)


def show_next(screen: Screen, runs: Sequence[RunFolder], found: Found) -> None:
    """Name the command that shows what broke."""
    if found.changed is None or not len(found.changed.broken):
        return
    old, new = (relative(run.path) for run in runs)
    command = "misclassified" if runs[-1].info.imported else "explain"
    words = ["errlens", command, new, "--select", run_selector("broken", old)]
    if not any(run.info.imported for run in runs):
        words += ["--against", old]
    screen.say(f"Next: {shell_line(words)}")


def print_json(
    screen: Screen,
    runs: Sequence[RunFolder],
    folder: Path,
    found: Found,
    *,
    files: Sequence[str],
) -> None:
    """Print the one object that stands for the result, where it was asked for."""
    screen.json(
        {
            "schema_version": SCHEMA_VERSION,
            "command": "compare",
            "folder": str(folder),
            "run_hashes": [run.info.run_hash for run in runs],
            **{name: records(table) for name, table in found.tables().items()},
            "relabelled": found.relabelled,
            "other_files": found.other_files,
            "files": list(files),
        }
    )


def _show_runs(screen: Screen, runs: pd.DataFrame) -> None:
    """Print the figures; the best of each column is marked."""
    columns: dict[str, list[str]] = {"run": [str(name) for name in runs["run"]]}
    for name, more in FIGURES.items():
        if runs[name].isna().all():
            continue
        best = runs[name].max() if more else runs[name].min()
        is_share = name.startswith("top")
        columns[_HEADS[name]] = [
            f"{share(value, n) if is_share else number(value)}{' *' if value == best else '  '}"
            for value, n in zip(runs[name], runs["n"], strict=True)
        ]
        if name == "top1":
            edges = zip(runs["top1_low"], runs["top1_high"], runs["n"], strict=True)
            columns[">95 % interval"] = [share_range(*edge) for edge in edges]
    columns[">images"] = [count(n) for n in runs["n"]]
    screen.table([*columns], list(zip(*columns.values(), strict=True)))
    screen.say("* the best of its column")


def _show_differences(screen: Screen, found: Found) -> None:
    """Print how the accuracy of each run differs from that of the first."""
    rows = [
        (name, *_difference(one, n), probability(one.p_value), _common(one))
        for name, one, n in zip(
            found.names[1:], found.comparisons, found.runs["n"][1:], strict=True
        )
    ]
    heads = (
        f"against {found.names[0]}", ">difference in top-1", ">95 % interval", ">p",
        "images in common",
    )  # fmt: skip
    screen.table(heads, rows)


def _common(one: Comparison) -> str:
    if not one.paired:
        return "none: unpaired"
    return f"{count(len(one.both))}: {count(one.fixed)} fixed, {count(one.broken)} broken"


def _show_difference(screen: Screen, found: Found) -> None:
    """Print how the accuracy of two runs differs."""
    (one,) = found.comparisons
    old_n, new_n = found.runs["n"]
    difference, edges = _difference(one, new_n)
    if one.paired:
        shares = f" (of {count(old_n)} and {count(new_n)})"
        screen.say(
            f"{counted(len(one.both), 'image')} in common"
            f"{shares * (not old_n == new_n == len(one.both))}: "
            f"{count(one.fixed)} fixed, {count(one.broken)} broken"
        )
        test = "exact McNemar test"
    else:
        screen.say(
            "No image in common: unpaired, as two samples; of the images much is unknown "
            "that a comparison on the same ones would tell"
        )
        test = "exact Fisher test"
    screen.say(
        f"difference in accuracy {difference}, 95 % interval {edges}; {test}: "
        f"{p_value(one.p_value)}"
    )


def _show_classes(screen: Screen, classes: pd.DataFrame) -> None:
    """Print the classes with the strongest evidence for a change."""
    moved = classes[classes["p_value"] < 1]
    paired = "fixed" in classes
    rows = [
        (
            one["class_name"],
            share(one["old_recall"]),
            share(one["new_recall"]),
            points(one["difference"]),
            points_range(one["low"], one["high"]),
            *([count(one["fixed"]), count(one["broken"])] if paired else []),
            probability(one["q_value"]),
        )
        for one in first_rows(moved, SHOWN)
    ]
    counts = (">fixed", ">broken") if paired else ()
    heads = ("class", ">old recall", ">new recall", ">difference", ">95 % interval", *counts, ">q")
    _show_table(screen, heads, rows, total=len(moved), file="classes.csv")


def _show_pairs(screen: Screen, pairs: pd.DataFrame) -> None:
    """Print the mutual confusions, those that came or went first, and others that changed."""
    order = {"appeared": 0, "went": 1, "stays": 2}
    places = pairs["status"].map(order).astype("float64").fillna(len(order))
    told = pairs[(places < len(order)) | (pairs["q_value"] <= ALPHA)]
    told = told.loc[places[told.index].sort_values(kind="stable").index]
    paired = "fixed" in pairs
    rows = [
        (
            f"{one['class_a']} ~ {one['class_b']}",
            "-" if pd.isna(one["status"]) else one["status"],
            *(_changes(one) if paired else _shares(one)),
            probability(one["q_value"]),
        )
        for one in first_rows(told, SHOWN)
    ]
    counts = (">gone", ">fixed", ">new", ">broken") if paired else ()
    heads = ("pair", "mutual confusion", ">old errors", ">new errors", *counts, ">q")
    _show_table(screen, heads, rows, total=len(told), file="pairs.csv")


def _shares(one: Mapping[str, Any]) -> list[str]:
    return [of(one[f"{which}_count"], one[f"{which}_n"]) for which in ("old", "new")]


def _changes(one: Mapping[str, Any]) -> list[str]:
    """Return what became of the errors of a pair, where the images are the same."""
    return [
        count(one[name]) for name in ("old_count", "new_count", "gone", "fixed", "new", "broken")
    ]


def _show_broken(screen: Screen, broken: pd.DataFrame) -> None:
    rows = [
        (
            str(one["row"]),
            one["path"],
            f"{one['old_pred']} -> {one['new_pred']}",
            *(
                NOT_KNOWN if pd.isna(one[name]) else probability(one[name])
                for name in ("old_confidence", "new_confidence")
            ),
        )
        for one in first_rows(broken, SHOWN)
    ]
    heads = (">row", "broken", "true -> predicted", ">p before", ">p now")
    _show_table(screen, heads, rows, total=len(broken), file="broken.csv")


def _show_table(
    screen: Screen, heads: Sequence[str], rows: Sequence[Sequence[str]], *, total: int, file: str
) -> None:
    if not rows:
        return
    screen.say()
    screen.table(heads, rows)
    if total > len(rows):
        screen.say(f"and {count(total - len(rows))} more: see {file}")


def _difference(one: Comparison, n: int) -> tuple[str, str]:
    return points(one.difference, n), points_range(one.low, one.high, n)
