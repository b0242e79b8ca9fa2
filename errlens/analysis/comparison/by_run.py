"""Runs compared as wholes: their metrics, and whether the accuracy of one is better."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from errlens.analysis.comparison.matching import matched
from errlens.analysis.statistics.differences import (
    difference_between_samples,
    difference_on_same_images,
)
from errlens.run.csv_tables import TEXT, WHOLE

METRICS: Final = ("top1", "top5", "macro_f1", "nll", "brier", "ece")


# Columns of runs.csv; all others hold numbers.
RUN_COLUMNS: Final = {"run": TEXT, "n": WHOLE, "test": TEXT}


class Comparison(NamedTuple):
    """How the accuracy of a run differs from that of an old one, with interval and p-value.

    `both` are the images in common, as `matched` returns them. Without any, the runs are two
    samples, and `fixed` and `broken` are None.
    """

    both: pd.DataFrame
    fixed: int | None
    broken: int | None
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def on_same_images(self) -> bool:
        """Whether there are images in common."""
        return self.fixed is not None


def compare_outcomes(old: pd.DataFrame, new: pd.DataFrame) -> Comparison:
    """Compare the accuracy of two runs, by the images that both have if there are any.

    Args:
        old: What `outcomes` returns; at least one image.
        new: The same.
    """
    both = matched(old, new)
    if not len(both):
        hits = (old["correct"].sum(), len(old), new["correct"].sum(), len(new))
        return Comparison(both, None, None, *map(float, difference_between_samples(*hits)))
    fixed = int((both["new"] & ~both["old"]).sum())
    broken = int((both["old"] & ~both["new"]).sum())
    return Comparison(
        both, fixed, broken, *map(float, difference_on_same_images(broken, fixed, len(both)))
    )


def best_run(images: Sequence[pd.DataFrame]) -> int | None:
    """Return which run is right more often than each of the others, beyond chance, if one is.

    That is where the 95 % interval of each difference lies above zero, the p-value below 0.05.

    Args:
        images: What `outcomes` returns, of each run.
    """
    best = int(np.argmax([of_run["correct"].mean() for of_run in images]))
    others = [of_run for index, of_run in enumerate(images) if index != best]
    surely = all(compare_outcomes(other, images[best]).low > 0 for other in others)
    return best if surely else None


def run_table(
    metrics: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Comparison]
) -> pd.DataFrame:
    """Return one row a run: its metrics, and how its accuracy differs from that of the first.

    Args:
        metrics: What metrics.json says of each run.
        comparisons: Of each run but the first, with the first.
    """
    table = pd.DataFrame([{"run": name, **_metrics(of_run)} for name, of_run in metrics.items()])
    rows: list[dict[str, Any]] = [
        {
            "test": "paired" if comparison.on_same_images else "unpaired",
            "in_common": len(comparison.both),
            "fixed": comparison.fixed,
            "broken": comparison.broken,
            "difference": comparison.difference,
            "difference_low": comparison.low,
            "difference_high": comparison.high,
            "p_value": comparison.p_value,
        }
        for comparison in comparisons
    ]
    against = pd.DataFrame([dict.fromkeys(rows[0]), *rows])
    counts = dict.fromkeys(("in_common", "fixed", "broken"), "Int64")
    rates = dict.fromkeys(("difference", "difference_low", "difference_high", "p_value"), "float64")
    return pd.concat([table, against.astype({**counts, **rates, "test": "str"})], axis=1)


def _metrics(of_run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metrics of a run, not a number where it has none."""
    row: dict[str, Any] = {"n": of_run["top1"]["n"]}
    for name in METRICS:
        metric = of_run.get(name) or {}
        edges = ("low", "high") if name.startswith("top") else ()
        value = metric.get("value", np.nan)
        row[name] = np.inf if value is None else value  # what JSON has no word for
        row |= {f"{name}_{edge}": metric.get(edge, np.nan) for edge in edges}
    return row
