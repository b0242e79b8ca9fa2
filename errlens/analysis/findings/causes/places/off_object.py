"""Errors whose evidence lies off the object, where outlines of the objects are given."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from errlens.analysis.findings.finding import Finding, Outcome, Search, gain_of
from errlens.analysis.findings.scored import Scored
from errlens.analysis.statistics.strata import excess_errors
from errlens.formats import count, expected_count, of, share

WHAT: Final = "errors whose evidence lies off the object"
TAILS: Final = (0.1, 0.2, 0.3, 0.5)  # of the images, those with the least evidence on the object
P_VALUE: Final = 0.005
LEAST_EXCESS: Final = 8.0
LEAST_IMAGES: Final = 40


def search_off_object(
    scored: Scored,
    at: NDArray[np.int64],
    evidence: NDArray[np.float64],
    area: NDArray[np.float64],
) -> Outcome:
    """Say whether images whose evidence lies off the object are wrong more than their classes are.

    A large object has more of any map: what counts is how much of the evidence lies on the object
    against how much of the area, and only where that is less.

    Args:
        scored: The n images.
        at: Places in `scored` of images with an outline, shape (m,).
        evidence: The share of what speaks for the predicted class that lies on the object, shape
            (m,), 0 to 1; nan where not known.
        area: The share of the image that is object, likewise.
    """
    known = np.isfinite(evidence) & np.isfinite(area) & (area > 0)
    at, evidence, area = at[known], evidence[known], area[known]
    wrong, label = scored.wrong[at], scored.label[at].astype(np.int64)
    if len(at) < LEAST_IMAGES or wrong.sum() < LEAST_EXCESS:
        why = "" if len(at) else "no image has an outline"
        rate = wrong.mean() if wrong.any() else 1.0
        enough = None if why else max(LEAST_IMAGES, int(np.ceil(2 * LEAST_EXCESS / rate)))
        return Outcome((), [Search("place", WHAT, absent=why, enough=enough)])
    above = evidence - area
    limits = np.minimum(np.quantile(above, TAILS), 0.0)
    choices = above[None] <= limits[:, None]
    excess = excess_errors(choices, wrong, label)
    passing = (excess.p_value * len(TAILS) <= P_VALUE) & (
        excess.observed - excess.expected >= LEAST_EXCESS
    )
    if not passing.any():
        return Outcome((), [Search("place", WHAT)])
    best = int(np.where(passing, excess.p_value, np.inf).argmin())
    chosen = np.zeros(len(scored), bool)
    chosen[at[choices[best]]] = True
    observed, expected = int(excess.observed[best]), float(excess.expected[best])
    images = int(choices[best].sum())
    of_errors = choices[best] & wrong
    order = np.argsort(above[of_errors], kind="stable")
    more = observed - expected
    finding = Finding(
        kind="place",
        statement=(
            f"Of {of(images, len(at))} images less of the evidence lies on the object than of the "
            f"area: {count(observed)} of them are wrong, where {expected_count(expected)} are "
            f"expected of their classes: {expected_count(more)} errors more "
            f"({share(more / scored.n_errors)} of all errors)."
        ),
        rows=tuple(scored.row[at[of_errors][order]].tolist()),
        n_errors=observed,
        excess_errors=more,
        gain=gain_of(observed, expected, float(excess.variance[best]), images=len(scored)),
        q_value=min(1.0, float(excess.p_value[best]) * len(TAILS)),
        evidence=(
            f"of the errors, {share(float(evidence[of_errors].mean()))} of the evidence and "
            f"{share(float(area[of_errors].mean()))} of the area lie on the object"
        ),
        subject={"off_object": float(limits[best])},
        beside=scored.right_beside(chosen),
    )
    return Outcome([finding], [Search("place", WHAT, 1)])
