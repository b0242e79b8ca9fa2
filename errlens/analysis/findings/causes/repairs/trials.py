"""Does a change of the input repair more errors than by luck?

Any change of the input repairs some errors, and harsh ones, as a half turn, repair many of the
classes that they resemble. Luck is told from a cause in two ways. What is mended is mended surely:
of an image that is turned back the model is often surer than of most that it has right, of one that
is right by luck seldom (in a trial of 0.4 % of the errors, where 17 % were right at all). And what
is mended is more than other classes, or changes of another kind, let expect.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from errlens.analysis.findings.causes.repairs.answers import (
    ALL,
    LEAST_OF_CLASS,
    LEAST_SHARE,
    Answers,
    Flags,
    Numbers,
    Scope,
)
from errlens.analysis.statistics.intervals import Z95

ALPHA: Final = 0.02  # of any false alarm, over all classes and changes
LEAST_RIGHT: Final = 20  # images asked about; fewer tell nothing of what a change breaks
LEAST_GAIN: Final = 0.005  # accuracy
_UNEQUAL: Final = 2.0  # how many times as often luck may come in one class, or by one change
_MORE_ALIKE: Final = 1.5  # errors of a class are taken for it that much more than other images
_SURE_OF_ATTRACTION: Final = 0.01
_LUCK: Final = 0.008  # errors that are mended surely by luck, at the least


class Net(NamedTuple):
    """The accuracy won if a change were made to all images, and its variance."""

    gain: float
    variance: float


class Repair(NamedTuple):
    """A change that repairs more errors of a scope than by luck.

    `of_all` tells that the accuracy rises even if the change is made to all images; `log_p` is the
    logarithm of the chance of a false alarm, corrected for all tests.
    """

    change: str
    scope: Scope
    of_all: bool
    log_p: float

    @property
    def p_value(self) -> float:
        """The chance of a false alarm."""
        return float(np.exp(min(0.0, self.log_p)))


class Figures(NamedTuple):
    """What a change does in a scope, of the images asked about.

    It repairs so many of the `errors`, and breaks so many of the `right` images. `surely` counts
    repaired errors of which the model is surer than of most images it has right. What is expected
    is so by luck alone.
    """

    errors: int
    repaired: int
    expected: float
    surely: int
    surely_expected: float
    right: int
    broken: int


def strongest(answers: Answers, told: Flags) -> Repair | None:
    """Return the surest repair, if there is any.

    Args:
        answers: What was asked.
        told: Which images are explained already, shape (m,): they are left out of the tests.
    """
    scopes = _scopes(answers)
    tests = _Tests.of(answers, scopes)
    repairs = [
        repair
        for column in range(len(answers.changes))
        for scope in scopes
        if (repair := _tested(answers, column, scope, told, tests))
    ]
    return min(repairs, key=lambda repair: repair.log_p, default=None)


def _scopes(answers: Answers) -> list[Scope]:
    n = np.bincount(answers.label[answers.wrong])
    classes = np.flatnonzero(n >= LEAST_OF_CLASS) if (n > 0).sum() > 1 else np.zeros(0, int)
    return [ALL, *(Scope(int(index)) for index in classes)]


class _Tests(NamedTuple):
    """What the chance of a false alarm is corrected by.

    Half of it is for what is mended surely of all images, the strongest test by far: `main`. The
    other half is for all `others`: what is mended at all, the net, and single classes.
    """

    main: float
    others: float

    @classmethod
    def of(cls, answers: Answers, scopes: list[Scope]) -> "_Tests":
        changes = len(answers.changes)
        return cls(float(np.log(2 * changes)), float(np.log(2 * changes * (len(scopes) + 1))))


def might_be_told(answers: Answers) -> list[int]:
    """Return the places of changes that pass but for what they break, and what they resemble.

    Errors alone decide it; of right images nothing need be known.
    """
    scopes = _scopes(answers)
    tests = _Tests.of(answers, scopes)
    told = np.zeros(len(answers.label), bool)
    return [
        column
        for column in range(len(answers.changes))
        if any(_repairs_enough(answers, column, scope, told, tests) for scope in scopes)
    ]


def _repairs_enough(
    answers: Answers, column: int, scope: Scope, told: Flags, tests: _Tests
) -> bool:
    beyond = _beyond_luck(answers, column, scope, told, tests)
    return beyond is not None and (scope is ALL or beyond.log_p <= np.log(ALPHA))


class _Beyond(NamedTuple):
    """Errors repaired beyond luck, of so many; `log_p` is as in `Repair`."""

    errors: int
    repaired: int
    log_p: float


def _beyond_luck(
    answers: Answers, column: int, scope: Scope, told: Flags, tests: _Tests
) -> _Beyond | None:
    """Hold the errors that a change repairs against luck; None where they are too few."""
    left = answers.wrong & answers.within(scope) & answers.differs[:, column] & ~told
    n, hits = int(left.sum()), int(answers.hit[left, column].sum())
    by_luck = luck(answers, answers.hit, column, scope, left)
    if not n or hits - n * by_luck < scope.least(int(answers.wrong.sum())):
        return None
    surely = int(answers.surely[left, column].sum())
    surely_by_luck = max(_LUCK, luck(answers, answers.surely, column, scope, left))
    log_p = _log_tail(surely, n, surely_by_luck)
    if scope is not ALL:
        return _Beyond(n, hits, log_p + tests.others)
    of_hits = _log_tail(hits, n, by_luck) + tests.others
    return _Beyond(n, hits, min(log_p + tests.main, of_hits))


def _tested(
    answers: Answers, column: int, scope: Scope, told: Flags, tests: _Tests
) -> Repair | None:
    """Return what a change repairs in a scope if that is more than by luck."""
    beyond = _beyond_luck(answers, column, scope, told, tests)
    if beyond is None:
        return None
    n, hits, log_p = beyond
    log_p_net = 0.0
    if scope.label is not None and not _beyond_attraction(answers, column, scope.label, hits, n):
        return None
    if scope is ALL:
        net = net_of(answers, column, told)
        if net.gain >= max(LEAST_GAIN, LEAST_SHARE * answers.n_wrong.sum() / answers.n):
            log_p_net = log_p_of_net(answers, column, told) + tests.others
    if min(log_p, log_p_net) > np.log(ALPHA):
        return None
    of_all = bool(log_p_net <= np.log(ALPHA))
    return Repair(answers.changes[column], scope, of_all, min(log_p, log_p_net))


def _beyond_attraction(answers: Answers, column: int, label: int, hits: int, n: int) -> bool:
    """Tell whether a class is repaired beyond what makes images of other classes look like it."""
    attracted = min(1.0, _MORE_ALIKE * answers.attracted(column, label))
    return bool(binom.sf(hits - 1, n, attracted) < _SURE_OF_ATTRACTION)


def _log_tail(hits: int, n: int, by_luck: float) -> float:
    """Return the logarithm of the chance of so many hits where luck is as uneven as it may be."""
    return float(binom.logsf(hits - 1, n, min(1.0, _UNEQUAL * by_luck)))


def luck(answers: Answers, flags: Flags, column: int, scope: Scope, images: Flags) -> float:
    """Return the share of images of a scope that a flag comes to without a cause.

    It is the larger of what changes of other families do to these images (the median of them), and
    of what this change does to images of other classes that are as right, or as wrong.

    Args:
        answers: What was asked.
        flags: Whether something came of each image under each change, shape (m, c).
        column: Of the change.
        scope: Of these images.
        images: Those in question, shape (m,); all of them right, or all of them wrong.
    """
    if not images.any():
        return 0.0
    unrelated = answers.unrelated(answers.changes[column])
    tried = answers.differs[np.ix_(images, unrelated)]
    came = (flags[np.ix_(images, unrelated)] & tried).sum(axis=0)
    rates = (came + 0.5) / (tried.sum(axis=0) + 1)  # so that few images never make luck impossible
    by_changes = float(np.median(rates)) if len(rates) else 0.0
    if scope is ALL:
        return by_changes
    alike = answers.wrong if answers.wrong[images].any() else ~answers.wrong
    others = alike & ~answers.within(scope) & answers.differs[:, column]
    return max(by_changes, float((flags[others, column].sum() + 0.5) / (others.sum() + 1)))


def net_of(answers: Answers, column: int, told: Flags | None = None) -> Net:
    """Return the accuracy won if a change were made to all images.

    Repaired errors less broken right ones, each class weighted as in the run; of classes about
    which little was asked, the rate of all counts in part.
    """
    wrong = answers.wrong
    fresh = np.ones(len(wrong), bool) if told is None else ~told
    won = _weighted(answers.hit[:, column] & fresh, wrong, answers.label, answers.n_wrong)
    lost = _weighted(~answers.hit[:, column], ~wrong, answers.label, answers.n_right)
    return Net((won.gain - lost.gain) / answers.n, (won.variance + lost.variance) / answers.n**2)


def log_p_of_net(answers: Answers, column: int, told: Flags) -> float:
    """Return the logarithm of the chance of such a net where a change wins nothing.

    A change that wins nothing breaks as many images of the run as it repairs. Then each image
    that changed sides was an error with a chance that the shares asked about give: McNemar's exact
    test (Psychometrika 12, 1947, in its conditional form), of two samples. A normal approximation
    alarms falsely where few right images were asked about and hardly one is broken.
    """
    wrong = answers.wrong
    repaired = int((answers.hit[:, column] & wrong & ~told).sum())
    broken = int((~answers.hit[:, column] & ~wrong).sum())
    asked_wrong = wrong.sum() / answers.n_wrong.sum()
    asked_right = (~wrong).sum() / answers.n_right.sum()
    by_luck = asked_wrong / (asked_wrong + asked_right)
    return float(binom.logsf(repaired - 1, repaired + broken, by_luck))


def _weighted(flags: Flags, images: Flags, label: NDArray[np.int32], weights: Numbers) -> Net:
    """Return how many images a flag comes to in a run, with variance."""
    k, total = len(weights), float(images.sum())
    of_all = (flags[images].sum() + 0.5) / (total + 1)
    n = np.bincount(label[images], minlength=k)
    hits = np.bincount(label[images & flags], minlength=k)
    rate = (hits + of_all) / (n + 1)
    variance = weights**2 * rate * (1 - rate) / (n + 1)
    return Net(float(weights @ rate), float(variance.sum()))


def figures(answers: Answers, repair: Repair) -> Figures:
    """Count what a change does in its scope."""
    column, within = answers.changes.index(repair.change), answers.within(repair.scope)
    errors, right = answers.wrong & within, ~answers.wrong & within
    changed = errors & answers.differs[:, column]
    by_luck, surely_by_luck = (
        luck(answers, flags, column, repair.scope, changed)
        for flags in (answers.hit, answers.surely)
    )
    return Figures(
        errors=int(errors.sum()),
        repaired=int(answers.hit[errors, column].sum()),
        expected=by_luck * int(changed.sum()),
        surely=int(answers.surely[errors, column].sum()),
        surely_expected=surely_by_luck * int(changed.sum()),
        right=int(right.sum()),
        broken=int((~answers.hit[right, column]).sum()),
    )


def half_width(errors: int, repaired: int) -> float:
    """Return half of the 95 % interval of a count of repaired errors."""
    rate = (repaired + 0.5) / (errors + 1)
    return float(Z95 * np.sqrt(errors * rate * (1 - rate)))
