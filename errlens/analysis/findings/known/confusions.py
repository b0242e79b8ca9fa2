"""Findings on classes that are mixed up: groups, pairs, one way, and beyond the superclass."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from errlens.analysis.confusion.groups import names_of
from errlens.analysis.confusion.pairs import MUTUAL, by_status
from errlens.analysis.confusion.sentences import missed_rule
from errlens.analysis.findings.finding import RUN, THESE, Finding, Gain
from errlens.analysis.findings.scored import Scored
from errlens.analysis.selection.parsing import pair_selector
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.formats import count, of, share

LEAST_GROUP: Final = 3  # classes; two are a pair
NAMED: Final = 6  # classes of a group


def from_confusions(
    images: Scored, pairs: pd.DataFrame, groups: pd.DataFrame, absorbed: pd.DataFrame
) -> Iterator[Finding]:
    """Yield a finding for each group, each pair outside of them and each way of one-way confusion.

    The errors that one explains are those beyond what chance puts into the cells: a cell with twice
    the errors expected explains half of them.

    Args:
        images: The images that are right or wrong.
        pairs: pairs.csv.
        groups: groups.csv.
        absorbed: absorbed.csv.
    """
    real = _rows(by_status(pairs).real)
    large = groups[groups["size"] >= LEAST_GROUP]
    members = names_of(large)
    for row, names in zip(_rows(large), members, strict=True):
        yield _group(images, row, names, real)
    inside = [set(names) for names in members]
    for pair in real:
        if not any({pair["class_a"], pair["class_b"]} <= names for names in inside):
            yield _pair(images, pair)
    for way in _rows(absorbed):
        if not any({way["true_class"], way["pred_class"]} <= names for names in inside):
            yield _one_way(images, way)


def from_exceptional(exceptional: pd.DataFrame, images: Scored) -> Iterator[Finding]:
    """Yield the finding that errors cross a superclass, if some do; exceptional.csv."""
    if not len(exceptional):
        return
    n, first = len(exceptional), exceptional.iloc[0]
    rows = exceptional["row"].tolist()
    crossing = f"{first['label_name']} as {first['pred_name']}"
    yield Finding(
        kind="exceptional",
        statement=f"{of(n, images.n_errors)} errors even get the superclass wrong; "
        f"the strongest: {crossing}.",
        rows=tuple(map(int, rows)),
        n_errors=n,
        gain=_gain(n, len(images)),
        evidence=f"{first['super_label']} taken for {first['super_pred']}",
        command=("misclassified", RUN, "--select", THESE),
        selector="exceptional",
    )


def _group(
    images: Scored,
    group: Mapping[str, Any],
    names: Sequence[str],
    pairs: Sequence[Mapping[str, Any]],
) -> Finding:
    """Return the finding on a group of classes; its pairs are not told again."""
    members = images.classes.indices(names)
    rows = _among(images, members)
    inside = [pair for pair in pairs if {pair["class_a"], pair["class_b"]} <= set(names)]
    excess = min(float(len(rows)), sum(map(_beyond_chance, inside)))
    named = ", ".join(names[:NAMED]) + f" and {count(len(names) - NAMED)} more" * (
        len(names) > NAMED
    )
    return Finding(
        kind="group",
        statement=f"{named} are taken for one another: {count(len(rows))} errors "
        f"({share(len(rows) / images.n_errors)} of all).",
        rows=tuple(rows.tolist()),
        n_errors=len(rows),
        excess_errors=excess,
        gain=_gain(len(rows), len(images)),
        evidence=f"{count(len(inside))} of its pairs are more than chance",
        command=("explain", RUN, "--select", THESE),
        subject={"classes": list(names)},
        selector=f"group:{group['group']}",
    )


def _pair(images: Scored, pair: Mapping[str, Any]) -> Finding:
    """Return the finding on two classes that are taken for one another."""
    a, b = pair["class_a"], pair["class_b"]
    rows = _among(images, images.classes.indices((a, b)))
    missed = missed_rule(pair)
    ways = (
        f"{of(pair['a_as_b'], pair['n_a'])} {a} as {b}, "
        f"{of(pair['b_as_a'], pair['n_b'])} {b} as {a}"
    )
    return Finding(
        kind="confusion" if pair["status"] == MUTUAL else "likely_confusion",
        statement=f"{a} and {b} are taken for one another: {ways} "
        f"({share(len(rows) / images.n_errors)} of all errors)"
        f"{f'; likely: {missed}' if missed else ''}.",
        rows=tuple(rows.tolist()),
        n_errors=len(rows),
        excess_errors=_beyond_chance(pair),
        gain=_gain(len(rows), len(images)),
        q_value=float(pair["q_value"]),
        evidence=ways,
        command=("explain", RUN, "--select", THESE),
        subject={"classes": [a, b]},
        selector=pair_selector(a, b, images.classes),
    )


def _one_way(images: Scored, way: Mapping[str, Any]) -> Finding:
    """Return the finding on a class that vanishes in another."""
    true, pred = way["true_class"], way["pred_class"]
    i, j = images.classes.indices((true, pred)).tolist()
    rows = images.row[(images.label == i) & (images.pred == j)]
    there = of(way["count"], way["n"])
    back = int(((images.label == j) & (images.pred == i)).sum())
    return Finding(
        kind="one_way",
        statement=f"{true} is taken for {pred} in {there} images, the other way in {count(back)} "
        f"({share(len(rows) / images.n_errors)} of all errors).",
        rows=tuple(rows.tolist()),
        n_errors=len(rows),
        excess_errors=_excess(way["count"], way["lift"]),
        gain=_gain(len(rows), len(images)),
        q_value=float(way["q_value"]),
        evidence=there,
        command=("explain", RUN, "--select", THESE),
        subject={"classes": [true, pred]},
        selector=pair_selector(true, pred, images.classes, both_ways=False),
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", table.to_dict("records"))


def _among(images: Scored, members: np.ndarray) -> np.ndarray:
    """Return the rows of the errors among some classes."""
    inside = np.isin(images.label, members) & np.isin(images.pred, members)
    return images.row[inside & images.wrong]


def _beyond_chance(pair: Mapping[str, Any]) -> float:
    """Return the errors of a pair beyond those that chance explains."""
    return _excess(pair["a_as_b"], pair["lift_ab"]) + _excess(pair["b_as_a"], pair["lift_ba"])


def _excess(errors: int, lift: float) -> float:
    """Return the errors beyond expectation: `lift` is how many times it they are."""
    return max(0.0, errors * (1 - 1 / lift)) if lift > 0 else 0.0


def _gain(errors: int, images: int) -> Gain:
    low, high = wilson_interval(errors, images)
    return Gain(errors / images, float(low), float(high))
