"""What happened over a training, in words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.evolution.names import short_names
from errlens.analysis.evolution.settling import settling
from errlens.errors import shortened
from errlens.formats import counted, of

_NAMED: Final = 4  # layers, or channels, that a sentence names


def in_words(
    settled: pd.DataFrame, evolution: pd.DataFrame, pairs: pd.DataFrame | None
) -> list[str]:
    """Say when each layer settles, which channel jumped last, and when pairs part.

    Args:
        settled: settled.csv.
        evolution: evolution.csv.
        pairs: pairs.csv, if there are labels.
    """
    names = list(dict.fromkeys(evolution["checkpoint"]))
    short = dict(zip(names, map(shortened, short_names(names)), strict=True))
    said = [_settling(settled, short), *_jumps(evolution, names, short)]
    if pairs is not None:
        groups = pairs.groupby(["class_a", "class_b"], sort=False)
        said += [_parting(rows, short) for _, rows in groups]
    return said


def jumps_of(evolution: pd.DataFrame, layer: str) -> tuple[int, str | None]:
    """Return how often the strongest image of a layer's channels changed, and where last."""
    rows = evolution[(evolution["layer"] == layer) & evolution["jump"].astype(bool)]
    order = list(dict.fromkeys(evolution["checkpoint"]))
    last = max(rows["checkpoint"], key=order.index, default=None)
    return len(rows), last


def _settling(settled: pd.DataFrame, short: Mapping[str, str]) -> str:
    """Say from where on each layer is within 5 % of its last."""
    known = settled.groupby("layer", sort=False)["cka"].apply(lambda values: values.notna().any())
    parts = [
        f"{shortened(layer)} from {short[name]} on" if name else f"{shortened(layer)} at no earlier"
        for layer, name in settling(settled).items()
        if known[layer]
    ]
    unknown = [shortened(str(layer)) for layer in known.index[~known]]
    said = f"Within 5 % of its last: {_listed(parts)}." if parts else ""
    if unknown:
        why = "not told, for it is the same for all images, or there are fewer than four"
        said += f" {_listed(unknown)}: {why}."
    return said.strip()


def _jumps(evolution: pd.DataFrame, names: Sequence[str], short: Mapping[str, str]) -> list[str]:
    """Say which channels jumped last."""
    jumped = evolution[evolution["jump"].astype(bool)]
    n = len(evolution[["layer", "channel"]].drop_duplicates())
    if not len(jumped):
        return [f"No channel of {n} jumped: the strongest image of each is the same throughout."]
    last = max(jumped["checkpoint"], key=list(names).index)
    rows = jumped[jumped["checkpoint"] == last]
    of_layers = rows.groupby("layer", sort=False)["channel"].agg(lambda each: list(map(str, each)))
    which = _listed([f"{shortened(str(layer))} {_listed(own)}" for layer, own in of_layers.items()])
    many = of(len(rows), n)
    return [f"The last to jump to another image, at {short[last]}: {many} channels ({which})."]


def _parting(rows: pd.DataFrame, short: Mapping[str, str]) -> str:
    """Say when two classes part, and how often they are taken for one another in the end."""
    last: Any = rows.iloc[-1]
    a, b = shortened(last["class_a"]), shortened(last["class_b"])
    parted = rows.loc[rows["parted"].astype(bool), "checkpoint"]
    begun = (
        f"{a} and {b} part at {short[parted.iloc[0]]}: from there on they are told apart better "
        "than by chance"
        if len(parted)
        else f"{a} and {b} do not part: at the last they are told apart no better than by chance"
    )
    wrong = (rows["a_as_b"] + rows["b_as_a"]).to_numpy()
    end = (
        f"at the last {of(int(last['a_as_b']), int(last['n_a']))} images of {a} are taken for {b}, "
        f"{of(int(last['b_as_a']), int(last['n_b']))} of {b} for {a}"
    )
    return f"{begun}{_halved(rows, wrong, short)}; {end}."


def _halved(rows: pd.DataFrame, wrong: NDArray[np.int64], short: Mapping[str, str]) -> str:
    """Say where two classes are mixed up most, and from where on half as often."""
    most = int(wrong.argmax())
    few = np.logical_and.accumulate((2 * wrong <= wrong[most])[::-1])[::-1]
    names = [short[name] for name in rows["checkpoint"]]
    if not wrong[most] or not few.any():
        return ""
    since = names[int(few.argmax())]
    return (
        f"; most mixed up at {names[most]}, {counted(int(wrong[most]), 'image')}, and at most half "
        f"as often from {since} on"
    )


def _listed(texts: Sequence[str]) -> str:
    rest = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
