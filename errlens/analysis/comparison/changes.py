"""Runs held against one another: which is better, in what, and which images does that show on?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.comparison.matching import matched
from errlens.analysis.confusion.matrix import ConfusionMatrix
from errlens.analysis.confusion.pairs import real_pairs
from errlens.analysis.mistakes.ranking import image_table, worst_table
from errlens.analysis.statistics.paired import paired_difference
from errlens.analysis.statistics.significance import benjamini_hochberg, mcnemar_exact
from errlens.analysis.statistics.unpaired import unpaired_difference
from errlens.classes.names import ClassNames
from errlens.predictions.table import Predictions
from errlens.run.choices import Rank

# Figures of a run, and whether more is better.
FIGURES: Final = {
    "top1": True, "top5": True, "macro_f1": True, "nll": False, "brier": False, "ece": False,
}  # fmt: skip

_NO_PAIR: Final = -1  # of an image that is right
_FROM_BOTH: Final = ("confidence", "label_prob", "loss")  # columns told of the old and the new


class Comparison(NamedTuple):
    """A run against an old one; all figures are those of the new one less those of the old.

    `both` are the images in common, as `pairing.matched` has them. Without any, the runs are
    `paired` in nothing: then they are two samples, and `fixed` and `broken` are None.
    """

    both: pd.DataFrame
    fixed: int | None
    broken: int | None
    difference: float
    low: float
    high: float
    p_value: float

    @property
    def paired(self) -> bool:
        """Whether there are images in common."""
        return self.fixed is not None


class Changed(NamedTuple):
    """The images that are right now and were not, and those that are wrong now and were not."""

    fixed: pd.DataFrame
    broken: pd.DataFrame


def compare_outcomes(old: pd.DataFrame, new: pd.DataFrame) -> Comparison:
    """Compare the accuracy of two runs, by the images that both have if there are any.

    Args:
        old: As `pairing.outcomes` has them; at least one image.
        new: The same.
    """
    both = matched(old, new)
    if not len(both):
        hits = (old["correct"].sum(), len(old), new["correct"].sum(), len(new))
        return Comparison(both, None, None, *map(float, unpaired_difference(*hits)))
    fixed = int((both["new"] & ~both["old"]).sum())
    broken = int((both["old"] & ~both["new"]).sum())
    return Comparison(both, fixed, broken, *map(float, paired_difference(broken, fixed, len(both))))


def relabelled(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """Return how many images have the same name in both runs, but not the same label."""
    both = new.merge(old, on="sample_id", suffixes=("", "_old"))
    return int((both["label_name"] != both["label_name_old"]).sum())


def other_files(old: pd.DataFrame, new: pd.DataFrame) -> int:
    """Return how many images have the same name in both runs, but are different files."""
    both = new.merge(old, on="sample_id", suffixes=("", "_old"))
    hashes = both[["content_hash", "content_hash_old"]].dropna()
    return int((hashes["content_hash"] != hashes["content_hash_old"]).sum())


def run_table(
    metrics: Mapping[str, Mapping[str, Any]], comparisons: Sequence[Comparison]
) -> pd.DataFrame:
    """Return one row a run: its figures, and how its accuracy differs from that of the first.

    Args:
        metrics: What metrics.json says of each run.
        comparisons: Of each run but the first, with the first.
    """
    table = pd.DataFrame([{"run": name, **_figures(figures)} for name, figures in metrics.items()])
    told: list[dict[str, Any]] = [
        {
            "test": "paired" if one.paired else "unpaired",
            "in_common": len(one.both),
            **{name: getattr(one, name) for name in ("fixed", "broken", "difference")},
            "difference_low": one.low,
            "difference_high": one.high,
            "p_value": one.p_value,
        }
        for one in comparisons
    ]
    against = pd.DataFrame([dict.fromkeys(told[0]), *told])
    counts = dict.fromkeys(("in_common", "fixed", "broken"), "Int64")
    rates = dict.fromkeys(("difference", "difference_low", "difference_high", "p_value"), "float64")
    return pd.concat([table, against.astype({**counts, **rates, "test": "str"})], axis=1)


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of a run, not a number where it has none."""
    found: dict[str, Any] = {"n": metrics["top1"]["n"]}
    for name in FIGURES:
        figure = metrics.get(name) or {}
        edges = ("low", "high") if name.startswith("top") else ()
        value = figure.get("value", np.nan)
        found[name] = np.inf if value is None else value  # what JSON has no word for
        found |= {f"{name}_{edge}": figure.get(edge, np.nan) for edge in edges}
    return found


def changed_images(both: pd.DataFrame, old: Predictions, new: Predictions, rank: Rank) -> Changed:
    """Return what was fixed, the worst error of before first, and what broke, the worst of now.

    Args:
        both: As `pairing.matched` has it.
        old: All images of the old run, with the columns of `ranking`.
        new: Likewise of the new one.
        rank: What makes an error bad.
    """
    old_table, new_table = image_table(old), image_table(new)

    def told(rows: pd.DataFrame, by: str, ranked: pd.DataFrame) -> pd.DataFrame:
        place = pd.Series(range(len(ranked)), index=ranked["row"])
        ordered = rows.iloc[np.argsort(place.loc[rows[by]].to_numpy(), kind="stable")]
        before, now = old_table.iloc[ordered["old_row"]], new_table.iloc[ordered["row"]]
        values = {
            f"{which}_{name}": table[name].to_numpy()
            for name in _FROM_BOTH
            for which, table in (("old", before), ("new", now))
        }
        plain = ordered[["row", "old_row", "sample_id", "label_name", "old_pred", "new_pred"]]
        found = plain.astype({"label_name": "str", "old_pred": "str", "new_pred": "str"})
        found.insert(3, "path", now["path"].to_numpy())
        return found.assign(**values).reset_index(drop=True)

    return Changed(
        told(both[both["new"] & ~both["old"]], "old_row", worst_table([old], rank)),
        told(both[both["old"] & ~both["new"]], "row", worst_table([new], rank)),
    )


def class_changes(both: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return one row a class that has images in both runs, the strongest evidence first.

    The test is McNemar's, exact, with Benjamini-Hochberg over the classes.
    """
    label, k = _indices(both["label_name"], classes), len(classes)
    old, new = both["old"].to_numpy(bool), both["new"].to_numpy(bool)
    n, hits, hits_now, fixed, broken = (
        np.bincount(label[which], minlength=k)
        for which in (np.ones(len(both), bool), old, new, new & ~old, old & ~new)
    )
    known = np.flatnonzero(n)
    change = paired_difference(broken[known], fixed[known], n[known])
    told = {
        "class_name": pd.array(classes.names, dtype="str")[known],
        "n": n[known],
        "old_recall": hits[known] / n[known],
        "new_recall": hits_now[known] / n[known],
        "difference": change.difference,
        "low": change.low,
        "high": change.high,
        "fixed": fixed[known],
        "broken": broken[known],
    }
    return _tested(told, change.p_value)


def class_differences(old: pd.DataFrame, new: pd.DataFrame, classes: ClassNames) -> pd.DataFrame:
    """Return the same of runs without images in common: recalls of two samples."""
    k = len(classes)
    counts = []
    for one in (old, new):
        label = _indices(one["label_name"], classes)
        right = label[one["correct"].to_numpy(bool)]
        counts += [np.bincount(right, minlength=k), np.bincount(label, minlength=k)]
    known = np.flatnonzero((counts[1] > 0) & (counts[3] > 0))
    hits, n, hits_now, n_now = (one[known] for one in counts)
    found = unpaired_difference(hits, n, hits_now, n_now)
    told = {
        "class_name": pd.array(classes.names, dtype="str")[known],
        "old_n": n,
        "new_n": n_now,
        "old_recall": hits / n,
        "new_recall": hits_now / n_now,
        "difference": found.difference,
        "low": found.low,
        "high": found.high,
    }
    return _tested(told, found.p_value)


def pair_changes(both: pd.DataFrame, old: ConfusionMatrix, new: ConfusionMatrix) -> pd.DataFrame:
    """Return one row for two classes that either run mixes up, the strongest evidence first.

    `old_count` and `new_count` are the images in common that were, and are, taken for the other
    class, both ways together. Of the former `gone` are no longer so, and `fixed` of these are right
    now; of the latter `new` were not so before, and `broken` of these were right. The test is
    McNemar's, exact, of `gone` and `new`, with Benjamini-Hochberg over the pairs.

    `status` tells of pairs that are mutually confused, or likely so (see `pair_table`), in the
    whole of one run or of both: the confusion appeared, went or stays.

    Args:
        both: As `pairing.matched` has it.
        old: All of the old run. Superclasses should be those of the new one: they have a say in
            what is mutual.
        new: All of the new one.
    """
    names, k = new.classes, len(new.classes)
    label = _indices(both["label_name"], names)
    before, now = (
        _pair_keys(label, _indices(both[column], names), k) for column in ("old_pred", "new_pred")
    )
    mutual = [_mutual_keys(one, names) for one in (old, new)]
    keys = np.unique(np.concatenate([before, now, *mutual]))
    keys = keys[keys != _NO_PAIR]
    old_count, new_count, same, fixed, broken = (
        _counts(keys, one)
        for one in (
            before,
            now,
            before[before == now],
            before[both["new"].to_numpy(bool)],
            now[both["old"].to_numpy(bool)],
        )
    )
    gone, new_ones = old_count - same, new_count - same
    n = np.bincount(label, minlength=k)
    a, b = np.divmod(keys, k)
    told = {
        **_ends(a, b, names),
        "n": n[a] + n[b],
        "old_count": old_count,
        "new_count": new_count,
        "gone": gone,
        "fixed": fixed,
        "new": new_ones,
        "broken": broken,
    }
    p_value = mcnemar_exact(gone, new_ones)
    return _tested(told, p_value, status=_status(keys, *mutual))


def pair_differences(old: ConfusionMatrix, new: ConfusionMatrix) -> pd.DataFrame:
    """Return the same of runs without images in common: shares of two samples."""
    names, k = new.classes, len(new.classes)
    mutual = [_mutual_keys(one, names) for one in (old, new)]
    found, sizes = [], []
    for one in (old, new):
        place = _indices(one.classes.names, names)
        cells = one.errors.tocoo()
        pairs = _pair_keys(place[cells.row], place[cells.col], k)
        found.append(pd.Series(cells.data).groupby(pairs).sum())
        n = np.zeros(k, np.int64)
        n[place] = one.n
        sizes.append(n)
    keys = np.unique(np.concatenate([*(one.index.to_numpy(np.int64) for one in found), *mutual]))
    old_count, new_count = (one.reindex(keys, fill_value=0).to_numpy(np.int64) for one in found)
    a, b = np.divmod(keys, k)
    old_n, new_n = (n[a] + n[b] for n in sizes)
    told = {
        **_ends(a, b, names),
        "old_n": old_n,
        "new_n": new_n,
        "old_count": old_count,
        "new_count": new_count,
    }
    p_value = unpaired_difference(old_count, old_n, new_count, new_n).p_value
    return _tested(told, p_value, status=_status(keys, *mutual))


def _tested(
    columns: Mapping[str, Any],
    p_value: NDArray[np.float64],
    *,
    status: NDArray[np.object_] | None = None,
) -> pd.DataFrame:
    """Return a table with what is told of its tests; the strongest first, ties as they come."""
    table = pd.DataFrame(columns)
    table["p_value"] = p_value
    table["q_value"] = benjamini_hochberg(p_value, tests=len(p_value))
    if status is not None:
        table["status"] = pd.array(status, dtype="str")
    return table.iloc[np.argsort(p_value, kind="stable")].reset_index(drop=True)


def _indices(names: Iterable[str], classes: ClassNames) -> NDArray[np.int64]:
    """Return which classes some names are; all are among them."""
    places = pd.Index(classes.names).get_indexer(pd.Index([*names], dtype="str"))
    return np.asarray(places, np.int64)


def _ends(a: NDArray[np.int64], b: NDArray[np.int64], classes: ClassNames) -> dict[str, Any]:
    names = pd.array(classes.names, dtype="str")
    return {"class_a": names[a], "class_b": names[b]}


def _pair_keys(label: NDArray[np.int64], pred: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Return a number for the two classes of each error, whichever is which."""
    keys = np.minimum(label, pred) * k + np.maximum(label, pred)
    return np.where(label == pred, _NO_PAIR, keys)


def _mutual_keys(matrix: ConfusionMatrix, classes: ClassNames) -> NDArray[np.int64]:
    """Return the same numbers of the mutual pairs of a run, likely ones among them.

    One that loses its lift is still there. The classes of the run may be in another order.
    """
    a, b = real_pairs(matrix).T
    place = _indices(matrix.classes.names, classes)
    return _pair_keys(place[a], place[b], len(classes))


def _counts(keys: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how often each of some sorted keys was found."""
    known = found[found != _NO_PAIR]
    return np.bincount(np.searchsorted(keys, known), minlength=len(keys))


def _status(
    keys: NDArray[np.int64], old: NDArray[np.int64], new: NDArray[np.int64]
) -> NDArray[np.object_]:
    was, now = np.isin(keys, old), np.isin(keys, new)
    status = np.full(len(keys), None, object)
    for which, word in ((was & now, "stays"), (now & ~was, "appeared"), (was & ~now, "went")):
        status[which] = word
    return status
