"""How a comparison looks on the terminal."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import pandas as pd

from errlens.analysis.comparison import FIGURES, Changed, Comparison
from errlens.analysis.pairs import ALPHA
from errlens.analysis.selection import run_selector
from errlens.predictions import SCHEMA_VERSION
from errlens.run import RunFolder
from errlens.terminal import Screen, interval, relative

if TYPE_CHECKING:
    from errlens.results import ResultsWriter

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
            f"left out: {_images(found.relabelled)} whose label is not the same in both runs"
        )
    if found.other_files:
        screen.warn(
            f"{_images(found.other_files)} in common by name are different files: if the runs are "
            "over different images, nothing here is right"
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


def show_files(screen: Screen, folder: Path, results: "ResultsWriter") -> None:
    """Say where everything is."""
    screen.say()
    screen.say(f"Wrote {relative(folder)}: {', '.join(results.written)}")


def show_next(screen: Screen, runs: Sequence[RunFolder], found: Found) -> None:
    """Name the command that shows what broke."""
    if found.changed is None or not len(found.changed.broken):
        return
    old, new = (relative(run.path) for run in runs)
    command = "misclassified" if runs[-1].info.imported else "explain"
    words = ["errlens", command, new, "--select", run_selector("broken", old)]
    if not any(run.info.imported for run in runs):
        words += ["--against", old]
    screen.say(f"Next: {shlex.join(words)}")


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
            **{name: _records(table) for name, table in found.tables().items()},
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
        columns[_HEADS[name]] = [
            "-" if pd.isna(value) else f"{value:.4f}{' *' if value == best else '  '}"
            for value in runs[name]
        ]
        if name == "top1":
            edges = zip(runs["top1_low"], runs["top1_high"], strict=True)
            columns[">95 % interval"] = [interval(*one) for one in edges]
    columns[">images"] = [str(count) for count in runs["n"]]
    screen.table([*columns], list(zip(*columns.values(), strict=True)))
    screen.say("* the best of its column")


def _show_differences(screen: Screen, found: Found) -> None:
    """Print how the accuracy of each run differs from that of the first."""
    rows = [
        (name, *_difference(one), f"{one.p_value:.2g}", _common(one))
        for name, one in zip(found.names[1:], found.comparisons, strict=True)
    ]
    heads = (f"against {found.names[0]}", ">top-1", ">95 % interval", ">p", "images in common")
    screen.table(heads, rows)


def _common(one: Comparison) -> str:
    if not one.paired:
        return "none: unpaired"
    return f"{len(one.both)}: {one.fixed} fixed, {one.broken} broken"


def _show_difference(screen: Screen, found: Found) -> None:
    """Print how the accuracy of two runs differs."""
    (one,) = found.comparisons
    old_n, new_n = found.runs["n"]
    difference, edges = _difference(one)
    if one.paired:
        shares = "" if old_n == new_n == len(one.both) else f" (of {old_n} and {new_n})"
        screen.say(
            f"{_images(len(one.both))} in common{shares}: {one.fixed} fixed, {one.broken} broken"
        )
        test = "exact McNemar test"
    else:
        screen.say(
            "No image in common: unpaired, as two samples; of the images much is unknown "
            "that a comparison on the same ones would tell"
        )
        test = "test of two proportions"
    screen.say(f"accuracy {difference}, 95 % interval {edges}; {test}: p = {one.p_value:.2g}")


def _show_classes(screen: Screen, classes: pd.DataFrame) -> None:
    """Print the classes with the strongest evidence for a change."""
    moved = classes[classes["p_value"] < 1]
    paired = "fixed" in classes
    rows = [
        (
            one["class_name"],
            f"{one['old_recall']:.3f}",
            f"{one['new_recall']:.3f}",
            f"{one['difference']:+.3f}",
            f"{one['low']:+.3f} to {one['high']:+.3f}",
            *([str(one["fixed"]), str(one["broken"])] if paired else []),
            f"{one['q_value']:.2g}",
        )
        for one in _rows(moved, SHOWN)
    ]
    counts = (">fixed", ">broken") if paired else ()
    heads = ("class", ">old recall", ">new recall", ">difference", ">95 % interval", *counts, ">q")
    _show_table(screen, heads, rows, of=len(moved), file="classes.csv")


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
            *([str(one["old_count"]), str(one["new_count"])] if paired else _shares(one)),
            *([str(one["fixed"]), str(one["broken"])] if paired else []),
            f"{one['q_value']:.2g}",
        )
        for one in _rows(told, SHOWN)
    ]
    counts = (">fixed", ">broken") if paired else ()
    heads = ("pair", "mutual confusion", ">old errors", ">new errors", *counts, ">q")
    _show_table(screen, heads, rows, of=len(told), file="pairs.csv")


def _shares(one: Mapping[str, Any]) -> list[str]:
    return [f"{one[f'{which}_count']} of {one[f'{which}_n']}" for which in ("old", "new")]


def _show_broken(screen: Screen, broken: pd.DataFrame) -> None:
    rows = [
        (
            str(one["row"]),
            one["path"],
            f"{one['old_pred']} -> {one['new_pred']}",
            *(
                "-" if pd.isna(one[name]) else f"{one[name]:.3f}"
                for name in ("old_confidence", "new_confidence")
            ),
        )
        for one in _rows(broken, SHOWN)
    ]
    heads = (">row", "broken", "true -> predicted", ">p before", ">p now")
    _show_table(screen, heads, rows, of=len(broken), file="broken.csv")


def _show_table(
    screen: Screen, heads: Sequence[str], rows: Sequence[Sequence[str]], *, of: int, file: str
) -> None:
    if not rows:
        return
    screen.say()
    screen.table(heads, rows)
    if of > len(rows):
        screen.say(f"and {of - len(rows)} more: see {file}")


def _difference(one: Comparison) -> tuple[str, str]:
    return f"{one.difference:+.4f}", f"{one.low:+.4f} to {one.high:+.4f}"


def _images(count: int) -> str:
    return f"{count} image{'s' * (count != 1)}"


def _rows(table: pd.DataFrame, top: int) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", table.head(top).to_dict("records"))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain values for JSON, None where one is missing."""
    return _rows(table.astype(object).where(table.notna(), None), len(table))
