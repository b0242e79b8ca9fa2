"""What changed against an older run: accuracy, classes, pairs and images, before and now."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from errlens.analysis.comparison.by_class import CLASS_CHANGE_COLUMNS
from errlens.analysis.comparison.by_image import CHANGED_COLUMNS
from errlens.analysis.comparison.by_pair import PAIR_CHANGE_COLUMNS
from errlens.analysis.comparison.by_run import METRICS, RUN_COLUMNS
from errlens.analysis.confusion.pairs import ALPHA
from errlens.formats import (
    NOT_KNOWN,
    count,
    number,
    of,
    p_value,
    points,
    points_range,
    probability,
    share,
    share_range,
)
from errlens.predictions.table import Predictions
from errlens.report.parts import Part, read_part, records
from errlens.report.shots import Shots
from errlens.run.folder import RunFolder

TILES: Final = 12  # images that were fixed, and as many that broke
NAMED: Final = 40  # of these by name
CLASSES_SHOWN: Final = 8  # at once; where more changed beyond chance, so many
CLASSES_AT_ONCE: Final = 20
CLASSES_KEPT: Final = 300
PAIRS_SHOWN: Final = 20

METRIC_NAMES: Final = {
    "top1": "top-1", "top5": "top-5", "macro_f1": "macro F1", "nll": "NLL", "brier": "Brier",
    "ece": "ECE",
}  # fmt: skip


class ClassChange(NamedTuple):
    """How the recall of a class changed; `x`, `low` and `high` are shares from -1 to 1."""

    name: str
    recall: str
    difference: str
    interval: str
    counts: str
    x: float
    low: float
    high: float
    is_sure: bool


class ChangedImage(NamedTuple):
    """An image that changed sides; `row` is None where this run has it under another name."""

    row: int | None
    path: str
    label: str
    before: str
    now: str


class Changed(NamedTuple):
    """Images that were fixed, or broke: `tiles` have pictures, `named` are more of them."""

    title: str
    total: int
    tiles: Sequence[ChangedImage]
    named: Sequence[ChangedImage]
    file: str


class ComparedRun(NamedTuple):
    """A run by its metrics, as they are written, and how it differs from the first."""

    name: str
    metrics: Sequence[str]
    difference: str


class Compared(NamedTuple):
    """A run held against older ones; of two runs also classes, pairs and images.

    `reach` are the lowest and the highest change there is to draw, with 0 between them or at an
    end. `pairs` are sentences by heading.
    """

    sentence: str
    metric_names: Sequence[str]
    runs: Sequence[ComparedRun]
    first_classes: Sequence[ClassChange]
    other_classes: Sequence[ClassChange]
    n_classes: int
    reach: tuple[float, float]
    pairs: Mapping[str, Sequence[str]]
    changed: Sequence[Changed]


def read_comparison(run: RunFolder) -> Part:
    """Return what was compared with older runs."""
    return read_part(
        run,
        "compare",
        {"runs": RUN_COLUMNS},
        optional={
            "fixed": CHANGED_COLUMNS,
            "broken": CHANGED_COLUMNS,
            "classes": CLASS_CHANGE_COLUMNS,
            "pairs": PAIR_CHANGE_COLUMNS,
        },
        before="OLD",
    )


def compared(part: Part, images: Predictions, shots: Shots) -> Compared | None:
    """Return how a run differs from older ones, and ask for the images; None where none is known.

    Args:
        part: What `read_comparison` returns.
        images: All images of the run, with `sample_id`.
        shots: Takes the images that changed sides.
    """
    runs = part.first("runs")
    if len(runs) < 2:
        return None
    classes = [_class_change(row) for row in part.first("classes", CLASSES_KEPT)]
    moved = [change for change in classes if change.is_sure][:CLASSES_AT_ONCE]
    at_once = max(len(moved), CLASSES_SHOWN)
    known = [name for name in METRICS if any(row.get(name) is not None for row in runs)]
    return Compared(
        sentence=difference_sentence(runs),
        metric_names=[METRIC_NAMES[name] for name in known],
        runs=[_told_run(row, known) for row in runs],
        first_classes=classes[:at_once],
        other_classes=classes[at_once:],
        n_classes=len(part.tables.get("classes", ())),
        reach=(
            min(0.0, *(change.low for change in classes)) if classes else 0.0,
            max(0.0, *(change.high for change in classes)) if classes else 0.0,
        ),
        pairs=_pairs(part),
        changed=[
            _changed(part.tables[name], name, title, images, shots)
            for name, title in (
                ("broken", "Broken: right before, wrong now"),
                ("fixed", "Fixed: wrong before, right now"),
            )
            if name in part.tables
        ],
    )


def difference_sentence(runs: Sequence[Mapping[str, Any]]) -> str:
    """Say how the accuracy of the last run differs from that of the first.

    >>> told = {"run": "old", "n": 100, "top1": 0.5}, {"run": "new", "n": 100, "top1": 0.75}
    >>> difference_sentence(told)
    'Top-1 went from 50.0 % (old) to 75.0 %.'
    """
    old, new = runs[0], runs[-1]
    n = new["n"]
    went = f"Top-1 went from {share(old.get('top1'), old['n'])} ({old['run']}) to " + share(
        new.get("top1"), n
    )
    difference = new.get("difference")
    if difference is None:
        return f"{went}."
    interval = points_range(new["difference_low"], new["difference_high"], n)
    is_paired = new.get("fixed") is not None
    test = "McNemar" if is_paired else "Fisher"
    chance = new["difference_low"] <= 0 <= new["difference_high"]
    return (
        f"{went}: {points(difference, n)} (95 % interval {interval}; {test}'s "
        f"{p_value(new['p_value'])})"
        + (f", {count(new['fixed'])} fixed and {count(new['broken'])} broken" * is_paired)
        + ("; chance may explain it." if chance else ".")
    ).replace("  ", " ")


def _told_run(row: Mapping[str, Any], known: Sequence[str]) -> ComparedRun:
    n = row["n"]
    difference = row.get("difference")
    texts = []
    for name in known:
        value = row.get(name)
        if not name.startswith("top"):
            texts.append(number(value))
            continue
        interval = share_range(row.get(f"{name}_low"), row.get(f"{name}_high"), n)
        texts.append(share(value, n) + (f" ({interval.removesuffix(' %')})" if interval else ""))
    return ComparedRun(row["run"], texts, "" if difference is None else points(difference, n))


def _class_change(row: Mapping[str, Any]) -> ClassChange:
    is_paired = row.get("fixed") is not None
    counts = f"{count(row['fixed'])} fixed, {count(row['broken'])} broken" if is_paired else ""
    return ClassChange(
        name=row["class_name"],
        recall=f"{share(row['old_recall'])} → {share(row['new_recall'])}",
        difference=points(row["difference"]),
        interval=points_range(row["low"], row["high"]),
        counts=counts,
        x=row["difference"],
        low=row["low"],
        high=row["high"],
        is_sure=(row.get("q_value") or 1.0) <= ALPHA,
    )


def _pairs(part: Part) -> dict[str, list[str]]:
    """Return the pairs that appeared, went or stay, and others whose count changed."""
    headings = {
        "appeared": "Pairs that appeared: mutually confused now, not before",
        "went": "Pairs that went: mutually confused before, not now",
        "stays": "Pairs that stay: mutually confused before and now",
    }
    if "pairs" not in part.tables:
        return {}
    table = part.tables["pairs"]
    chosen = {heading: table[table["status"] == status] for status, heading in headings.items()}
    chosen["Other errors that became more or fewer, beyond chance"] = table[
        table["status"].isna() & (table["q_value"] <= ALPHA)
    ]
    return {
        heading: [_pair_sentence(row) for row in records(rows, PAIRS_SHOWN)]
        for heading, rows in chosen.items()
        if len(rows)
    }


def _pair_sentence(row: Mapping[str, Any]) -> str:
    """Say how often two classes were, and are, taken for one another.

    >>> row = {"class_a": "cat", "class_b": "dog", "old_count": 9, "new_count": 2, "n": 100}
    >>> _pair_sentence({**row, "q_value": 0.04})
    'cat ~ dog: before 9 of 100, now 2 of 100 (q 0.040)'
    """
    before, now = (
        of(int(row[f"{which}_count"]), int(row.get("n") or row[f"{which}_n"]))
        for which in ("old", "new")
    )
    q = probability(row.get("q_value"))
    return f"{row['class_a']} ~ {row['class_b']}: before {before}, now {now} (q {q})"


def _changed(
    table: pd.DataFrame, name: str, title: str, images: Predictions, shots: Shots
) -> Changed:
    """Return the images of fixed.csv or broken.csv, and ask for those that this run has."""
    rows = records(table, NAMED)
    samples = pa.array([row["sample_id"] for row in rows], pa.string())
    places = pc.index_in(samples, value_set=images.table["sample_id"]).to_pylist()
    told = [_image(row, place) for row, place in zip(rows, places, strict=True)]
    tiles = [image for image in told if image.row is not None][:TILES]
    shots.want(image.row for image in tiles if image.row is not None)
    return Changed(title, len(table), tiles, told, f"compare/{name}.csv")


def _image(row: Mapping[str, Any], place: int | None) -> ChangedImage:
    def said(which: str) -> str:
        sure = row.get(f"{which}_confidence")
        return (
            f"{row[f'{which}_pred'] or NOT_KNOWN}{'' if sure is None else f' {probability(sure)}'}"
        )

    return ChangedImage(place, row["path"], row["label_name"], said("old"), said("new"))
