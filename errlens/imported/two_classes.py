"""One column of probability as two classes: what it does not give the one, it gives the other."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from errlens.classes.names import ClassNames
from errlens.classes.spelling import as_number, folded, tidied
from errlens.errors import BadPredictions, some
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


def both_probabilities(prob: NDArray[np.float64], *, place: int) -> NDArray[np.float64]:
    """Return the probabilities of two classes, of which one is known, shape (rows, 1).

    >>> both_probabilities(np.array([[0.75]]), place=1)
    array([[0.25, 0.75]])
    """
    both = np.hstack([prob, 1 - prob])
    return both if place == 0 else both[:, ::-1]
