"""Sentences on a confusion matrix, the same on terminal, page and summary.

A sentence that nothing was found says of how many images, so that it holds for a run without errors
and for one without a right image.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import pandas as pd

from errlens import formats
from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.matrix import ConfusionMatrix, cell_table
from errlens.analysis.confusion.pairs import (
    ALPHA,
    LEAST_COUNT,
    LEAST_LIFT,
    LIKELY,
    MUTUAL,
    UNTESTED,
    by_status,
)

NOTHING_SCORED: Final = "No image has both a label and a prediction: nothing is right or wrong."


def sentences(matrix: ConfusionMatrix, pairs: pd.DataFrame, absorbed: pd.DataFrame) -> list[str]:
    """Return what is to be said of the classes that are mixed up, the strongest evidence first.

    Args:
        matrix: All images that count.
        pairs: What `pair_table` returns, or pairs.csv.
        absorbed: What `absorbed_table` returns, or absorbed.csv.
    """
    if nothing := nothing_wrong(matrix):
        return [nothing]
    if len(matrix.classes) < LEAST_SET:
        return [_two_classes(matrix)]
    shown = by_status(pairs)
    on_pairs = [*_confused(shown.mutual), *_confused(shown.likely)] or [_no_pair(matrix, pairs)]
    if not len(shown.real) and not len(absorbed):
        return [*on_pairs, _most_frequent(matrix)]
    return [*on_pairs, *_one_way(matrix, absorbed)]


def nothing_wrong(matrix: ConfusionMatrix) -> str | None:
    """Return the sentence on a run in which no class was taken for another; None for all others."""
    if not matrix.total:
        return NOTHING_SCORED
    if matrix.n_errors:
        return None
    if len(matrix.classes) == 1:
        return "There is one class: nothing can be taken for another."
    return f"No errors in {formats.counted(matrix.total, 'image')}: no class was taken for another."


def no_group(matrix: ConfusionMatrix, pairs: pd.DataFrame) -> str:
    """Return the sentence on a run without groups."""
    if nothing := nothing_wrong(matrix):
        return nothing
    if len(by_status(pairs).mutual):
        return "No group: the classes of no mutually confused pair are alike enough to join."
    return "No group: one is built around a mutually confused pair, and none is shown."


def held_against(matrix: ConfusionMatrix) -> str:
    """Return the sentence on what the errors of a pair are compared with, which its q rests on."""
    if not matrix.superclasses:
        return "Each pair is compared with all other classes: no superclasses are known."
    return (
        "Each pair is compared with the other classes of its superclass; with all, where it shares "
        f"none of {LEAST_SET} or more."
    )


def none_exceptional(matrix: ConfusionMatrix) -> str:
    """Return the sentence on a run in which no error crosses a superclass."""
    without = int((matrix.parents < 0).sum()) if matrix.superclasses else 0
    if not without:
        return "No error crosses a superclass."
    return (
        "No error crosses a superclass; those of "
        f"{formats.counted(without, 'class')} without one are left out."
    )


def shown_pairs(pairs: pd.DataFrame, *, named: int, candidates: int) -> pd.DataFrame:
    """Return the first pairs that are mutual or likely; without any, the first of the others."""
    real = by_status(pairs).real
    return real.head(named) if len(real) else pairs.head(candidates)


def told_status(pair: Mapping[str, Any]) -> str:
    """Return the status of a row of pairs.csv, with the rule that it misses.

    >>> told_status({"status": "likely", "lift_ab": 1.82, "lift_ba": 1.9999})
    'likely: lifts of 1.8 and <2.0, not 2 both ways'
    """
    missed = missed_rule(pair)
    return f"{pair['status']}: {missed}" if missed else str(pair["status"])


def missed_rule(pair: Mapping[str, Any]) -> str:
    """Return the first rule of a mutual pair that a row of pairs.csv does not meet.

    >>> missed_rule({"status": "candidate", "a_as_b": 3, "b_as_a": 4, "q_value": 0.31})
    'chance may explain it'
    """
    status, q_value = pair["status"], pair.get("q_value")
    if status == MUTUAL:
        return ""
    if status == LIKELY:
        there, back = (written_lift(pair[name]) for name in ("lift_ab", "lift_ba"))
        return f"lifts of {there} and {back}, not {LEAST_LIFT:g} both ways"
    if pd.isna(q_value):
        return "with two classes there is nothing to compare with"
    if min(pair["a_as_b"], pair["b_as_a"]) < LEAST_COUNT:
        return "a single error one way"
    if q_value > ALPHA:
        return "chance may explain it"
    return "one way less than a quarter of the other"


def _confused(pairs: pd.DataFrame) -> list[str]:
    """Say how many pairs are mutual, or likely to be, and which of them most clearly."""
    if not len(pairs):
        return []
    first = _record(pairs)
    missed = missed_rule(first)
    likely, why = ("likely to be ", f": more than chance, with {missed}") if missed else ("", "")
    many = _many(pairs, "pair is", "pairs are")
    return [f"{many} {likely}mutually confused{_which(pairs)}{_pair(first)}{why}."]


def _no_pair(matrix: ConfusionMatrix, pairs: pd.DataFrame) -> str:
    if not len(pairs):
        return "No two classes have errors both ways."
    first = _record(pairs)
    return (
        f"No pair is shown to be mutually confused by {formats.counted(matrix.total, 'image')}; "
        f"the strongest candidate is {_pair(first)}: {missed_rule(first)}."
    )


def _one_way(matrix: ConfusionMatrix, absorbed: pd.DataFrame) -> list[str]:
    if not len(absorbed):
        return []
    many = _many(absorbed, "confusion goes", "confusions go")
    row = _record(absorbed)
    return [
        f"{many} one way, more often than chance{_which(absorbed)}"
        f"{_way(matrix, row['true_class'], row['pred_class'])}."
    ]


def _most_frequent(matrix: ConfusionMatrix) -> str:
    first = _record(cell_table(matrix))
    if first["count"] == 1 < matrix.n_errors:
        return "No kind of error happened twice."
    which = "The only error" if matrix.n_errors == 1 else "The most frequent error"
    return f"{which}: {_way(matrix, first['true_class'], first['pred_class'])}."


def _two_classes(matrix: ConfusionMatrix) -> str:
    a, b = matrix.classes.names
    ways = [f"{x} was taken for {y} in {_images(matrix, x, y)}" for x, y in ((a, b), (b, a))]
    return (
        "With two classes nothing can be tested, as there is nothing to compare their errors with: "
        f"{', '.join(ways)}."
    )


def _way(matrix: ConfusionMatrix, true: str, pred: str) -> str:
    """Write one way of a confusion, with the way back."""
    return (
        f"{true} taken for {pred} in {_images(matrix, true, pred)}, "
        f"the other way in {_images(matrix, pred, true)}"
    )


def _images(matrix: ConfusionMatrix, true: str, pred: str) -> str:
    """Write how many images of a class are taken for another."""
    count, n = matrix.taken(true, pred)
    return f"{formats.of(count, n)} images" if n else f"none: {true} has no images"


def _pair(pair: Mapping[str, Any]) -> str:
    """Write a pair with its images and, where it was tested, its false discovery rate."""
    there, back = (
        formats.of(int(pair[count]), int(pair[n]))
        for count, n in (("a_as_b", "n_a"), ("b_as_a", "n_b"))
    )
    q = "" if pair["status"] == UNTESTED else f", q {_q(pair['q_value'])}"
    return f"{pair['class_a']} ~ {pair['class_b']} ({there} and {back} images{q})"


def _which(table: pd.DataFrame) -> str:
    """Return what stands between the number of rows and the first of them."""
    return ": " if len(table) == 1 else ", most clearly "


def _record(table: pd.DataFrame) -> dict[str, Any]:
    """Return the first row of a table."""
    return cast("dict[str, Any]", table.iloc[0].to_dict())


def _many(table: pd.DataFrame, one: str, many: str) -> str:
    n = len(table)
    return f"{formats.count(n)} {one if n == 1 else many}"


def written_lift(lift: float) -> str:
    """Write a lift so that one below the least is seen to be.

    >>> written_lift(1.99), written_lift(2.01)
    ('<2.0', '2.0')
    """
    text = formats.times(lift)
    return f"<{text}" if lift < LEAST_LIFT and text == formats.times(LEAST_LIFT) else text


def _q(q_value: float) -> str:
    """Write a false discovery rate so that one above the limit is seen to be.

    >>> _q(0.05), _q(0.05004)
    ('0.050', '>0.050')
    """
    text = formats.probability(q_value)
    return f">{text}" if q_value > ALPHA and text == formats.probability(ALPHA) else text
