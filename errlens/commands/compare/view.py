"""How a comparison looks on the terminal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from errlens import formats
from errlens.analysis.comparison.by_run import METRICS, Comparison
from errlens.analysis.confusion.pairs import ALPHA
from errlens.analysis.selection.parsing import run_selector
from errlens.commands import showing
from errlens.commands.compare.options import CompareOptions
from errlens.commands.compare.result import ComparisonResult
from errlens.run.folder import RunFolder
from errlens.terminal import Cell, Screen, relative

SHOWN: Final = 10  # rows of a table

_GIVE_WAY: Final = (">gone", ">new", ">95 % interval", ">fixed", ">broken", ">row")

_METRICS_GIVE_WAY: Final = (">top-5", ">Brier", ">macro F1")

_HEADS: Final = {
    "top1": ">top-1", "top5": ">top-5", "macro_f1": ">macro F1", "nll": ">NLL", "brier": ">Brier",
    "ece": ">ECE",
}  # fmt: skip


def show(
    screen: Screen,
    runs: Sequence[RunFolder],
    folder: Path,
    result: ComparisonResult,
    options: CompareOptions,
) -> None:
    """Print what is doubtful, how the runs differ, where it all is, and what to do next."""
    _show_spelling(screen, runs)
    _warn_of_doubts(screen, result)
    if result.absent:
        root = options.images_root(runs[-1])
        showing.warn_of_absent(screen, result.absent, root, result.files)
    _show_runs(screen, result)
    screen.say()
    *older, new = result.names
    screen.step("compare", f"{new} against {showing.first_few(older, 3)}")
    if len(result.comparisons) > 1:
        _show_differences(screen.essential, result)
    else:
        _show_two(screen, result, runs)
    showing.show_files(screen, folder, result.files)
    if result.changed is not None and len(result.changed.broken):
        showing.say_next(screen, _next_words(*runs))
    tables: dict[str, Any] = {
        name: showing.records(table) for name, table in result.tables().items()
    }
    showing.print_json(
        screen,
        "compare",
        folder=str(folder),
        run_hashes=[run.info.run_hash for run in runs],
        **tables,
        relabelled=result.relabelled,
        other_files=result.other_files,
        files=list(result.files),
    )


def _show_two(screen: Screen, result: ComparisonResult, runs: Sequence[RunFolder]) -> None:
    """Print how two runs differ: in accuracy, classes, pairs and images."""
    _show_difference(screen.essential, result)
    if result.classes is not None:
        _show_classes(screen, result.classes)
    if result.pairs is not None:
        _show_pairs(screen, result.pairs)
        _show_held_against(screen, result, runs)
    if result.changed is not None:
        _show_broken(screen, result.changed.broken)


def _next_words(old: RunFolder, new: RunFolder) -> list[str | Path]:
    """Return the command that shows what broke, in words."""
    command = "misclassified" if new.info.imported else "explain"
    broken = run_selector("broken", relative(old.path))
    words: list[str | Path] = ["errlens", command, new.path, "--select", broken]
    return words if old.info.imported or new.info.imported else [*words, "--against", old.path]


def _show_spelling(screen: Screen, runs: Sequence[RunFolder]) -> None:
    """Say which classes runs spell otherwise than the last one."""
    last = runs[-1].info.classes
    for run in runs[:-1]:
        spelling = last.spelling_of(run.info.classes.names)
        other = [f"{old!r} is {new!r}" for old, new in spelling.items() if old != new]
        if other:
            first = f"{other[0]}{showing.and_more(len(other))}"
            screen.remark(f"classes that {relative(run.path)} spells otherwise: {first}")


def _warn_of_doubts(screen: Screen, result: ComparisonResult) -> None:
    """Say what makes images doubtful that have the same name in two runs."""
    if result.relabelled:
        screen.warn(
            f"left out: {formats.counted(result.relabelled, 'image')} whose label is not the same "
            "in both runs"
        )
    if result.other_files:
        screen.warn(
            f"{formats.counted(result.other_files, 'image')} in common by name, but not by "
            "content: if these are different images, this comparison is wrong"
        )


def _show_runs(screen: Screen, result: ComparisonResult) -> None:
    """Print the metrics; an accuracy is marked that is better than the others beyond chance."""
    runs = result.runs
    columns: dict[str, list[str]] = {"run": [str(name) for name in runs["run"]]}
    for name in METRICS:
        if runs[name].isna().all():
            continue
        columns[_HEADS[name]] = [
            formats.share(value, n) if name.startswith("top") else formats.number(value)
            for value, n in zip(runs[name], runs["n"], strict=True)
        ]
        if name == "top1":
            columns[_HEADS[name]] = _marked(columns[_HEADS[name]], result.best)
            edges = zip(runs["top1_low"], runs["top1_high"], runs["n"], strict=True)
            columns[">95 % interval"] = [formats.share_range(*edge) for edge in edges]
    columns[">images"] = [formats.count(n) for n in runs["n"]]
    rows = list(zip(*columns.values(), strict=True))
    screen.table([*columns], rows, gives_way=_METRICS_GIVE_WAY, file="runs.csv")
    if result.best is not None:
        screen.say("* right more often than any other run here, beyond chance (p < 0.05)")


def _marked(texts: list[str], best: int | None) -> list[str]:
    """Return accuracies with the best one marked, if one is."""
    if best is None:
        return texts
    return [f"{text} {'*' if index == best else ' '}" for index, text in enumerate(texts)]


def _show_differences(screen: Screen, result: ComparisonResult) -> None:
    """Print how the accuracy of each run differs from that of the first."""
    rows = [
        (name, *_difference(against, n), formats.probability(against.p_value), _common(against))
        for name, against, n in zip(
            result.names[1:], result.comparisons, result.runs["n"][1:], strict=True
        )
    ]
    heads = (
        f"<against {result.names[0]}", ">difference in top-1", ">95 % interval", ">p",
        "images in common",
    )  # fmt: skip
    screen.table(heads, rows, gives_way=(">95 % interval",), prose=heads[-1:], file="runs.csv")


def _common(comparison: Comparison) -> str:
    if not comparison.on_same_images:
        return "none: unpaired"
    return f"{formats.count(len(comparison.both))}: {_fixed_and_broken(comparison)}"


def _fixed_and_broken(comparison: Comparison) -> str:
    return f"{formats.count(comparison.fixed)} fixed, {formats.count(comparison.broken)} broken"


def _show_difference(screen: Screen, result: ComparisonResult) -> None:
    """Print how the accuracy of two runs differs."""
    (comparison,) = result.comparisons
    old_n, new_n = result.runs["n"]
    difference, interval = _difference(comparison, new_n)
    if comparison.on_same_images:
        n_both = len(comparison.both)
        shares = f" (of {formats.count(old_n)} and {formats.count(new_n)})" * (
            not old_n == new_n == n_both
        )
        common = f"{formats.counted(n_both, 'image')} in common{shares}"
        screen.say(f"{common}: {_fixed_and_broken(comparison)}")
        test = "exact McNemar test"
    else:
        screen.say(
            "No image in common: compared as two independent samples, which shows less than the "
            "same images would"
        )
        test = "exact Fisher test"
    screen.say(
        f"difference in accuracy {difference}, 95 % interval {interval}; {test}: "
        f"{formats.p_value(comparison.p_value)}"
    )


def _show_classes(screen: Screen, classes: pd.DataFrame) -> None:
    """Print the classes with the strongest evidence for a change."""
    moved = classes[classes["p_value"] < 1]
    paired = "fixed" in classes
    rows = [
        (
            row["class_name"],
            formats.share(row["old_recall"]),
            formats.share(row["new_recall"]),
            formats.points(row["difference"]),
            formats.points_range(row["low"], row["high"]),
            *([formats.count(row["fixed"]), formats.count(row["broken"])] if paired else []),
            formats.probability(row["q_value"]),
        )
        for row in showing.first_rows(moved, SHOWN)
    ]
    counts = (">fixed", ">broken") if paired else ()
    heads = ("class", ">old recall", ">new recall", ">difference", ">95 % interval", *counts, ">q")
    _show_table(screen, heads, rows, total=len(moved), file="classes.csv")


def _show_pairs(screen: Screen, pairs: pd.DataFrame) -> None:
    """Print the mutual confusions, those that came or went first, and others that changed."""
    order = {"appeared": 0, "went": 1, "stays": 2}
    places = pairs["status"].map(order).astype("float64").fillna(len(order))
    shown = pairs[(places < len(order)) | (pairs["q_value"] <= ALPHA)]
    shown = shown.loc[places[shown.index].sort_values(kind="stable").index]
    paired = "fixed" in pairs
    rows = [
        (
            showing.both_ways(row["class_a"], row["class_b"]),
            formats.NOT_KNOWN if pd.isna(row["status"]) else row["status"],
            *(_changes(row) if paired else _shares(row)),
            formats.probability(row["q_value"]),
        )
        for row in showing.first_rows(shown, SHOWN)
    ]
    counts = (">gone", ">fixed", ">new", ">broken") if paired else ()
    heads = ("pair", "mutual or likely", ">old errors", ">new errors", *counts, ">q")
    _show_table(screen, heads, rows, total=len(shown), file="pairs.csv")


def _show_held_against(screen: Screen, result: ComparisonResult, runs: Sequence[RunFolder]) -> None:
    """Say where a pair may have another status in the old run by itself."""
    old, new = (
        run.info.superclasses and run.info.superclasses.as_mapping(run.info.classes) for run in runs
    )
    if old == new or result.pairs is None or not result.pairs["status"].notna().any():
        return
    before, now = result.names
    by = f"by the superclasses of {now}" if new else f"without superclasses, as {now} knows none"
    own = "by its own" if old else "without any"
    screen.say(f"mutual or likely: both runs are judged {by}; alone, {before} is judged {own}")


def _shares(row: Mapping[str, Any]) -> list[str]:
    return [formats.of(row[f"{which}_count"], row[f"{which}_n"]) for which in ("old", "new")]


def _changes(row: Mapping[str, Any]) -> list[str]:
    """Return what became of the errors of a pair, where the images are the same."""
    return [
        formats.count(row[name])
        for name in ("old_count", "new_count", "gone", "fixed", "new", "broken")
    ]


def _show_broken(screen: Screen, broken: pd.DataFrame) -> None:
    rows = [
        (
            str(row["row"]),
            row["path"],
            showing.one_way(row["old_pred"], row["new_pred"]),
            formats.probability(row["old_confidence"]),
            formats.probability(row["new_confidence"]),
        )
        for row in showing.first_rows(broken, SHOWN)
    ]
    heads = (">row", "broken", "true -> predicted", ">old p(true)", ">new p(predicted)")
    _show_table(screen, heads, rows, total=len(broken), file="broken.csv")


def _show_table(
    screen: Screen, heads: Sequence[str], rows: Sequence[Sequence[Cell]], *, total: int, file: str
) -> None:
    if not rows:
        return
    screen.say()
    screen.table(heads, rows, gives_way=_GIVE_WAY, file=file)
    showing.say_more(screen, total, len(rows), f": see {file}")


def _difference(comparison: Comparison, n: int) -> tuple[str, str]:
    """Write a difference in accuracy, and its interval."""
    interval = formats.points_range(comparison.low, comparison.high, n)
    return formats.points(comparison.difference, n), interval
