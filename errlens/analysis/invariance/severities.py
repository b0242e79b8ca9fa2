"""What corruptions of photos cost, by severity: tables, and means over all of them."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.invariance.answers import Answers, Step
from errlens.analysis.invariance.tables import mean_of, spread_of
from errlens.analysis.statistics.intervals import Z95, wilson_interval
from errlens.data.photos.corruptions.kinds import Corruption
from errlens.formats import counted, points, points_range, share, share_range
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

CLEAN: Final = Step("clean", 0)

SEVERITIES: Final[Columns] = {
    "corruption": TEXT, "family": TEXT, "severity": WHOLE, "n": WHOLE, "accuracy": NUMBER,
    "low": NUMBER, "high": NUMBER, "same_prediction": NUMBER, "same_low": NUMBER,
    "same_high": NUMBER, "probability_mean": NUMBER, "probability_std": NUMBER,
}  # fmt: skip
CORRUPTIONS: Final[Columns] = {
    "corruption": TEXT, "family": TEXT, "n": WHOLE, "severities": WHOLE, "error": NUMBER,
    "low": NUMBER, "high": NUMBER, "more_than_clean": NUMBER, "more_low": NUMBER,
    "more_high": NUMBER,
}  # fmt: skip
DISTANCES: Final[Columns] = {
    "corruption": TEXT, "severity": WHOLE, "layer": TEXT, "n": WHOLE, "euclidean_mean": NUMBER,
    "euclidean_std": NUMBER, "cosine_mean": NUMBER, "cosine_std": NUMBER,
}  # fmt: skip


class Mean(NamedTuple):
    """A mean over images, with its 95 % interval; nan where there is none."""

    value: float
    low: float
    high: float

    def facts(self) -> dict[str, float | None]:
        """Return it as JSON holds it."""
        return {
            name: value if np.isfinite(value) else None for name, value in self._asdict().items()
        }


class Cost(NamedTuple):
    """What corruptions cost: the error of clean images, that of corrupted ones, and the difference.

    The error is the share of images that are wrong; of images without labels, the share whose
    prediction is another than that of the clean image, and `clean` is 0.
    """

    clean: Mean
    corrupted: Mean
    more: Mean


def severity_table(answers: Answers, corruptions: Sequence[Corruption]) -> pd.DataFrame:
    """Return `severity.csv`: a row for the clean images, and for each corruption and severity.

    Intervals are Wilson's, 95 %. `accuracy` is missing where an image has no label; spreads are
    standard deviations over images.
    """
    families = {corruption.name: corruption.family for corruption in corruptions}
    clean = answers.pred[:, answers.steps.index(CLEAN)]
    rows = []
    for at, (name, severity) in enumerate(answers.steps):
        pred, chance, n = answers.pred[:, at], answers.probability[:, at], len(answers)
        same = int((pred == clean).sum())
        row = dict.fromkeys(SEVERITIES, np.nan) | {
            "corruption": name, "family": families.get(name), "severity": int(severity), "n": n,
            **_rate("same_prediction", "same_low", "same_high", same, n),
            "probability_mean": mean_of(chance), "probability_std": spread_of(chance),
        }  # fmt: skip
        if answers.labelled:
            row |= _rate("accuracy", "low", "high", int((pred == answers.label).sum()), n)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(SEVERITIES))


def distance_table(answers: Answers) -> pd.DataFrame:
    """Return `distances.csv`: how far features move at each layer, on average over images."""
    rows: list[dict[str, Any]] = []
    for at, (name, severity) in enumerate(answers.steps):
        for number, layer in enumerate(answers.layers):
            euclidean, cosine = answers.euclidean[:, at, number], answers.cosine[:, at, number]
            values = (
                name, int(severity), layer, len(answers), euclidean.mean(), spread_of(euclidean),
                cosine.mean(), spread_of(cosine),
            )  # fmt: skip
            rows.append(dict(zip(DISTANCES, values, strict=True)))
    return pd.DataFrame(rows, columns=list(DISTANCES))


def corruption_table(answers: Answers, corruptions: Sequence[Corruption]) -> pd.DataFrame:
    """Return `corruptions.csv`: what each costs on average over severities, the worst first."""
    rows: list[dict[str, Any]] = []
    for corruption in corruptions:
        places = answers.of(corruption.name)
        cost = cost_of(answers, places)
        values = (
            corruption.name, corruption.family, len(answers), len(places), *cost.corrupted,
            *cost.more,
        )  # fmt: skip
        rows.append(dict(zip(CORRUPTIONS, values, strict=True)))
    table = pd.DataFrame(rows, columns=list(CORRUPTIONS))
    return table.sort_values("error", ascending=False, kind="stable", ignore_index=True)


def cost_of(answers: Answers, places: NDArray[np.intp] | None = None) -> Cost:
    """Return what the steps at some places cost together, by default all corruptions.

    Corruptions with as many severities each count alike, as in the mean corruption error of
    Hendrycks and Dietterich; it is not divided by the errors of AlexNet, as theirs is.
    """
    at = answers.steps.index(CLEAN)
    right = answers.label if answers.labelled else answers.pred[:, at]
    wrong = answers.pred != right[:, None]
    if places is None:
        places = np.array([each for each in range(len(answers.steps)) if each != at], np.intp)
    clean, corrupted = wrong[:, at].astype(float), wrong[:, places].mean(axis=1)
    return Cost(
        mean_share(clean, 1), mean_share(corrupted, len(places)), _mean_difference(corrupted, clean)
    )


def mean_share(shares: NDArray[np.float64], tries: int) -> Mean:
    """Return the mean of shares, one an image, each of so many tries.

    Tries of one image are alike: the interval is Wilson's for as many independent ones as have the
    variance that the means of images have (L. Kish, "Survey Sampling", 1965: the design effect), at
    least one an image.

    >>> [round(edge, 3) for edge in mean_share(np.array([1.0] * 9 + [0.0]), 1)]
    [0.9, 0.596, 0.982]
    """
    n, mean = len(shares), float(shares.mean())
    most = n * tries
    spread = float(shares.var(ddof=1)) if n > 1 else np.inf
    independent = np.clip(n * mean * (1 - mean) / spread, n, most) if spread else n
    low, high = wilson_interval(mean * independent, independent)
    return Mean(mean, float(low), float(high))


def _mean_difference(after: NDArray[np.float64], before: NDArray[np.float64]) -> Mean:
    """Return the mean difference over images, with a normal interval; of one image, none."""
    apart = after - before
    half = Z95 * spread_of(apart) / np.sqrt(len(apart))
    mean = float(apart.mean())
    return Mean(mean, mean - half, mean + half)


def _rate(name: str, low: str, high: str, hits: int, n: int) -> dict[str, float]:
    interval = wilson_interval(hits, n)
    return {name: hits / n, low: float(interval.low), high: float(interval.high)}


def in_words(answers: Answers, cost: Cost, corruptions: pd.DataFrame) -> list[str]:
    """Say what the corruptions cost together, and which one most.

    Args:
        answers: Of the network.
        cost: Of all corruptions.
        corruptions: As `corruption_table` has them.
    """
    severities = len({step.size for step in answers.steps if step != CLEAN})
    of_what = (
        f"{counted(len(corruptions), 'corruption')} at "
        f"{severities} {'severity' if severities == 1 else 'severities'}"
    )
    value, low, high = cost.corrupted
    error = f"{share(value)} (95 % interval {share_range(low, high)})"
    if answers.labelled:
        more = points(cost.more.value)
        between = points_range(cost.more.low, cost.more.high)
        said = (
            f"Mean corruption error, of {of_what}: {error}; of the clean images "
            f"{share(cost.clean.value)}: {more}{f' ({between})' if between else ''}. It is not "
            "divided by the errors of AlexNet, as the published figure is."
        )
    else:
        said = f"Of {of_what}, {error} of the predictions are others than of the clean images."
    if len(corruptions) > 1:
        worst, least = corruptions.iloc[0], corruptions.iloc[-1]
        said_of = "wrong" if answers.labelled else "changed"
        said += (
            f" Worst is {worst['corruption']} ({share(worst['error'])} {said_of}), "
            f"{least['corruption']} costs least ({share(least['error'])})."
        )
    return [said]
