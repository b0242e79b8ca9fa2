"""At which layer two classes can be told apart, and at which they no longer can.

A probe that knows these two alone is fitted to the images of both. Layers are compared on the same
images: one tells them apart if it is better than naming the more frequent class (binomial test),
and not worse than the best layer (McNemar's exact test), both with Bonferroni's correction for the
number of layers. Where a layer after the best one is worse than that, something is lost.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest

from errlens.analysis.probing.accuracy import Features, Progress, held_out, share_columns
from errlens.analysis.statistics.significance import mcnemar_exact
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

ALPHA: Final = 0.05
TOLD, PARTLY, CHANCE = "told", "partly", "chance"

# The columns of pairs.csv, a row a pair and layer.
PAIR_COLUMNS: Final[Columns] = {
    "class_a": TEXT,
    "class_b": TEXT,
    "layer": TEXT,
    "n_a": WHOLE,
    "n_b": WHOLE,
    "accuracy": NUMBER,  # of images of both, held out
    "low": NUMBER,
    "high": NUMBER,
    "chance": NUMBER,  # of always naming the more frequent one
    "p_chance": NUMBER,  # that luck alone is as good
    "p_best": NUMBER,  # that it is no worse than the best layer
    "standing": TEXT,  # told; partly, where the best is better; chance
    "best": TRUTH,
    "lost": TRUTH,  # worse than the best one, and after it
}


class Parting(NamedTuple):
    """Where two classes part: the first layer that tells them, the best, and where that is lost.

    `above_chance` is the first that is better than chance. Those that there are not are None.
    """

    class_a: str
    class_b: str
    above_chance: str | None
    told_at: str | None
    best: str | None
    lost_at: str | None

    @property
    def sentence(self) -> str:
        """The same in words."""
        pair = f"{self.class_a} and {self.class_b}"
        if self.told_at is None:
            return f"{pair}: no layer tells them apart for sure"
        before = (
            ""
            if self.above_chance == self.told_at
            else (f", better than by chance from {self.above_chance} on")
        )
        best = "" if self.best == self.told_at else f", best at {self.best}"
        lost = f"; lost again at {self.lost_at}" if self.lost_at else "; not lost again"
        return f"{pair} are told apart from {self.told_at} on{before}{best}{lost}"


def probe_pair(
    features: Features,
    label: NDArray[np.integer],
    pair: tuple[int, int],
    names: tuple[str, str],
    *,
    folds: int,
    seed: int,
    advance: Progress = lambda _step: None,
) -> pd.DataFrame:
    """Probe each layer for two classes alone; return a table of the `PAIR_COLUMNS`.

    Args:
        features: Of all images, by layer, in the order of the network.
        label: The class of each image.
        pair: The two classes, each with at least as many images as folds.
        names: What these are called.
        folds: How many parts are held out in turn.
        seed: Decides which image is in which.
        advance: Is told of each layer done.
    """
    at = np.flatnonzero(np.isin(label, pair))
    is_b = (label[at] == pair[1]).astype(np.int64)
    n_b = int(is_b.sum())
    chance = max(n_b, len(at) - n_b) / len(at)
    right = []
    for values in features.values():
        right.append(held_out(values[at], is_b, folds=folds, seed=seed) == is_b)
        advance(1)
    best = int(np.argmax([hits.sum() for hits in right]))
    rows = []
    for number, (layer, hits) in enumerate(zip(features, right, strict=True)):
        by_luck = binomtest(int(hits.sum()), len(at), chance, alternative="greater").pvalue
        broken, fixed = int((right[best] & ~hits).sum()), int((hits & ~right[best]).sum())
        as_good = float(mcnemar_exact(broken, fixed))
        is_worse = broken > fixed and as_good * max(1, len(right) - 1) <= ALPHA
        is_better = by_luck * len(right) <= ALPHA
        rows.append(
            {
                "class_a": names[0],
                "class_b": names[1],
                "layer": layer,
                "n_a": len(at) - n_b,
                "n_b": n_b,
                **share_columns(hits, n=None),
                "chance": chance,
                "p_chance": float(by_luck),
                "p_best": as_good,
                "standing": CHANCE if not is_better else PARTLY if is_worse else TOLD,
                "best": number == best,
                "lost": number > best and is_worse,
            }
        )
    return pd.DataFrame(rows, columns=list(PAIR_COLUMNS))


def partings(pairs: pd.DataFrame) -> Iterable[Parting]:
    """Yield where the two classes of each pair of a table part."""
    for (a, b), rows in pairs.groupby(["class_a", "class_b"], sort=False):
        told = rows.loc[rows["standing"] == TOLD, "layer"].tolist()
        above = rows.loc[rows["standing"] != CHANCE, "layer"].tolist()
        lost = rows.loc[rows["lost"], "layer"].tolist()
        (best,) = rows.loc[rows["best"], "layer"]
        first = above[0] if above else None
        known = (told[0], best, lost[0] if lost else None) if told else (None, None, None)
        yield Parting(str(a), str(b), first, *known)
