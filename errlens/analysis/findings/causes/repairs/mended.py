"""Which images a change mends: those listed under a finding."""

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.causes.repairs.answers import Answers, Scope
from errlens.analysis.findings.causes.repairs.trials import luck


def surest(
    answers: Answers, column: int, scope: Scope, *, wrong: bool, most_luck: float
) -> NDArray[np.intp]:
    """Return places of images that a change mends, of which few are so by luck; the surest first.

    Of errors, those repaired count by the probability of their class; of right images, those that
    stay right by how much it rises. So many are left out that the share by luck is small enough.
    """
    values = answers.label_prob if wrong else answers.rise
    within = answers.within(scope) & (answers.wrong == wrong)
    within &= answers.differs[:, column]
    chosen = np.flatnonzero(within & answers.hit[:, column])
    chosen = chosen[np.argsort(-values[chosen, column], kind="stable")]
    if not wrong:
        chosen = chosen[values[chosen, column] > 0]
    kept = 0
    for size in _sizes(len(chosen)):
        least = values[chosen[size - 1], column]
        flags = answers.hit & (values >= least)
        by_luck = luck(answers, flags, column, scope, within) * within.sum()
        if by_luck <= most_luck * size:
            kept = size
    return chosen[:kept]


def _sizes(most: int) -> NDArray[np.intp]:
    """Return up to a hundred sizes of a choice."""
    return np.unique(np.linspace(1, most, min(most, 100)).astype(int)) if most else np.zeros(0, int)
