"""The finding that one channel of a network makes it mix up two classes."""

from collections.abc import Iterator
from typing import Final

import pandas as pd

from errlens.analysis.channels.ablation import broken_of_run
from errlens.analysis.channels.sentences import alone, best_random, effect
from errlens.analysis.findings.finding import RUN, Finding, Gain
from errlens.analysis.findings.scored import Scored
from errlens.analysis.selection.parsing import pair_selector
from errlens.analysis.statistics.differences import difference_on_same_images
from errlens.formats import p_value

LEAST: Final = 5  # errors of the pair that a channel repairs
SURE: Final = 0.01


def from_channels(
    images: Scored, ablation: pd.DataFrame, changes: pd.DataFrame
) -> Iterator[Finding]:
    """Yield the finding on the channel that has most to do with a confusion, if one is sure.

    It is, where the network with that channel silenced has more images of the run right (sign test,
    at 1 % after a correction for all channels that might have been suspects), repairs at least five
    errors of the pair, and more of them than the best of the random channels (at 1 %). What a
    network has learnt it needs: silencing a channel that tells two classes apart repairs some
    errors, and breaks more right answers. Without random channels nothing is known.

    Args:
        images: The images that are right or wrong.
        ablation: ablation.csv.
        changes: changes.csv.
    """
    suspects = alone(ablation, "suspect")
    sure = suspects[
        (suspects["q_value"] <= SURE)
        & (suspects["p_random"] <= SURE)
        & (suspects["pair_fixed"] >= LEAST)
    ]
    if not len(sure) or not set(sure[["class_a", "class_b"]].iloc[0]) <= set(images.classes.names):
        return
    row = sure.sort_values("q_value", kind="stable").iloc[0]
    a, b = row["class_a"], row["class_b"]
    mended = changes[
        (changes["layer"] == row["layer"])
        & (changes["role"] == "suspect")
        & (changes["channels"] == row["channels"])
        & (changes["change"] == "fixed")
        & changes["label_name"].isin((a, b))
        & changes["pred_name"].isin((a, b))
    ]
    best = best_random(ablation)
    yield Finding(
        kind="channel",
        statement=f"Channel {row['channels']} of layer {row['layer']} makes the network mix up {a} "
        f"and {b}: {effect(row)}.",
        rows=tuple(mended["row"].astype(int)),
        n_errors=len(mended),
        excess_errors=float(row["pair_fixed"] - best),
        gain=_gain(row, len(images)),
        q_value=float(row["q_value"]),
        evidence=f"the best of {len(alone(ablation, 'random'))} random channels repairs {best}; "
        f"{p_value(float(row['p_value']))}",
        command=("network", "features", RUN, "--layer", row["layer"], "--channels",
                 row["channels"]),
        subject={"classes": [a, b], "layer": row["layer"], "channel": int(row["channels"])},
        selector=pair_selector(a, b, images.classes),
    )  # fmt: skip


def _gain(row: pd.Series, n: int) -> Gain:
    """Return what the run wins without the channel."""
    by_test = difference_on_same_images(broken_of_run(row), row["fixed"], n)
    value = float(row["difference"])
    return Gain(value, max(0.0, min(float(by_test.low), value)), max(float(by_test.high), value))
