"""At which layers something is told, and after which it is lost again.

Both are tested, and corrected for what was tried (Bonferroni). Whether a layer is better than
chance is asked of probes fitted to shuffled labels: folds share the images that their probes are
fitted to, so that hits by chance come together, and a binomial test would promise too much. Whether
a layer is as good as the best one is asked of the same images (McNemar's exact test); the best is
found by looking at all of them, so that all pairs of layers count as tried.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from errlens.analysis.statistics.intervals import wilson_interval
from errlens.analysis.statistics.significance import mcnemar_exact
from errlens.formats import count, share, share_range
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, Columns

ALPHA: Final = 0.05
TOLD, PARTLY, CHANCE = "told", "partly", "chance"

# Columns of pairs.csv and classes.csv, behind the share of images that are right.
STANDING_COLUMNS: Final[Columns] = {
    "low": NUMBER,  # Wilson, 95 %
    "high": NUMBER,
    "control": NUMBER,  # the same share with shuffled labels, mean over shuffles
    "control_spread": NUMBER,  # standard deviation over shuffles
    "p_chance": NUMBER,  # that luck alone is as good
    "p_best": NUMBER,  # that it is no worse than the best layer
    "standing": TEXT,  # told; partly, where the best is better; chance
    "best": TRUTH,
    "lost": TRUTH,  # after the best one, worse than that, and no better than chance
}


class LayerHits(NamedTuple):
    """Of the same n images, which the probe of a layer gets right.

    `hits` has shape (n,); `by_luck` (shuffles,) are the shares with shuffled labels, and `p_chance`
    is how likely luck is to do as well.
    """

    hits: NDArray[np.bool_]
    by_luck: NDArray[np.float64]
    p_chance: float


def chance_of(score: float, by_luck: NDArray[np.float64], *, mean: float, spread: float) -> float:
    """Return how likely luck is to reach a score: Student's t, of one more shuffle.

    Args:
        score: With labels as they are.
        by_luck: With shuffled ones, shape (shuffles,), at least two.
        mean: What the mean of these is taken to be at least.
        spread: Likewise their standard deviation.

    >>> round(chance_of(0.8, np.array([0.4, 0.5, 0.6]), mean=0.5, spread=0.1), 2)
    0.06
    """
    expected = max(float(by_luck.mean()), mean)
    deviation = max(float(by_luck.std(ddof=1)), spread) * np.sqrt(1 + 1 / len(by_luck))
    if deviation == 0:
        return float(score <= expected)
    return float(t.sf((score - expected) / deviation, len(by_luck) - 1))


def accuracy_by_chance(
    hits: NDArray[np.bool_], by_luck: NDArray[np.float64], *, chance: float
) -> float:
    """Return how likely luck is to get as many right, `chance` being what one answer for all gets.

    The spread is taken to be a binomial's at least.
    """
    spread = np.sqrt(chance * (1 - chance) / len(hits))
    return chance_of(float(hits.mean()), by_luck, mean=chance, spread=spread)


def compared(
    layers: Mapping[str, LayerHits], *, value: str, tried: int = 1
) -> list[dict[str, Any]]:
    """Compare layers by the same images; return a row a layer, of the `STANDING_COLUMNS`.

    Args:
        layers: In the order of the network.
        value: The name of the column of shares.
        tried: How many such questions are asked of the layers, and corrected for.
    """
    names = list(layers)
    best = int(np.argmax([layer.hits.sum() for layer in layers.values()]))
    pairs = len(names) * (len(names) - 1) // 2
    rows = []
    for name, (hits, by_luck, by_chance) in layers.items():
        n, right = len(hits), float(hits.mean())
        low, high = wilson_interval(int(hits.sum()), n)
        of_best = layers[names[best]].hits
        broken, fixed = int((of_best & ~hits).sum()), int((hits & ~of_best).sum())
        as_good = float(mcnemar_exact(broken, fixed))
        is_better = by_chance * len(names) * tried <= ALPHA
        is_worse = broken > fixed and as_good * pairs * tried <= ALPHA
        rows.append(
            {
                "layer": name,
                value: right,
                "low": float(low),
                "high": float(high),
                "control": float(by_luck.mean()),
                "control_spread": float(by_luck.std(ddof=1)),
                "p_chance": by_chance,
                "p_best": as_good,
                "standing": (PARTLY if is_worse else TOLD) if is_better else CHANCE,
                "best": name == names[best],
                "lost": is_worse and not is_better,
            }
        )
    is_told = rows[best]["standing"] == TOLD
    for number, row in enumerate(rows):
        row["lost"] = row["lost"] and is_told and number > best
    return rows


class Course(NamedTuple):
    """How something fares from layer to layer, each a row of `compared`; None where there is none.

    `above_chance` is the first layer better than chance, `told` the first that is as good as the
    best, `less` the first after the best that is worse and `lost` the first that is lost.
    """

    best: Mapping[str, Any]
    above_chance: Mapping[str, Any] | None
    told: Mapping[str, Any] | None
    less: Mapping[str, Any] | None
    lost: Mapping[str, Any] | None
    is_last: bool  # nothing comes after the best

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]]) -> "Course":
        """Read the rows of one question."""
        (best,) = (number for number, row in enumerate(rows) if row["best"])
        later = rows[best + 1 :]
        return cls(
            rows[best],
            next((row for row in rows if row["standing"] != CHANCE), None),
            next((row for row in rows if row["standing"] == TOLD), None),
            next((row for row in later if row["standing"] == PARTLY), None),
            next((row for row in later if row["lost"]), None),
            not later,
        )

    def after(self, *, value: str, n: int) -> str:
        """Say what becomes of it after the best layer; nothing where none comes after."""
        parts = [
            f"{words} at {row['layer']} ({facts(row, value=value, n=n)})"
            for words, row in (("worse", self.less), ("lost again", self.lost))
            if row is not None
        ]
        if not parts and not self.is_last:
            parts = ["no later layer is shown to be worse"]
        return "".join(f"; {part}" for part in parts)


def facts(row: Mapping[str, Any], *, value: str, n: int) -> str:
    """Write a share with its interval and of how many images it is."""
    interval = share_range(row["low"], row["high"], n)
    return f"{share(row[value], n)} of {count(n)}, 95 % interval {interval}"
