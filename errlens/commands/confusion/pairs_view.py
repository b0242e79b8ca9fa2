"""How two classes taken for one another look on the terminal: both ways, and one way."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from errlens import formats
from errlens.analysis.confusion.chance import LEAST_SET
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import by_status
from errlens.analysis.confusion.sentences import held_against, told_status, written_lift
from errlens.commands.showing import both_ways, first_rows, one_way, say_more
from errlens.terminal import Cell, Screen

FREQUENT: Final = 5  # kinds of errors shown where there is no mutual pair

_COLUMNS: Final = (
    ">A as B", ">95 % interval", ">B as A", ">95 % interval", ">lifts", ">q", ">gain",
)  # fmt: skip
_ONE_WAY: Final = (">A as B", ">95 % interval", ">B as A", ">lift", ">q")
_GIVE_WAY: Final = (">lifts", ">lift", ">95 % interval", ">q")
_LEGEND: Final = (
    "lift: times the errors expected; q: false discovery rate; gain: accuracy won if they were "
    "never mixed up"
)


def show_pairs(
    screen: Screen, matrix: ConfusionMatrix, pairs: pd.DataFrame, *, by: str | None, top: int
) -> None:
    """Print the strongest pairs, all together or those of each superclass."""
    screen.say()
    sets = _by_superclass(matrix, pairs) if by else [("", pairs)]
    for number, (where, chosen) in enumerate(sets):
        if number:
            screen.say()
        _show_set(screen, chosen, where=where, top=top)
    if len(pairs) and len(matrix.classes) >= LEAST_SET:
        screen.say(held_against(matrix))


def _show_set(screen: Screen, pairs: pd.DataFrame, *, where: str, top: int) -> None:
    """Print the mutual and the likely pairs; where there is neither, the candidates."""
    mutual, likely, real, others = by_status(pairs)
    if not len(real):
        _show_table(screen, f"errors both ways{where} (A ~ B)", pairs, top=top, with_status=True)
        return
    if len(mutual):
        _show_table(screen, f"mutually confused{where} (A ~ B)", mutual, top=top)
    if len(mutual) and len(likely):
        screen.say()
    if len(likely):
        _show_table(screen, f"likely{where}: all but the lifts (A ~ B)", likely, top=top)
    if len(others):
        have = "has" if len(others) == 1 else "have"
        many = f"{formats.counted(len(others), 'more pair')} {have}"
        screen.say(f"{many} errors both ways, without such evidence: see pairs.csv")


def _by_superclass(
    matrix: ConfusionMatrix, pairs: pd.DataFrame
) -> Sequence[tuple[str, pd.DataFrame]]:
    """Return the pairs inside each superclass, then those between superclasses."""
    parent = dict(zip(matrix.classes.names, matrix.parents.tolist(), strict=True))
    a, b = (pairs[column].map(parent).to_numpy(int) for column in ("class_a", "class_b"))
    names = matrix.superclasses.names if matrix.superclasses else ()
    sets = [(f" in {name}", (a == b) & (a == index)) for index, name in enumerate(names)]
    sets.append((" between superclasses", (a != b) | (a < 0)))
    return [(where, pairs[chosen]) for where, chosen in sets if chosen.any()]


def _show_table(
    screen: Screen, heading: str, pairs: pd.DataFrame, *, top: int, with_status: bool = False
) -> None:
    """Print a table of pairs; `with_status` says of each that was tested what it shows."""
    heads = [f"<{heading}", *_COLUMNS, *["status"] * with_status]
    rows = [
        [*_pair_cells(row), *[told_status(row)] * with_status] for row in first_rows(pairs, top)
    ]
    screen.table(heads, rows, gives_way=_GIVE_WAY, prose=("status",), file="pairs.csv")
    say_more(screen, len(pairs), top, " of them: see pairs.csv")


def _pair_cells(row: Mapping[str, Any]) -> tuple[Cell, ...]:
    lifts = [written_lift(row[name]) for name in ("lift_ab", "lift_ba")]
    return (
        both_ways(row["class_a"], row["class_b"]),
        _rate(row["a_as_b"], row["n_a"]),
        formats.share_range(row["rate_ab_low"], row["rate_ab_high"]),
        _rate(row["b_as_a"], row["n_b"]),
        formats.share_range(row["rate_ba_low"], row["rate_ba_high"]),
        formats.NOT_KNOWN if pd.isna(row["lift_ab"]) else ", ".join(lifts),
        formats.probability(row["q_value"]),
        formats.points(row["gain_if_solved"]),
    )


def show_one_way(
    screen: Screen, matrix: ConfusionMatrix, absorbed: pd.DataFrame, *, top: int
) -> None:
    """Print one-way confusions: A is taken for B, and hardly ever B for A."""
    if not len(absorbed):
        return
    rows = [
        (
            *_one_way_cells(row),
            formats.of(*matrix.taken(row["pred_class"], row["true_class"])),
            formats.times(row["lift"]),
            formats.probability(row["q_value"]),
        )
        for row in first_rows(absorbed, top)
    ]
    screen.say()
    heads = ("one way, more than chance (A -> B)", *_ONE_WAY)
    screen.table(heads, rows, gives_way=_GIVE_WAY, file="absorbed.csv")
    say_more(screen, len(absorbed), top, ": see absorbed.csv")


def show_legend(screen: Screen) -> None:
    """Say what the columns are."""
    screen.say(_LEGEND)


def show_most_frequent(screen: Screen, cells: pd.DataFrame) -> None:
    """Print the most frequent errors, where there is no evidence of a mutual pair."""
    screen.say()
    rows = [_one_way_cells(row) for row in first_rows(cells, FREQUENT)]
    heads = ("most frequent errors (A -> B)", *_ONE_WAY[:2])
    screen.table(heads, rows, gives_way=_GIVE_WAY, file="cells.csv")
    say_more(screen, len(cells), FREQUENT, ": see cells.csv", noun="kind")


def _one_way_cells(row: Mapping[str, Any]) -> tuple[Cell, str, str]:
    return (
        one_way(row["true_class"], row["pred_class"]),
        _rate(row["count"], row["n"]),
        formats.share_range(row["low"], row["high"]),
    )


def _rate(count: int, n: int) -> str:
    """Write a rate with the images behind it.

    >>> _rate(13, 50)
    '26.0 % (13 of 50)'
    """
    return f"{formats.share(count / n)} ({formats.of(count, n)})"
