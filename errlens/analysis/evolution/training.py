"""How well a network does at each checkpoint, and which classes it takes for one another there."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.accuracy.calibration import expected_calibration_error, reliability
from errlens.analysis.statistics.differences import difference_between_samples
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE

# training.csv: one row a checkpoint. Rates and means are over the n images with a label of which
# the outputs are numbers; of `n_not_finite` they are not.
TRAINING_COLUMNS: Final = {
    "checkpoint": TEXT, "n": WHOLE, "n_not_finite": WHOLE, "accuracy": NUMBER,
    "accuracy_low": NUMBER, "accuracy_high": NUMBER, "loss": NUMBER, "ece": NUMBER,
}  # fmt: skip
# pairs.csv: one row for each pair and checkpoint.
PAIR_COLUMNS: Final = {
    "class_a": TEXT, "class_b": TEXT, "checkpoint": TEXT, "a_as_b": WHOLE, "b_as_a": WHOLE,
    "n_a": WHOLE, "n_b": WHOLE, "apart": NUMBER, "apart_low": NUMBER, "apart_high": NUMBER,
    "parted": TRUTH,
}  # fmt: skip


class Answers(NamedTuple):
    """What is predicted of n images with a label at a checkpoint, arrays of shape (n,).

    `finite` is False where the outputs are no numbers: the rest then means nothing.
    """

    finite: NDArray[np.bool_]
    label: NDArray[np.int32]
    pred: NDArray[np.int32]
    confidence: NDArray[np.float32]
    loss: NDArray[np.float32]


def training_table(answers: Sequence[Answers], checkpoints: Sequence[str]) -> pd.DataFrame:
    """Return training.csv: accuracy with its Wilson 95 % interval, mean loss, calibration error.

    The loss is the cross-entropy, missing where an image gives its label no chance at all.
    """
    rows = [
        {"checkpoint": name, **_measured(each)}
        for name, each in zip(checkpoints, answers, strict=True)
    ]
    return pd.DataFrame(rows, columns=list(TRAINING_COLUMNS))


def pair_table(
    answers: Sequence[Answers],
    checkpoints: Sequence[str],
    pairs: Sequence[tuple[int, int]],
    names: Sequence[str],
) -> pd.DataFrame:
    """Return pairs.csv: how often two classes are taken for one another at each checkpoint.

    `apart` is asked of the images of both that are taken for one of both: the share of A's called A
    less the share of B's called A. It is 1 where they are told apart and 0 where not, also where
    all of both are called A. They have `parted` at a checkpoint from which on its 95 % interval
    stays above zero.
    """
    tables = [
        _of_pair(answers, checkpoints, pair).assign(class_a=names[pair[0]], class_b=names[pair[1]])
        for pair in pairs
    ]
    none = pd.DataFrame(columns=list(PAIR_COLUMNS))
    return pd.concat(tables, ignore_index=True)[list(PAIR_COLUMNS)] if tables else none


def _measured(answers: Answers) -> dict[str, Any]:
    known = answers.finite
    correct = (answers.pred == answers.label)[known]
    n, right = len(correct), int(correct.sum())
    low, high = map(float, wilson_interval(right, n)) if n else (None, None)
    loss = float(answers.loss[known].mean(dtype=np.float64)) if n else np.inf
    bins = reliability(answers.confidence[known], correct)
    return {
        "n": n,
        "n_not_finite": int((~known).sum()),
        "accuracy": right / n if n else None,
        "accuracy_low": low,
        "accuracy_high": high,
        "loss": loss if np.isfinite(loss) else None,
        "ece": expected_calibration_error(bins),
    }


def _of_pair(
    answers: Sequence[Answers], checkpoints: Sequence[str], pair: tuple[int, int]
) -> pd.DataFrame:
    """Return the counts of a pair, and whether it has parted, by checkpoint."""
    a, b = pair
    cells = np.array(
        [
            [
                int((each.finite & (each.label == true) & (each.pred == taken)).sum())
                for true in pair
                for taken in pair
            ]
            for each in answers
        ],
        np.int64,
    )
    sizes = [[int((each.finite & (each.label == index)).sum()) for index in (a, b)]
             for each in answers]  # fmt: skip
    aa, ab, ba, bb = cells.T
    apart = difference_between_samples(ba, ba + bb, aa, aa + ab)
    above = apart.low > 0
    return pd.DataFrame(
        {
            "checkpoint": pd.Series(list(checkpoints), dtype="str"),
            "a_as_b": ab,
            "b_as_a": ba,
            "n_a": [n for n, _ in sizes],
            "n_b": [n for _, n in sizes],
            "apart": apart.difference,
            "apart_low": apart.low,
            "apart_high": apart.high,
            "parted": np.logical_and.accumulate(above[::-1])[::-1],
        }
    )
