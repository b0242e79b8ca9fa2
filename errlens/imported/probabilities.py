"""Columns of probability per class: which they are, and whether they hold probabilities."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number
from errlens.errors import BadPredictions, UnfitOption, some
from errlens.formats import count, counted

PREFIXES: Final = ("prob_", "p_", "")  # what may stand before the name of a class

_ONE: Final = 1 + 1e-6  # the softmax of float32 may say 1.0000001


def probability_columns(
    columns: Sequence[str],
    *,
    reserved: Collection[str],
    named: Collection[str],
    given: ClassNames | None = None,
    prefix: str | None = None,
    needed: bool = False,
) -> dict[str, str]:
    """Return the column of each class, in output order, or nothing if there are none.

    Classes are in the order of `given`, else in that of the columns.

    Args:
        columns: All columns of the table.
        reserved: Columns that hold something else.
        named: The labels and predicted classes of the table.
        given: The classes, where they are known.
        prefix: What stands before the name of a class; by default one of `PREFIXES`.
        needed: The table says nothing else about predictions: take columns with a prefix also
            where no class that is named has one.

    Raises:
        BadPredictions: There are two such sets of columns, or a class has none.
        UnfitOption: No column has the prefix that was given.
    """
    free = dict.fromkeys(name for name in columns if name not in reserved)
    families = _families(free, PREFIXES, named, given) if prefix is None else {}
    if not families and (needed or prefix is not None):
        tried = [name for name in PREFIXES if name] if prefix is None else [prefix]
        families = _families(free, tried, named, given, trusted=True)
    if len(families) > 1:
        first, second = (next(iter(family.values())) for family in list(families.values())[:2])
        raise BadPredictions(
            f"two sets of columns could be the probabilities: those like {first!r} and those "
            f"like {second!r}",
            hint=f"choose one with --prob-prefix: {' or '.join(map(repr, families))}",
        )
    if not families and prefix is not None:
        raise UnfitOption(f"--prob-prefix {prefix!r}: no class has a column called like this")
    for before, family in families.items():
        _refuse_taken(
            family, before, reserved=reserved, wanted=given.names if given else sorted(named)
        )
        _refuse_missing(family, given)
        return family
    return {}


def refuse_improper(prob: NDArray[np.float64], names: Sequence[str], *, tolerance: float) -> None:
    """Raise an error unless every row that is known in full holds probabilities that sum to one.

    Args:
        prob: Shape (rows, classes); rows with NaN or infinity are left to whoever scores them.
        names: What to call each row in a message.
        tolerance: How far a sum may be from one.

    Raises:
        BadPredictions: Some row does not; the message names the first.
    """
    rows = np.flatnonzero(np.isfinite(prob).all(axis=1))
    known = prob[rows]
    sums = known.sum(axis=1)
    outside = (known < 0).any(axis=1) | (known > _ONE).any(axis=1)
    bad = np.flatnonzero(outside | (np.abs(sums - 1) > tolerance))
    if not len(bad):
        return
    first = bad[0]
    what, hint = _what_they_are(known, tolerance)
    raise BadPredictions(
        f"the probabilities of row {rows[first]} ({names[rows[first]]!r}) sum to "
        f"{sums[first]:.6g}, not to one{what}",
        hint=hint,
    )


def refuse_disagreement(
    prob: NDArray[np.float64], pred: NDArray[np.int32], names: Sequence[str], *, classes: ClassNames
) -> None:
    """Raise an error unless each predicted class (if not -1) is a most probable one.

    Raises:
        BadPredictions: Some are not; the message names the first.
    """
    rows = np.flatnonzero(np.isfinite(prob).all(axis=1) & (pred >= 0))
    wrong = rows[prob[rows, pred[rows]] < prob[rows].max(axis=1)]
    if not len(wrong):
        return
    examples = [
        f"{names[row]} (predicted {classes[pred[row]]!r}, most probable "
        f"{classes[int(prob[row].argmax())]!r})"
        for row in wrong[:3]
    ]
    raise BadPredictions(
        f"{len(wrong)} of {len(rows)} predicted classes are not the most probable class: "
        f"{', '.join(examples)}",
        hint="are the columns of probability those of these classes, and is the order of "
        "--classes right? Without the column of predicted classes the probabilities decide",
    )


def most_probable(prob: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the most probable class of each row, -1 where not all of it is known.

    >>> most_probable(np.array([[0.1, 0.9], [np.nan, 1]]))
    array([ 1, -1], dtype=int32)
    """
    known = np.isfinite(prob).all(axis=1)
    return np.where(known, prob.argmax(axis=1), -1).astype(np.int32)


def _families(
    free: Collection[str],
    prefixes: Collection[str],
    named: Collection[str],
    given: ClassNames | None,
    *,
    trusted: bool = False,
) -> dict[str, dict[str, str]]:
    """Return the columns of the classes by prefix, where there are any."""
    families = {prefix: _family(free, prefix, named, given, trusted=trusted) for prefix in prefixes}
    return {prefix: family for prefix, family in families.items() if family}


def _family(
    free: Collection[str],
    prefix: str,
    named: Collection[str],
    given: ClassNames | None,
    *,
    trusted: bool,
) -> dict[str, str]:
    """Return the columns called PREFIX plus a class, unless they could be a coincidence."""
    ends = {
        name.removeprefix(prefix): name
        for name in free
        if name.startswith(prefix) and name != prefix
    }
    if not ends:
        return {}
    columns = ClassNames(tuple(ends))
    if given:
        places = {name: columns.index(name) for name in given.names}
        times = Counter(places.values())
        family = {
            name: ends[columns[at]]
            for name, at in places.items()
            if at is not None and (times[at] == 1 or columns[at] == name)
        }
        return family if trusted or prefix or len(family) >= min(2, len(given)) else {}
    if not prefix:
        meant = {at for name in named if (at := columns.index(name)) is not None}
        family = {columns[at]: ends[columns[at]] for at in sorted(meant)}
        return family if trusted or len(family) >= min(2, len(named)) else {}
    numbered = prefix == "prob_" and all(as_number(name) is not None for name in named)
    is_known = trusted or numbered or any(columns.meant(name) for name in named)
    return ends if is_known else {}


def _refuse_taken(
    family: dict[str, str], prefix: str, *, reserved: Collection[str], wanted: Sequence[str]
) -> None:
    """Raise an error where the column that a class needs holds something else."""
    for name in wanted:
        if name not in family and prefix + name in reserved:
            raise BadPredictions(
                f"the column {prefix + name!r} cannot hold the probabilities of the class "
                f"{name!r}: it is taken for something else",
                hint="call the columns of probability prob_CLASS",
            )


def _refuse_missing(family: dict[str, str], given: ClassNames | None) -> None:
    """Raise an error where some of the classes that were given have no column."""
    missing = [name for name in given.names if name not in family] if given else []
    if missing:
        raise BadPredictions(
            f"no column of probability for {some(missing)}, but for {some(list(family))}",
            hint="name every column after its class; see --prob-prefix and --classes",
        )


def _what_they_are(known: NDArray[np.float64], tolerance: float) -> tuple[str, str]:
    """Guess what numbers that are no probabilities are: the end of a sentence and a hint."""
    if (np.abs(known.sum(axis=1) - 100) <= 100 * tolerance).all() and (known >= 0).all():
        return ": they look like percentages", "divide them by 100"
    span = f"from {known.min():.4g} to {known.max():.4g}"
    if (known <= 0).all() and (np.abs(np.exp(known).sum(axis=1) - 1) <= tolerance).all():
        return f": they look like log-probabilities, {span}", "take their exponential first"
    bad = (known < 0).any(axis=1) | (known > _ONE).any(axis=1)
    if bad.mean() >= 0.5:
        return f": they look like raw outputs (logits), {span}", "softmax them first"
    if bad.any():
        share = f"{count(int(bad.sum()))} of {counted(len(known), 'row')}"
        return f": values lie outside of 0 to 1 in {share}", "mend or drop these rows"
    return "", (
        "every class needs its column (see --prob-prefix and --classes), with enough digits; "
        "outputs of independent sigmoids are no probabilities of one class: softmax them first"
    )
