"""A place that misleads the model: hiding it repairs more errors than hiding others does.

Any place repairs errors by luck, and some more than others: so the errors that a place repairs are
held against what other places repair in the same images, and against what the place repairs in
other classes; whichever is more is what is expected.
"""

from collections.abc import Iterator, Sequence
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


class _Group(NamedTuple):
    """Errors of which one place may be the cause, and the right images that it might break."""

    subject: dict[str, str]
    of_what: str  # " of 'cat'"
    errors: NDArray[np.bool_]  # over those asked
    right: NDArray[np.bool_]
    all_errors: int  # asked about or not


class _Candidate(NamedTuple):
    group: _Group
    place: int
    repaired: NDArray[np.bool_]  # over those asked
    expected: float
    variance: float
    p_value: float
    broken: int

    @property
    def observed(self) -> int:
        return int(self.repaired.sum())

    @property
    def plainness(self) -> float:
        """Errors repaired beyond those expected, times their share: many, and few others."""
        share_repaired = self.observed / float(self.group.errors.sum())
        return (self.observed - self.expected) * share_repaired


def search_places(scored: Scored, hidden: Hidden) -> Outcome:
    """Find places that mislead the model.

    Args:
        scored: The n images.
        hidden: What is predicted of errors and right images with each place hidden.
    """
    tables = {"places": place_table(scored, hidden)}
    n_errors = int(scored.wrong[hidden.at].sum())
    if not n_errors:
        why = "none of the errors could be asked about" if scored.n_errors else "no image is wrong"
        return Outcome((), [Search("place", WHAT, absent=why)], tables)
    if n_errors < LEAST_GROUP:
        enough = int(np.ceil(len(scored) * LEAST_GROUP / n_errors))
        return Outcome((), [Search("place", WHAT, enough=enough)], tables)
    findings = [_finding(scored, hidden, found) for found in _misleading(scored, hidden)]
    return Outcome(findings, [Search("place", WHAT, len(findings))], tables)


def place_table(scored: Scored, hidden: Hidden) -> pd.DataFrame:
    """Return places.csv: what hiding each place repairs and breaks; no row if none was asked."""
    wrong = scored.wrong[hidden.at]
    hit = hidden.pred == scored.label[hidden.at, None]
    rows = [
        (
            place.name, *place[:4],
            int(wrong.sum()), int(hit[wrong, at].sum()),
            int((~wrong).sum()), int((~hit[~wrong, at]).sum()),
        )
        for at, place in enumerate(hidden.places if len(hidden.at) else ())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(PLACE_COLUMNS))


def _misleading(scored: Scored, hidden: Hidden) -> Iterator[_Candidate]:
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
            for candidate in _of_group(group, hit, wrong, apart, tests)
        ]
        if not found:
            return
        best = max(found, key=lambda candidate: candidate.plainness)
        yield best
        wrong &= ~best.repaired


def _groups(scored: Scored, at: NDArray[np.int64]) -> Iterator[_Group]:
    """Yield all errors, those of each class, and those taken for each class."""
    label, pred, wrong = scored.label[at], scored.pred[at], scored.wrong[at]
    yield _Group({}, "", wrong, ~wrong, scored.n_errors)
    for class_index in np.unique(np.concatenate([label, pred])).tolist():
        name = scored.classes[class_index]
        right = ~wrong & (label == class_index)
        for subject, words, of_all, asked in (
            ({"class": name}, f" of {name!r}", scored.label, label),
            ({"taken_for": name}, f" taken for {name!r}", scored.pred, pred),
        ):
            all_errors = int((scored.wrong & (of_all == class_index)).sum())
            yield _Group(subject, words, wrong & (asked == class_index), right, all_errors)


def _of_group(
    group: _Group,
    hit: NDArray[np.bool_],
    wrong: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    tests: int,
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
        broken = int((~hit[group.right, place]).sum())
        net = observed / n - broken / max(1, int(group.right.sum()))
        if p_value * tests <= P_VALUE and net > 0:
            chosen = errors & hit[:, place]
            variance = expected * max(0.0, 1 - expected / n)
            yield _Candidate(group, place, chosen, expected, variance, p_value * tests, broken)


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
    n, n_right = int(group.errors.sum()), int(group.right.sum())
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
            f"hiding it breaks {of(found.broken, n_right)} right ones"
        ),
        subject={"place": list(place[:4]), "frame": place.frame, **group.subject},
        beside=scored.right_beside(chosen),
    )
