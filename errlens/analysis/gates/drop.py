"""The gate that fails where the model has become worse than in an earlier run."""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.comparison.matching import matched
from errlens.analysis.gates.limits import Gate, GateResult, read_number
from errlens.analysis.gates.metrics import Measured
from errlens.analysis.statistics.differences import (
    chance_of_drop,
    difference_on_same_images,
    least_drop_shown,
    lower_bound_of_drop,
)
from errlens.errors import MissingInput, UnfitBaseline, UnfitOption
from errlens.formats import count, counted, points, told_apart

METRIC: Final = "drop:top1"
_POINTS: Final = "pp"
_MOST_PLAIN: Final = 0.1  # a larger drop is hardly meant: 0.5 is fifty points, not half of one


class LeastOverlap(NamedTuple):
    """How many images must be compared: a number, or a share of those of each run."""

    number: float
    is_share: bool

    def of(self, n_images: int) -> int:
        """Return how many that are, of so many images."""
        return int(np.ceil(self.number * n_images)) if self.is_share else int(self.number)


def read_allowed_drop(text: str) -> float:
    """Return the drop that `--max-drop` allows.

    >>> read_allowed_drop("0.5pp"), read_allowed_drop("0.005")
    (0.005, 0.005)

    Raises:
        UnfitOption: It is none.
    """
    stripped = text.strip()
    in_points = stripped.endswith(_POINTS)
    # Points are hundredths, and hundredths are percent.
    number = read_number(f"{stripped.removesuffix(_POINTS)}%" if in_points else stripped)
    if number is None or not 0 <= number < 1 or stripped.endswith("%"):
        raise UnfitOption(
            f"--max-drop {text!r} is no drop of accuracy", hint="like 0.5pp, or the same as 0.005"
        )
    if number >= _MOST_PLAIN and not in_points:
        raise UnfitOption(
            f"--max-drop {text} would allow {100 * number:g} pp",
            hint=f"write {stripped}pp or {100 * number:g}pp, whichever is meant",
        )
    return number


def read_least_overlap(text: str) -> LeastOverlap:
    """Return what `--min-overlap` asks for.

    >>> read_least_overlap("50%").of(9), read_least_overlap("300").of(9)
    (5, 300)

    Raises:
        UnfitOption: It is neither a share nor a number of images.
    """
    number, is_share = read_number(text), text.strip().endswith("%")
    fits = number is not None and (0 <= number <= 1 if is_share else number.is_integer())
    if number is None or not fits or number < 0:
        raise UnfitOption(
            f"--min-overlap {text!r} is neither a share like 50% nor a number of images like 300"
        )
    return LeastOverlap(number, is_share)


def judge_drop(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    allowed: float,
    least_overlap: LeastOverlap,
    baseline: str,
) -> GateResult:
    """Hold the accuracy of a run against that of an earlier one, on the images that both have.

    It fails where even the lower bound of the drop (one-sided, 95 %) is more than what is allowed,
    or where too few images can be compared.

    Args:
        old: What `read_baseline` returns.
        new: What `outcomes` returns.
        allowed: The drop that is no failure, a share.
        least_overlap: How many images must be compared.
        baseline: Where the old ones come from, for messages.

    Raises:
        UnfitBaseline: The runs have no image with the same label in common.
    """
    gate = _gate(allowed)
    if not len(new):
        return GateResult(
            gate, Measured(None, n=0), passed=False, reason="the run has no image that counts"
        )
    both = matched(old, new)
    n = len(both)
    if not n:
        raise _strangers(old, new, baseline)
    broken = int((both["old"] & ~both["new"]).sum())
    fixed = int((~both["old"] & both["new"]).sum())
    change = difference_on_same_images(broken, fixed, n)
    bound = float(lower_bound_of_drop(broken, fixed, n))
    details = {
        "baseline": baseline,
        "n_old": len(old),
        "n_new": len(new),
        "accuracy_old": float(both["old"].mean()),
        "accuracy_new": float(both["new"].mean()),
        "broken": broken,
        "fixed": fixed,
        "low": -float(change.high),
        "high": -float(change.low),
        "p_value": float(change.p_value),
        "p_drop": float(chance_of_drop(broken, fixed)),
        "least_drop_shown": least_drop_shown(broken + fixed, n, allowed=allowed),
    }
    reason = _too_few(n, len(old), len(new), least_overlap)
    if not reason and bound > allowed:
        surely, limit = drop_and_limit(bound, allowed)
        reason = (
            f"top1 has dropped by more than {limit} on the {counted(n, 'image')} of both runs: "
            f"by {points((broken - fixed) / n).lstrip('+')}, surely by {surely} or more "
            f"({count(broken)} broken, {count(fixed)} fixed)"
        )
    measured = Measured((broken - fixed) / n, low=bound, n=n)
    return GateResult(gate, measured, passed=not reason, reason=reason, details=details)


def drop_and_limit(drop: float, limit: float) -> tuple[str, str]:
    """Write a drop and its limit in points, told apart.

    >>> drop_and_limit(0.026365, 0.005), drop_and_limit(0.00701, 0.007)
    (('2.6 pp', '0.5 pp'), ('0.701 pp', '0.700 pp'))
    """
    # 100 * 0.007 is a hair more than 0.7, which would be told apart from it in 16 digits.
    texts = told_apart(100 * drop, round(100 * limit, 12), least=1)
    return f"{texts[0]} {_POINTS}", f"{texts[1]} {_POINTS}"


def in_points(limit: float) -> str:
    """Write the limit of a drop.

    >>> in_points(0.0), in_points(0.005), in_points(0.00125)
    ('0.0 pp', '0.5 pp', '0.125 pp')
    """
    return drop_and_limit(limit, limit)[1]


def without_baseline(baseline: str, *, allowed: float, passes: bool) -> GateResult:
    """Return what becomes of the gate where there is no earlier run."""
    gate = _gate(allowed)
    near = MissingInput(Path(baseline), what="baseline").hint
    asked = f" ({near})" if near.startswith("did you mean") else ""
    reason = f"the baseline {baseline!r} does not exist{asked}"
    return GateResult(
        gate,
        Measured(None),
        passed=passes,
        reason=reason if passes else f"{reason}; before there is one: --baseline-missing pass",
    )


def _gate(allowed: float) -> Gate:
    return Gate(METRIC, "low <=", allowed, METRIC)


def _too_few(n: int, n_old: int, n_new: int, least: LeastOverlap) -> str:
    needed = least.of(max(n_old, n_new))
    if n >= needed:
        return ""
    return (
        f"the data set is another one: only {counted(n, 'image')} in both, of {count(n_old)} then "
        f"and {count(n_new)} now; --min-overlap asks for {count(needed)}"
    )


def _strangers(old: pd.DataFrame, new: pd.DataFrame, baseline: str) -> UnfitBaseline:
    shared = int(new["sample_id"].isin(old["sample_id"]).sum())
    if shared:
        then, now = str(old["label_name"].iloc[0]), str(new["label_name"].iloc[0])
        return UnfitBaseline(
            f"{counted(shared, 'image')} of the run in {baseline!r}, none with the same label: "
            f"labels are like {then!r} there, like {now!r} here",
            hint="label spaces that do not match cannot be compared; evaluate the baseline again "
            "with today's labels",
        )
    return UnfitBaseline(
        f"no image of the run is in {baseline!r}, neither by its name nor by its content",
        hint="the baseline is of another data set; make one of this: it is the baseline.parquet "
        "of the run to compare with",
    )
