"""A place that misleads the model: hiding it repairs more errors than hiding others does.

Any place repairs errors by luck, and some more than others: so the errors that a place repairs are
held against what other places repair in the same images, and against what the place repairs in
other classes; whichever is more is what is expected.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, hypergeom

from errlens.analysis.findings.causes.places.grid import PLACES, Place
from errlens.analysis.findings.finding import Finding, Gain, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.formats import expected_count, of, share
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

P_VALUE: Final = 0.005
HABIT: Final = 2.0  # as many repaired as expected, in a class whose objects lie there
LEAST_EXCESS: Final = 6.0  # errors
LEAST_TIMES: Final = 2.5  # as many repaired as expected
LEAST_SHARE: Final = 0.2  # of the errors of a group
LEAST_GROUP: Final = 10  # errors that are asked about
WHAT: Final = "places that mislead the model"

PLACE_COLUMNS: Final[Columns] = {
    "place": TEXT,
    "top": NUMBER,
    "left": NUMBER,
    "bottom": NUMBER,
    "right": NUMBER,
    "n_errors": WHOLE,
    "repaired": WHOLE,
    "n_right": WHOLE,
    "broken": WHOLE,
}


class Hidden(NamedTuple):
    """What is predicted of m images with one of p places hidden.

    `at` are the images' places in `Scored`, shape (m,); `pred` has the shape (m, p).
    """

    at: NDArray[np.int64]
    pred: NDArray[np.int32]
    places: Sequence[Place] = PLACES


# What is predicted of right images with one place hidden, by the index of the place: it is asked
# only where errors make a place suspect.
AskRight = Callable[[int], Hidden]


class _Right:
    """Right images, and what is known of which places break them."""

    def __init__(self, scored: Scored, hidden: Hidden, ask: AskRight | None) -> None:
        self._scored, self._hidden, self._ask = scored, hidden, ask
        self._known: dict[int, tuple[NDArray[np.int32], NDArray[np.bool_]]] = {}
        if ask is None:
            for place in range(len(hidden.places)):
                self._answers(place)

    def broken(self, place: int, label: int | None = None) -> tuple[int, int]:
        """Return how many right images of a class a place breaks, and of how many, asking if so."""
        labels, broken = self._answers(place)
        chosen = np.ones(len(labels), bool) if label is None else labels == label
        return int(broken[chosen].sum()), int(chosen.sum())

    def known(self, place: int) -> tuple[int, int]:
        """Return the same of all classes, 0 of 0 where nobody has asked."""
        return self.broken(place) if place in self._known else (0, 0)

    def _answers(self, place: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        if place not in self._known:
            at, pred = self._of_place(place)
            label = self._scored.label[at]
            self._known[place] = (label, pred != label)
        return self._known[place]

    def _of_place(self, place: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        if self._ask is None:
            at = self._hidden.at
            right = ~self._scored.wrong[at]
            return at[right], self._hidden.pred[right, place]
        told = self._ask(place)
        return told.at, told.pred[:, 0]


class _Group(NamedTuple):
    """Errors of which one place may be the cause, and the right images that it might break."""

    subject: dict[str, str]
    of_what: str  # " of 'cat'"
    errors: NDArray[np.bool_]  # over those asked
    label: int | None  # of the right images that it might break; None for any
    all_errors: int  # asked about or not


class _Candidate(NamedTuple):
    group: _Group
    place: int
    repaired: NDArray[np.bool_]  # over those asked
    expected: float
    variance: float
    p_value: float
    broken: int
    n_right: int

    @property
    def observed(self) -> int:
        return int(self.repaired.sum())

    @property
    def plainness(self) -> float:
        """Errors repaired beyond those expected, times their share: many, and few others."""
        share_repaired = self.observed / float(self.group.errors.sum())
        return (self.observed - self.expected) * share_repaired


def search_places(
    scored: Scored, hidden: Hidden, *, ask: AskRight | None = None, part: str = ""
) -> Outcome:
    """Find places that mislead the model.

    Args:
        scored: The n images.
        hidden: What is predicted of errors with each place hidden; and of right images, unless they
            are to be asked about.
        ask: Asks about right images with one place hidden.
        part: What of the errors could be asked about, if not all.
    """
    right = _Right(scored, hidden, ask)
    found = list(_misleading(scored, hidden, right))
    tables = {"places": _place_table(scored, hidden, right)}
    n_errors = int(scored.wrong[hidden.at].sum())
    if not n_errors:
        why = "none of the errors could be asked about" if scored.n_errors else "no image is wrong"
        return Outcome((), [Search("place", WHAT, absent=why, part=part)], tables)
    if n_errors < LEAST_GROUP:
        enough = int(np.ceil(len(scored) * LEAST_GROUP / n_errors))
        return Outcome((), [Search("place", WHAT, enough=enough, part=part)], tables)
    findings = [_finding(scored, hidden, each) for each in found]
    return Outcome(findings, [Search("place", WHAT, len(findings), part=part)], tables)


def _place_table(scored: Scored, hidden: Hidden, right: _Right) -> pd.DataFrame:
    """Return places.csv: what hiding each place repairs, and breaks of right images asked about."""
    wrong = scored.wrong[hidden.at]
    hit = hidden.pred == scored.label[hidden.at, None]
    rows = [
        (
            place.name, *place[:4],
            int(wrong.sum()), int(hit[wrong, at].sum()),
            *right.known(at)[::-1],
        )
        for at, place in enumerate(hidden.places if len(hidden.at) else ())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PLACE_COLUMNS))


def _misleading(scored: Scored, hidden: Hidden, right: _Right) -> Iterator[_Candidate]:
    """Yield places that repair too many errors; the errors of each are left out of the next."""
    hit = hidden.pred == scored.label[hidden.at, None]
    wrong = scored.wrong[hidden.at].copy()
    apart = ~np.array([[a.overlaps(b) for b in hidden.places] for a in hidden.places])
    groups = list(_groups(scored, hidden.at))
    tests = sum(int(group.errors.sum()) >= LEAST_GROUP for group in groups) * len(hidden.places)
    while True:
        found = [
            candidate
            for group in groups
            for candidate in _of_group(group, hit, wrong, apart, tests, right)
        ]
        if not found:
            return
        best = max(found, key=lambda candidate: candidate.plainness)
        yield best
        wrong &= ~best.repaired


def _groups(scored: Scored, at: NDArray[np.int64]) -> Iterator[_Group]:
    """Yield all errors, those of each class, and those taken for each class."""
    label, pred, wrong = scored.label[at], scored.pred[at], scored.wrong[at]
    yield _Group({}, "", wrong, None, scored.n_errors)
    for class_index in np.unique(np.concatenate([label, pred])).tolist():
        name = scored.classes[class_index]
        for subject, words, of_all, asked in (
            ({"class": name}, f" of {name!r}", scored.label, label),
            ({"taken_for": name}, f" taken for {name!r}", scored.pred, pred),
        ):
            all_errors = int((scored.wrong & (of_all == class_index)).sum())
            yield _Group(subject, words, wrong & (asked == class_index), class_index, all_errors)


def _of_group(
    group: _Group,
    hit: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    tests: int,
    right: _Right,
) -> Iterator[_Candidate]:
    """Yield the places of a group that pass all bars."""
    errors = group.errors & wrong
    n = int(errors.sum())
    if n < LEAST_GROUP:
        return
    others = wrong & ~group.errors
    repaired, elsewhere = hit[errors], hit[others]
    for place in range(hit.shape[1]):
        observed = int(repaired[:, place].sum())
        # A half more, so that a place which repairs nothing elsewhere is not beyond all doubt.
        of_others = (float(elsewhere[:, place].sum()) + 0.5) / (len(elsewhere) + 1)
        in_same = repaired[:, apart[place]].mean(axis=1) if apart[place].any() else np.zeros(n)
        beside = n * of_others if len(elsewhere) >= LEAST_GROUP else 0.0
        expected = max(beside, float(in_same.sum()) + 0.5)
        if not (
            observed - expected >= LEAST_EXCESS
            and observed >= LEAST_TIMES * expected
            and observed >= LEAST_SHARE * n
        ):
            continue
        p_value = max(
            _tail_beyond_habit(observed, expected, n),
            _tail_of_others(repaired[:, place], elsewhere[:, place]),
        )
        if p_value * tests > P_VALUE:
            continue
        broken, n_right = right.broken(place, group.label)
        if observed / n > broken / max(1, n_right):
            chosen = errors & hit[:, place]
            variance = expected * max(0.0, 1 - expected / n)
            yield _Candidate(
                group, place, chosen, expected, variance, p_value * tests, broken, n_right
            )


def _tail_beyond_habit(observed: int, expected: float, n: int) -> float:
    """Return how likely so many are repaired by a place that repairs twice what is expected.

    Classes differ in where their objects lie, so that the same places repair up to twice as many in
    one class as in others, without a fault: only what is beyond that counts.
    """
    return float(binom.sf(observed - 1, n, min(1.0, HABIT * expected / n)))


def _tail_of_others(repaired: NDArray[np.bool_], elsewhere: NDArray[np.bool_]) -> float:
    """Return Fisher's one-sided p of a place repairing more here than in other groups."""
    if len(elsewhere) < LEAST_GROUP:
        return 0.0
    hits, here = int(repaired.sum()), len(repaired)
    total = hits + int(elsewhere.sum())
    return float(hypergeom.sf(hits - 1, here + len(elsewhere), total, here))


def _finding(scored: Scored, hidden: Hidden, found: _Candidate) -> Finding:
    group, place = found.group, hidden.places[found.place]
    n = int(group.errors.sum())
    # Where not all errors were asked about, those that were stand for the others.
    scale = group.all_errors / n
    asked = " asked about" if group.all_errors > n else ""
    more = scale * (found.observed - found.expected)
    at = hidden.at[found.repaired]
    # Errors that other places repair as well tell less.
    order = np.argsort(
        (hidden.pred[found.repaired] == scored.label[at, None]).sum(axis=1), kind="stable"
    )
    gain = gain_of(found.observed, found.expected, found.variance, images=len(scored))
    chosen = np.zeros(len(scored), bool)
    chosen[at] = True
    return Finding(
        kind="place",
        statement=(
            f"Hiding {place.name} repairs {of(found.observed, n)} errors{group.of_what}{asked}, "
            f"where {expected_count(found.expected)} are expected: something there misleads the "
            f"model ({expected_count(more)} errors more, {share(more / scored.n_errors)} of all "
            f"errors)."
        ),
        rows=tuple(scored.row[at[order]].tolist()),
        n_errors=found.observed,
        excess_errors=more,
        gain=Gain(*(scale * part for part in gain)),
        q_value=min(1.0, found.p_value),
        evidence=(
            f"repaired {of(found.observed, n)}, expected {expected_count(found.expected)}; "
            f"hiding it breaks {of(found.broken, found.n_right)} right ones"
        ),
        subject={"place": list(place[:4]), "frame": place.frame, **group.subject},
        beside=scored.right_beside(chosen),
    )
