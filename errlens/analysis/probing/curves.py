"""Learning curves: how well a probe does that was fitted to a few images of each class.

Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014, section 5.2.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.probing.accuracy import Features, Progress
from errlens.analysis.probing.classifier import fit_linear
from errlens.errors import UnfitOption
from errlens.formats import counted
from errlens.run.csv_tables import NUMBER, TEXT, WHOLE, Columns

DRAWS: Final = 10

# The columns of curves.csv.
CURVE_COLUMNS: Final[Columns] = {
    "layer": TEXT,
    "per_class": WHOLE,  # images of each class that the probe was fitted to
    "draws": WHOLE,
    "n_test": WHOLE,  # images that it is judged by, in each draw
    "accuracy": NUMBER,  # mean over draws
    "spread": NUMBER,  # standard deviation over draws
    "lowest": NUMBER,
    "highest": NUMBER,
}


def check_per_class(
    per_class: Sequence[int], label: NDArray[np.integer], names: Sequence[str]
) -> None:
    """Refuse to draw more images of a class than leave one to judge by.

    Raises:
        UnfitOption: That is so.
    """
    counts = np.bincount(label, minlength=len(names))
    fewest = int(counts.argmin())
    least = int(counts[fewest])
    if max(per_class) >= least:
        fitting = sorted({each for each in per_class if each < least} | ({least - 1} - {0}))
        raise UnfitOption(
            f"--per-class {max(per_class)}: of {names[fewest]!r} there are "
            f"{counted(least, 'image')}, and one at least is to judge by",
            hint=f"--per-class {','.join(map(str, fitting))}" if fitting else "",
        )


def learning_curves(
    features: Features,
    label: NDArray[np.integer],
    per_class: Sequence[int],
    *,
    seed: int,
    draws: int = DRAWS,
    advance: Progress = lambda _step: None,
) -> pd.DataFrame:
    """Fit probes to a few images of each class and judge them by others.

    In a draw each class is shuffled: its first images are fitted to, and those after the largest
    number are judged by, so that all numbers and all layers are judged by the same.

    Args:
        features: Shape (n, channels), by layer.
        label: Classes from 0 on, shape (n,); each has more images than the largest number.
        per_class: Numbers of images, ascending.
        seed: Decides what is drawn.
        draws: How often.
        advance: Is told of each layer done.

    Returns:
        A table of the `CURVE_COLUMNS`.
    """
    random = np.random.default_rng(seed)
    most = max(per_class)
    orders = [
        [random.permutation(np.flatnonzero(label == each)) for each in range(label.max() + 1)]
        for _ in range(draws)
    ]
    rows = []
    for layer, values in features.items():
        for n in per_class:
            shares = []
            for order in orders:
                train = np.concatenate([of_class[:n] for of_class in order])
                test = np.concatenate([of_class[most:] for of_class in order])
                weight, bias = fit_linear(values[train], label[train])
                found = (values[test] @ weight.T + bias).argmax(axis=1)
                shares.append(float((found == label[test]).mean()))
            rows.append(
                {
                    "layer": layer,
                    "per_class": n,
                    "draws": draws,
                    "n_test": len(label) - most * len(orders[0]),
                    "accuracy": float(np.mean(shares)),
                    "spread": float(np.std(shares, ddof=1)),
                    "lowest": min(shares),
                    "highest": max(shares),
                }
            )
        advance(1)
    return pd.DataFrame(rows, columns=list(CURVE_COLUMNS))
