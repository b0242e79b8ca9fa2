"""One column of probability as two classes: what it does not give the one, it gives the other."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number, folded, tidied
from errlens.errors import BadPredictions, some
from errlens.escapes import shell_line
from errlens.formats import counted
from errlens.imported.named_classes import by_value


def both_classes(
    name: str, column: str, *, named: Collection[str], given: ClassNames | None = None
) -> ClassNames:
    """Return two classes, of which a table has the probability of one.

    They are those given, else that one and the only other class that labels or predictions name, in
    the order of their names, or of their numbers.

    Args:
        name: The class whose probability the table has.
        column: Its column, for messages.
        named: All labels and predicted classes of the table.
        given: The classes, where they are known.

    Raises:
        BadPredictions: It is not known what the other class is called.

    >>> both_classes("cat", "prob_cat", named=["dog", "Cat", "dog"]).names
    ('cat', 'dog')
    """
    if given is not None:
        return given
    known = ClassNames((name,))
    others = {folded(other): tidied(other) for other in sorted(known.unknown(named))}
    if len(others) == 1:
        names = sorted([name, *others.values()], key=by_value)
        return ClassNames(tuple(names), source="the column of probability and the labels")
    column_of = f"{column!r} is the only column of probability"
    numbers = others and all(as_number(other) is not None for other in others)
    if not others:
        raise BadPredictions(
            f"{column_of}, and no label or prediction names another class than {name!r}",
            hint="pass --classes FILE with the names of both classes",
        )
    raise BadPredictions(
        f"{column_of}, but labels and predictions name {counted(len(others), 'other class')}: "
        f"{some(sorted(others.values(), key=by_value))}",
        hint="pass --classes FILE with the names of both classes, which the numbers count"
        if numbers and len(others) == 2
        else "one will do for two classes; for more, every class needs its column",
    )


class Score(NamedTuple):
    """A column that seems to hold the probability of one of two classes."""

    column: str
    of: str

    @property
    def hint(self) -> str:
        """Say how the column is taken for that."""
        words = shell_line(["--prob-column", f"{self.column}={self.of}"])
        return (
            f"where the numbers from 0 to 1 in {self.column!r} are the probability of {self.of!r}, "
            f"add {words}"
        )


def likely_score(
    columns: Mapping[str, Sequence[str | None]], labels: Sequence[str | None]
) -> Score | None:
    """Return the column that seems to hold the probability of one of two classes, if one does.

    It is the one that tells the two best apart, of those that hold numbers from 0 to 1, and not
    only these two; the class is the one whose images have the higher mean.

    Args:
        columns: What each column that may be it holds.
        labels: The label of each row.

    >>> likely_score({"age": ["3", "5"], "score": ["0.2", "0.9"]}, ["cat", "dog"])
    Score(column='score', of='dog')
    """
    kinds = sorted({label for label in labels if label is not None})
    found: list[tuple[float, Score]] = []
    for column, texts in columns.items() if len(kinds) == 2 else ():
        pairs = [*zip(_shares(texts), labels, strict=True)]
        values = [[n for n, label in pairs if label == kind and n is not None] for kind in kinds]
        if all(values):
            first, second = (float(np.mean(each)) for each in values)
            found.append((abs(second - first), Score(column, kinds[int(second >= first)])))
    return max(found, key=lambda entry: entry[0])[1] if found else None


def _shares(texts: Sequence[str | None]) -> list[float | None]:
    """Return numbers that are all from 0 to 1, and not all 0 or 1; none where they are not."""
    try:
        numbers = [None if text is None else float(text) for text in texts]
    except ValueError:
        return [None] * len(texts)
    known = [number for number in numbers if number is not None]
    fit = all(0 <= number <= 1 for number in known) and any(0 < number < 1 for number in known)
    return numbers if fit else [None] * len(texts)


def both_probabilities(prob: NDArray[np.float64], *, place: int) -> NDArray[np.float64]:
    """Return the probabilities of two classes, of which one is known, shape (rows, 1).

    >>> both_probabilities(np.array([[0.75]]), place=1)
    array([[0.25, 0.75]])
    """
    both = np.hstack([prob, 1 - prob])
    return both if place == 0 else both[:, ::-1]
