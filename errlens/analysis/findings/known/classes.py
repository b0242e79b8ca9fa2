"""Findings on classes as wholes: without an image, or never right."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.findings.finding import RUN, THESE, Finding, Gain
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.errors import some
from errlens.formats import count, counted, expected_count, probability

ALPHA: Final = 0.01
LEAST_IMAGES: Final = 2  # of a class that may be called never right


def from_classes(matrix: ConfusionMatrix, images: Scored) -> Iterator[Finding]:
    """Yield what is to be said of classes without an image, and of those that are never right."""
    empty = np.flatnonzero(matrix.n == 0)
    if len(empty):
        names = [matrix.classes[index] for index in empty.tolist()]
        one = len(names) == 1
        yield Finding(
            kind="no_image",
            statement=f"{count(len(names))} of {counted(len(matrix.classes), 'class')} "
            f"{'has' if one else 'have'} no image here, so nothing is known of "
            f"{'it' if one else 'them'}: {some(names)}.",
            command=("report", RUN),
            subject={"classes": names},
        )
    yield from _never_right(matrix, images)


def _never_right(matrix: ConfusionMatrix, images: Scored) -> Iterator[Finding]:
    """Yield the finding that classes are never right, where that is more than bad luck.

    A class of few images is never right by chance, with the probability that all of them are wrong
    at the accuracy of the run; so many such classes, or more, are expected as a sum of independent
    cases (Poisson's approximation of it, which errs on the safe side).
    """
    right = matrix.counts.diagonal()
    never = (right == 0) & (matrix.n >= LEAST_IMAGES)
    if not never.any() or never.all() or right.sum() == 0:
        return
    by_chance = (matrix.n_errors / matrix.total) ** matrix.n[matrix.n >= LEAST_IMAGES]
    expected, found = float(by_chance.sum()), int(never.sum())
    p_value = _poisson_tail(found, expected)
    if p_value > ALPHA:
        return
    members = np.flatnonzero(never)
    rows = images.row[np.isin(images.label, members)]
    names = [matrix.classes[index] for index in members.tolist()]
    elsewhere = 1 - right.sum() / matrix.n[~never].sum()  # how often the other classes are wrong
    low, high = wilson_interval(len(rows), len(images))
    yield Finding(
        kind="never_right",
        statement=f"{count(found)} of {counted(len(matrix.classes), 'class')} "
        f"{'is' if found == 1 else 'are'} never right: {some(names)} "
        f"(0 of {counted(len(rows), 'image')}).",
        rows=tuple(rows.tolist()),
        n_errors=len(rows),
        excess_errors=float(len(rows) * (1 - elsewhere)),
        gain=Gain(len(rows) / len(images), float(low), float(high)),
        q_value=p_value,
        evidence=f"{expected_count(expected)} such classes are expected by chance "
        f"(p {probability(p_value)})",
        command=("misclassified", RUN, "--select", THESE),
        subject={"classes": names},
    )


def _poisson_tail(found: int, expected: float) -> float:
    """Return the probability of at least so many rare events.

    >>> round(_poisson_tail(1, 0.1), 4)
    0.0952
    """
    from scipy.stats import poisson

    return float(poisson.sf(found - 1, expected))
