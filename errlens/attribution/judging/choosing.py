"""Which methods to believe on a network: those that beat chance, and show what it has learnt."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr, wilcoxon

from errlens.attribution.judging.map_checks import shrunk
from errlens.formats import count, counted, number
from errlens.maps import Attribution

BELIEVE: Final = "believe"
DOUBT: Final = "do not"
UNDECIDED: Final = ""

ALPHA: Final = 0.05
MOST_LEFT: Final = 0.5  # rank correlation with the map of a network of random weights

_AREAS: Final = ["deletion_auc", "random_deletion_auc", "insertion_auc", "random_insertion_auc"]


class Trial(NamedTuple):
    """How a method does on n images; nan is not known.

    `deletion` and `insertion` are what its maps win over random places, in mean probability: both
    above zero are good. `p_value` is the one-sided chance that random places win as much together,
    in Wilcoxon's signed-rank test, corrected by Holm for all methods; `worse` that they lose as
    much. `left` is the rank correlation with the maps of a random network. `agreement` is that with
    the maps of other methods, in the mean; `nearest` is the one that agrees most.
    """

    method: str
    n: int
    deletion: float
    insertion: float
    p_value: float
    worse: float
    left: float
    agreement: float
    nearest: str
    nearest_agreement: float
    seconds: float
    verdict: str


TRIAL_COLUMNS: Final = {
    name: {str: "str", int: "int64"}.get(kind, "float64")
    for name, kind in Trial.__annotations__.items()
}


class Agreement:
    """Collects how much methods agree, image by image."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[float]] = {}

    def add(self, maps: Mapping[str, Attribution]) -> None:
        """Compare the maps that methods make of the same score of one image."""
        for one, other in combinations(sorted(maps), 2):
            found = rank_correlation(maps[one], maps[other])
            if np.isfinite(found):
                self._found.setdefault((one, other), []).append(found)

    def of(self, method: str) -> dict[str, float]:
        """Return the mean rank correlation with each other method."""
        return {
            (other if one == method else one): float(np.mean(values))
            for (one, other), values in self._found.items()
            if method in (one, other)
        }


def rank_correlation(one: Attribution, other: Attribution) -> float:
    """Return Spearman's correlation of two maps on the coarser of their grids.

    Where one of them has no sign, both are compared by size. Of a map of one value it is not known.
    """
    maps = [shrunk(each.values) for each in (one, other)]
    if not (one.signed and other.signed):
        maps = [abs(values) for values in maps]
    rows, columns = (min(sides) for sides in zip(*(values.shape for values in maps), strict=True))
    coarse = [_resized(values, rows, columns) for values in maps]
    if any(np.ptp(values) == 0 for values in coarse):
        return float("nan")
    return float(spearmanr(*(values.ravel() for values in coarse)).statistic)


def _resized(values: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    if values.shape == (rows, columns):
        return values
    return np.asarray(Image.fromarray(values).resize((columns, rows), Image.Resampling.BOX))


def trials(
    maps: pd.DataFrame,
    similarities: pd.DataFrame,
    agreement: Agreement,
    seconds: Mapping[str, float],
) -> list[Trial]:
    """Judge the methods whose maps were checked, the best first.

    Args:
        maps: Rows of index.csv; those with areas of deletion and insertion count.
        similarities: Rows of randomisation.csv; the last one of a method is of a random network.
        agreement: What was compared.
        seconds: Of an image, by method.
    """
    checked = maps.dropna(subset=_AREAS)
    left = similarities.groupby("method")["similarity"].last()
    won = {
        str(method): of_method[_AREAS].to_numpy() @ np.array([[-1, 0], [1, 0], [0, 1], [0, -1]])
        for method, of_method in checked.groupby("method")
    }
    better, worse = (
        holm([_chance(gains.sum(axis=1), side) for gains in won.values()])
        for side in ("greater", "less")
    )
    found = []
    for at, (method, gains) in enumerate(won.items()):
        deletion, insertion = gains.mean(axis=0)
        others = agreement.of(method)
        nearest = max(others, key=others.__getitem__, default="")
        trial = Trial(
            method=method,
            n=len(gains),
            deletion=float(deletion),
            insertion=float(insertion),
            p_value=better[at],
            worse=worse[at],
            left=float(left.get(method, np.nan)),
            agreement=float(np.mean([*others.values()])) if others else float("nan"),
            nearest=nearest,
            nearest_agreement=others.get(nearest, float("nan")),
            seconds=seconds.get(method, float("nan")),
            verdict="",
        )
        found.append(trial._replace(verdict=_verdict(trial)))
    return sorted(found, key=lambda trial: -(trial.deletion + trial.insertion))


def _chance(gains: NDArray[np.float64], side: str) -> float:
    rounded = np.round(gains, 12)  # what differs in the last digit does not differ
    return float(wilcoxon(rounded, alternative=side).pvalue) if rounded.any() else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number.

    S. Holm, Scandinavian Journal of Statistics 6 (1979) 65-70.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, float)
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1.0, steps)
    return [float(value) for value in corrected]


def _verdict(trial: Trial) -> str:
    if trial.left >= MOST_LEFT or trial.worse <= ALPHA:
        return DOUBT
    wins = trial.deletion > 0 and trial.insertion > 0 and trial.p_value <= ALPHA
    return BELIEVE if wins else UNDECIDED


def advice(tried: Sequence[Trial]) -> str:
    """Say which methods to believe, and which not; nothing is named where none beats chance.

    >>> advice([])
    'No map was checked.'
    """
    if not tried:
        return "No map was checked."
    n = max(trial.n for trial in tried)
    believed = [trial.method for trial in tried if trial.verdict == BELIEVE]
    if not believed:
        least = int(np.ceil(np.log2(len(tried) / ALPHA)))
        few = f"; {count(least)} images are the least that could tell" if n < least else ""
        return f"No method is shown to beat random places on {counted(n, 'image')}{few}."
    doubted = [f"{trial.method} ({_why_not(trial)})" for trial in tried if trial.verdict == DOUBT]
    but = f"; do not believe {', '.join(doubted)}" if doubted else ""
    return f"On this network believe {', '.join(believed)}{but}."


def _why_not(trial: Trial) -> str:
    if trial.left >= MOST_LEFT:
        return f"with random weights {number(trial.left)} of it is left"
    return "worse than random places"
