"""Tables of how far features and predictions move: by transform and size, and by class."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from errlens.analysis.invariance.answers import Answers
from errlens.analysis.statistics.intervals import wilson_interval
from errlens.data.photos.transforms import Transform
from errlens.run.csv_tables import NUMBER, TEXT, TRUTH, WHOLE, Columns

CURVES: Final[Columns] = {
    "transform": TEXT, "size": NUMBER, "layer": TEXT, "n": WHOLE, "euclidean_mean": NUMBER,
    "euclidean_std": NUMBER, "cosine_mean": NUMBER, "cosine_std": NUMBER,
    "probability_mean": NUMBER, "probability_std": NUMBER, "same_prediction": NUMBER,
    "accuracy": NUMBER, "natural": TRUTH,
}  # fmt: skip
CLASSES: Final[Columns] = {
    "class_name": TEXT, "transform": TEXT, "n": WHOLE, "accuracy": NUMBER, "breaks_at": NUMBER,
    "accuracy_there": NUMBER, "low": NUMBER, "high": NUMBER, "sure": TRUTH, "natural": TRUTH,
}  # fmt: skip
HALF: Final = 0.5  # of its accuracy at the start: below it, a class is broken


def curve_table(answers: Answers, transforms: Sequence[Transform]) -> pd.DataFrame:
    """Return `invariance.csv`: a row for each size of each transform and each layer.

    Spreads are standard deviations over images, of one image missing; probabilities that are not
    finite are left out. `accuracy` is missing where
    an image has no label.
    """
    rows: list[dict[str, Any]] = []
    for transform in transforms:
        places = answers.of(transform.name)
        unchanged = answers.pred[:, [identity(answers, transform)]]
        for at in places:
            pred, chance = answers.pred[:, at], answers.probability[:, at]
            right = float((pred == answers.label).mean()) if answers.labelled else np.nan
            for number, layer in enumerate(answers.layers):
                euclidean, cosine = answers.euclidean[:, at, number], answers.cosine[:, at, number]
                size = answers.steps[at].size
                values = (
                    transform.name, size, layer, len(answers), euclidean.mean(),
                    spread_of(euclidean), cosine.mean(), spread_of(cosine), mean_of(chance),
                    spread_of(chance),
                    float((pred == unchanged[:, 0]).mean()), right, transform.is_natural(size),
                )  # fmt: skip
                rows.append(dict(zip(CURVES, values, strict=True)))
    return pd.DataFrame(rows, columns=list(CURVES))


def class_table(
    answers: Answers, transforms: Sequence[Transform], names: Sequence[str]
) -> pd.DataFrame:
    """Return `classes.csv`: for each class and transform the smallest size that breaks it.

    It is broken where fewer than half of its images that were right still are. `accuracy` is that
    of the images as they are, `accuracy_there` that at the size, with its 95 % interval (Wilson):
    it is `sure` that the class breaks where the whole interval lies below the half. Classes that
    break most easily come first: by strength, as a multiple of what is natural.

    Args:
        answers: Without labels, the table is empty.
        transforms: Those of the answers.
        names: Of the classes, by their index.
    """
    rows: list[tuple[float, dict[str, Any]]] = []
    classes = np.unique(answers.label[answers.label >= 0]).tolist()
    for transform in transforms:
        steps = {
            at: transform.strength(answers.steps[at].size) for at in answers.of(transform.name)
        }
        places = sorted(steps, key=steps.__getitem__)
        for label in classes:
            of_class = answers.label == label
            right = (answers.pred[of_class] == label).sum(axis=0)
            n, start = int(of_class.sum()), int(right[identity(answers, transform)])
            broken = next((at for at in places if right[at] < HALF * start), None)
            row = {"class_name": names[label], "transform": transform.name, "n": n,
                   "accuracy": start / n}  # fmt: skip
            order = np.inf
            if broken is not None:
                size = answers.steps[broken].size
                order = steps[broken] / transform.natural
                there = wilson_interval(right[broken], n)
                row |= {
                    "breaks_at": size, "accuracy_there": right[broken] / n,
                    "low": float(there.low), "high": float(there.high),
                    "sure": bool(there.high < HALF * start / n),
                    "natural": transform.is_natural(size),
                }  # fmt: skip
            rows.append((order, {"sure": False, "natural": False, **row}))
    in_order = sorted(rows, key=lambda each: (each[0], not each[1]["sure"]))
    table = pd.DataFrame([row for _, row in in_order], columns=list(CLASSES))
    numbers = [name for name, kind in CLASSES.items() if kind == NUMBER]
    return table.astype(dict.fromkeys(numbers, float))


def identity(answers: Answers, transform: Transform) -> int:
    """Return the place of the step that does nothing."""
    return next(
        int(at)
        for at in answers.of(transform.name)
        if not transform.strength(answers.steps[at].size)
    )


def mean_of(values: NDArray[np.float64]) -> float:
    """Return the mean of those that are numbers, nan where none is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def spread_of(values: NDArray[np.float64]) -> float:
    """Return the standard deviation of those that are numbers, nan of fewer than two."""
    known = values[np.isfinite(values)]
    return float(known.std(ddof=1)) if len(known) > 1 else np.nan
